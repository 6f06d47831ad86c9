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

interface PendingRequest {
  readonly method: string
  readonly onReply: (reply: RpcReply, raw: string) => Effect.Effect<void>
}

/** `versioned`: codex omits the `jsonrpc` field, ACP requires it. */
export class Requests {
  readonly #child: Child
  readonly #isVersioned: boolean
  readonly #pending = new Map<number, PendingRequest>()
  /** Made with the first request; `post` needs none. */
  #inFlight: Semaphore.Semaphore | null = null
  #lastId = -1
  #isClosed = false

  constructor(child: Child, versioned: boolean) {
    this.#child = child
    this.#isVersioned = versioned
  }

  /** `onReplyLine` gets the line of the reply. */
  request(
    method: string,
    params: unknown,
    { onReplyLine, timeoutMillis }: { readonly timeoutMillis: number; readonly onReplyLine?: (raw: string) => void }
  ): Effect.Effect<unknown, RpcError | RpcSilent> {
    this.#inFlight ??= Semaphore.makeUnsafe(maxInFlight)
    return Effect.suspend(() => {
      const id = (this.#lastId += 1)
      const result = Deferred.makeUnsafe<unknown, RpcError | RpcSilent>()
      this.#pending.set(id, {
        method,
        onReply: (reply, raw) => {
          if (raw !== "") onReplyLine?.(raw)
          Deferred.doneUnsafe(result, reply.ok ? Exit.succeed(reply.result) : Exit.fail(reply.error))
          return Effect.void
        }
      })
      return this.write(method, { id, method, params }).pipe(
        Effect.andThen(Deferred.await(result)),
        Effect.ensuring(Effect.sync(() => this.#pending.delete(id)))
      )
    }).pipe(
      this.#inFlight.withPermit,
      Deadline.timeoutOrElse({
        millis: timeoutMillis,
        orElse: () => Effect.fail(new RpcSilent({ method, reason: "timeout" }))
      })
    )
  }

  /**
   * For a request whose reply is an event among others (a prompt): `onReply` runs in wire order with the notifications,
   * before the next line is read. It gets the line of the reply; "" where none came. Fails only where the request could
   * not be written. `beside`: members of the request beside its params.
   */
  post(
    method: string,
    params: unknown,
    onReply: PendingRequest["onReply"],
    beside?: JsonObject
  ): Effect.Effect<void, RpcSilent> {
    return Effect.suspend(() => {
      const id = (this.#lastId += 1)
      this.#pending.set(id, { method, onReply })
      // A request that was not written fails here, so `onReply` must not run when the peer closes.
      return Effect.onError(this.write(method, { id, method, params, ...beside }), () =>
        Effect.sync(() => this.#pending.delete(id))
      )
    })
  }

  notify(method: string, params: unknown): Effect.Effect<void> {
    return Effect.ignore(this.write(method, { method, params }))
  }

  /** Fails as `timeout` where the peer does not read, as `closed` where it is gone. A line is written whole or not at all. */
  write(method: string, message: JsonObject): Effect.Effect<void, RpcSilent> {
    return Effect.suspend(() => {
      if (this.#isClosed) return Effect.fail(new RpcSilent({ method, reason: "closed" }))
      const line = `${lineOf(this.#isVersioned ? { jsonrpc: "2.0", ...message } : message)}\n`
      // Nearly always there is room, and no deadline to be kept.
      if (this.#child.writeNow(line)) return Effect.void
      return this.#child.write(line).pipe(
        Effect.mapError(() => new RpcSilent({ method, reason: "closed" })),
        Deadline.timeoutOrElse({
          millis: writeWithinMillis,
          orElse: () => Effect.fail(new RpcSilent({ method, reason: "timeout" }))
        })
      )
    })
  }

  /** Settles the request that a reply belongs to. The effect runs before the next line is read. */
  settle(message: JsonObject, raw: string): Effect.Effect<void> {
    const { error, result } = message
    // Some libraries write both fields, and null in the one that is absent.
    const isError = error !== undefined && error !== null
    const rpcError = isError ? errorIn(error, (text) => this.#child.redact(text)) : undefined
    // Where the method was read the id was too, so this is about a notification of ours that the peer does not know.
    const hasRequest = message["id"] != null || rpcError?.code !== methodNotFound
    const id = hasRequest ? this.#idOf(message["id"], isError) : undefined
    const request = id === undefined ? undefined : this.#pending.get(id)
    // The deadline of the request has passed, or there was no such request.
    if (id === undefined || request === undefined) return Effect.void
    this.#pending.delete(id)
    return request.onReply(rpcError === undefined ? { ok: true, result } : { ok: false, error: rpcError }, raw)
  }

  /** Whether a request of ours with this id and method waits for its reply. */
  isOurs(id: unknown, method: string): boolean {
    return typeof id === "number" && this.#pending.get(id)?.method === method
  }

  /** Fails everything that waits, in the order of the requests, and everything that is written later. */
  close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#isClosed = true
      const requests = [...this.#pending.values()]
      this.#pending.clear()
      return Effect.forEach(
        requests,
        ({ method, onReply }) => onReply({ ok: false, error: new RpcSilent({ method, reason: "closed" }) }, ""),
        { discard: true }
      )
    })
  }

  /** The id of the pending request that a reply belongs to. */
  #idOf(id: unknown, isError: boolean): number | undefined {
    if (typeof id === "number") return id
    // Some libraries have ids as texts only.
    if (typeof id === "string") return String(Number(id)) === id ? Number(id) : undefined
    // An error without an id: the peer could not read what it answers. It reads in order, so that is what was written
    // last. An earlier request, such as the prompt, was read and is being worked on; to fail it would hand it over again.
    return isError ? [...this.#pending.keys()].at(-1) : undefined
  }
}
