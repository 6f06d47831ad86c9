/** Our requests and notifications over a JSON-RPC connection, and the replies that they wait for. */
import { Deferred, Effect, Exit, Semaphore } from "effect"
import type { JsonObject } from "../domain/json.ts"
import type { Child } from "./Child.ts"
import * as Deadline from "./deadline.ts"
import { errorIn, methodNotFound, RpcSilent } from "./RpcError.ts"
import type { RpcError, RpcReply } from "./RpcError.ts"

/** How many of our requests can wait for their replies at once. Codex stops answering at about 128. */
const maxInFlight = 64

/** A peer that takes no byte for this long while the pipe is full will take none any more. */
const writeWithinMillis = 30_000

const lineEnds = /[\u2028\u2029]/g

/**
 * A message as one line for every reader: JSON leaves U+2028 and U+2029 as they are, and some readers of lines (Node's
 * `readline`, Python's `splitlines`) end a line there. Such an agent would take the message for two.
 */
const lineOf = (message: object): string =>
  JSON.stringify(message).replaceAll(lineEnds, (end) => (end === "\u2028" ? "\\u2028" : "\\u2029"))

export interface Requests {
  /** `onReplyLine` gets the line of the reply. */
  readonly request: (
    method: string,
    params: unknown,
    options: { readonly timeoutMillis: number; readonly onReplyLine?: (raw: string) => void }
  ) => Effect.Effect<unknown, RpcError | RpcSilent>
  /**
   * For a request whose reply is an event among others (a prompt): `onReply` runs in wire order with the notifications,
   * before the next line is read. It gets the line of the reply; "" where none came. Fails only where the request could
   * not be written. `beside`: members of the request beside its params.
   */
  readonly post: (
    method: string,
    params: unknown,
    onReply: (reply: RpcReply, raw: string) => Effect.Effect<void>,
    beside?: JsonObject
  ) => Effect.Effect<void, RpcSilent>
  readonly notify: (method: string, params: unknown) => Effect.Effect<void>
}

export interface RequestChannel extends Requests {
  /** Fails as `timeout` where the peer does not read, as `closed` where it is gone. A line is written whole or not at all. */
  readonly write: (method: string, message: JsonObject) => Effect.Effect<void, RpcSilent>
  /** Settles the request that a reply belongs to. The effect runs before the next line is read. */
  readonly settle: (message: JsonObject, raw: string) => Effect.Effect<void>
  /** Whether a request of ours with this id and method waits for its reply. */
  readonly isOurs: (id: unknown, method: string) => boolean
  /** Fails everything that waits, in the order of the requests, and everything that is written later. */
  readonly close: Effect.Effect<void>
}

interface PendingRequest {
  readonly method: string
  readonly onReply: (reply: RpcReply, raw: string) => Effect.Effect<void>
}

/** `versioned`: codex omits the `jsonrpc` field, ACP requires it. */
export const make = Effect.fnUntraced(function* (child: Child, versioned: boolean) {
  const inFlight = yield* Semaphore.make(maxInFlight)
  const pending = new Map<number, PendingRequest>()
  const versionField = versioned ? { jsonrpc: "2.0" } : {}
  let lastId = -1
  let closed = false

  const write: RequestChannel["write"] = (method, message) =>
    Effect.suspend(() => {
      if (closed) return Effect.fail(new RpcSilent({ method, reason: "closed" }))
      const line = `${lineOf({ ...versionField, ...message })}\n`
      // Nearly always there is room, and no deadline to be kept.
      if (child.writeNow(line)) return Effect.void
      return child.write(line).pipe(
        Effect.mapError(() => new RpcSilent({ method, reason: "closed" })),
        Deadline.timeoutOrElse({
          millis: writeWithinMillis,
          orElse: () => Effect.fail(new RpcSilent({ method, reason: "timeout" }))
        })
      )
    })

  const request: RequestChannel["request"] = (method, params, { onReplyLine, timeoutMillis }) =>
    Effect.suspend(() => {
      const id = (lastId += 1)
      const result = Deferred.makeUnsafe<unknown, RpcError | RpcSilent>()
      pending.set(id, {
        method,
        onReply: (reply, raw) => {
          if (raw !== "") onReplyLine?.(raw)
          Deferred.doneUnsafe(result, reply.ok ? Exit.succeed(reply.result) : Exit.fail(reply.error))
          return Effect.void
        }
      })
      return write(method, { id, method, params }).pipe(
        Effect.andThen(Deferred.await(result)),
        Effect.ensuring(Effect.sync(() => pending.delete(id)))
      )
    }).pipe(
      inFlight.withPermit,
      Deadline.timeoutOrElse({
        millis: timeoutMillis,
        orElse: () => Effect.fail(new RpcSilent({ method, reason: "timeout" }))
      })
    )

  const post: RequestChannel["post"] = (method, params, onReply, beside) =>
    Effect.suspend(() => {
      const id = (lastId += 1)
      pending.set(id, { method, onReply })
      // A request that was not written fails here, so `onReply` must not run when the peer closes.
      return Effect.onError(write(method, { id, method, params, ...beside }), () =>
        Effect.sync(() => pending.delete(id))
      )
    })

  const notify: RequestChannel["notify"] = (method, params) => Effect.ignore(write(method, { method, params }))

  /** The id of the pending request that a reply belongs to. */
  const idOf = (id: unknown, isError: boolean): number | undefined => {
    if (typeof id === "number") return id
    // Some libraries have ids as texts only.
    if (typeof id === "string") return String(Number(id)) === id ? Number(id) : undefined
    // An error without an id: the peer could not read what it answers. It reads in order, so that is what was written
    // last. An earlier request, such as the prompt, was read and is being worked on; to fail it would hand it over again.
    return isError ? [...pending.keys()].at(-1) : undefined
  }

  const settle: RequestChannel["settle"] = (message, raw) => {
    const { error, result } = message
    // Some libraries write both fields, and null in the one that is absent.
    const isError = error !== undefined && error !== null
    const rpcError = isError ? errorIn(error, child.redact) : undefined
    // Where the method was read the id was too, so this is about a notification of ours that the peer does not know.
    const hasRequest = message["id"] != null || rpcError?.code !== methodNotFound
    const id = hasRequest ? idOf(message["id"], isError) : undefined
    const request = id === undefined ? undefined : pending.get(id)
    // The deadline of the request has passed, or there was no such request.
    if (id === undefined || request === undefined) return Effect.void
    pending.delete(id)
    return request.onReply(rpcError === undefined ? { ok: true, result } : { ok: false, error: rpcError }, raw)
  }

  const isOurs: RequestChannel["isOurs"] = (id, method) => typeof id === "number" && pending.get(id)?.method === method

  const close = Effect.suspend(() => {
    closed = true
    const requests = [...pending.values()]
    pending.clear()
    return Effect.forEach(
      requests,
      ({ method, onReply }) => onReply({ ok: false, error: new RpcSilent({ method, reason: "closed" }) }, ""),
      { discard: true }
    )
  })

  return { request, post, notify, write, settle, isOurs, close } satisfies RequestChannel
})
