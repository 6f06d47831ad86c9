/**
 * One JSON-RPC peer over newline-delimited JSON, for every agent that speaks it.
 *
 * A line with `method` and `id` is a request, with `method` alone a notification, else a reply; ids are compared, never
 * tested for truth (both agents number from 0). Both sides have an id space of their own. Bounds: 32 MiB a line, 64
 * messages waiting to be written, 64 requests in flight, a deadline on every one.
 */
import { Deferred, Effect, Exit, FiberSet, Schema, Semaphore, Stream } from "effect"
import type { Scope } from "effect"
import { objectIn } from "../domain/json.ts"
import { AgentFailed } from "./Agent.ts"
import * as Lines from "./Lines.ts"
import type { Child } from "./Processes.ts"

/** The other side's `error`, or ours to it. */
export class RpcError extends Schema.TaggedError<RpcError>()("RpcError", {
  code: Schema.Int,
  message: Schema.String,
  data: Schema.optionalKey(Schema.Unknown)
}) {}

/** No answer came: the deadline passed, or the peer is gone. */
export class RpcSilent extends Schema.TaggedError<RpcSilent>()("RpcSilent", {
  method: Schema.String,
  reason: Schema.Literals(["timeout", "closed"])
}) {}

export interface PeerOptions {
  /** Codex leaves the `jsonrpc` field out; ACP demands it. */
  readonly versioned: boolean
  /** Awaited before the next line is read. `raw` is the line as it came. */
  readonly onNotification: (method: string, params: unknown, raw: string) => Effect.Effect<void>
  /** Runs beside the reading, so an answer may take its time. An unknown method is -32601. `id` is the other side's. */
  readonly onRequest: (method: string, params: unknown, id: unknown, raw: string) => Effect.Effect<unknown, RpcError>
}

export interface Peer {
  readonly request: (
    method: string,
    params: unknown,
    options: { readonly timeoutMillis: number; readonly arrived?: (raw: string) => void }
  ) => Effect.Effect<unknown, RpcError | RpcSilent>
  /**
   * For a request whose answer is an event among others (a prompt): `onReply` runs in wire order with the
   * notifications, before the next line is read, with the line as it came ("" where none did). Fails only where it
   * could not be written.
   */
  readonly post: (
    method: string,
    params: unknown,
    onReply: (
      reply:
        | { readonly ok: true; readonly result: unknown }
        | { readonly ok: false; readonly error: RpcError | RpcSilent },
      raw: string
    ) => Effect.Effect<void>
  ) => Effect.Effect<void, RpcSilent>
  readonly notify: (method: string, params: unknown) => Effect.Effect<void>
  /** Lines that were no message, skipped. */
  readonly malformedLines: Effect.Effect<number>
  /** Fails with class `protocol` where the peer broke the bounds, succeeds when its output ended. */
  readonly ended: Effect.Effect<void, AgentFailed>
}

export type MakePeer = (child: Child, options: PeerOptions) => Effect.Effect<Peer, never, Scope.Scope>

/** Our requests that may wait for their answers at once; codex stops answering at about 128. */
const requestsInFlight = 64

/** The other side's requests that may be worked on at once; one more is told so. */
const requestsAtWork = 64

/** A peer that takes no byte for this long while the pipe is full will take none any more. */
const writeWithinMillis = 30_000

/** JSON-RPC 2.0, section 5.1. */
const internalError = -32603
const overloaded = -32000

type RpcReply = Parameters<Parameters<Peer["post"]>[2]>[0]

/** Who waits for a reply. What it returns runs before the next line is read. */
type PendingRequest = {
  readonly method: string
  readonly settle: (reply: RpcReply, raw: string) => Effect.Effect<void>
}

export const make: MakePeer = Effect.fnUntraced(function* (child, options) {
  const ended = yield* Deferred.make<void, AgentFailed>()
  const answering = yield* FiberSet.make<void>()
  const inFlight = yield* Semaphore.make(requestsInFlight)
  const pending = new Map<number, PendingRequest>()
  let lastId = -1
  let malformedLines = 0
  let closed = false

  // ---- out

  const versionField = options.versioned ? { jsonrpc: "2.0" } : {}

  /** Fails as `timeout` where the peer does not read, as `closed` where it is gone. A line is written whole or not at all. */
  const write = (method: string, message: Readonly<Record<string, unknown>>) =>
    closed
      ? Effect.fail(new RpcSilent({ method, reason: "closed" }))
      : child.write(`${JSON.stringify({ ...versionField, ...message })}\n`).pipe(
          Effect.mapError(() => new RpcSilent({ method, reason: "closed" })),
          Effect.timeoutOrElse({
            duration: writeWithinMillis,
            orElse: () => Effect.fail(new RpcSilent({ method, reason: "timeout" }))
          })
        )

  const request: Peer["request"] = (method, params, { arrived, timeoutMillis }) =>
    Effect.suspend(() => {
      const id = (lastId += 1)
      const answer = Deferred.makeUnsafe<unknown, RpcError | RpcSilent>()
      pending.set(id, {
        method,
        settle: (reply, raw) => {
          if (raw !== "") arrived?.(raw)
          Deferred.doneUnsafe(answer, reply.ok ? Exit.succeed(reply.result) : Exit.fail(reply.error))
          return Effect.void
        }
      })
      return write(method, { id, method, params }).pipe(
        Effect.andThen(Deferred.await(answer)),
        Effect.ensuring(Effect.sync(() => pending.delete(id)))
      )
    }).pipe(
      inFlight.withPermit,
      Effect.timeoutOrElse({
        duration: timeoutMillis,
        orElse: () => Effect.fail(new RpcSilent({ method, reason: "timeout" }))
      })
    )

  const post: Peer["post"] = (method, params, onReply) =>
    Effect.suspend(() => {
      const id = (lastId += 1)
      pending.set(id, { method, settle: onReply })
      // Not written: its answer is this failure, and `onReply` must not get a second one when the peer goes.
      return Effect.onError(write(method, { id, method, params }), () => Effect.sync(() => pending.delete(id)))
    })

  const notify: Peer["notify"] = (method, params) => Effect.ignore(write(method, { method, params }))

  // ---- in

  const answer = (id: unknown, method: string, params: unknown, raw: string) =>
    options.onRequest(method, params, id, raw).pipe(
      Effect.matchCause({
        onSuccess: (result) => ({ id, result: result ?? null }),
        onFailure: (cause) => {
          const failure = cause.reasons.find((reason) => reason._tag === "Fail")
          return { id, error: errorBody(failure?.error) }
        }
      }),
      Effect.flatMap((message) => Effect.ignore(write(method, message)))
    )

  const onRequest = (id: unknown, method: string, params: unknown, raw: string): Effect.Effect<void> =>
    Effect.flatMap(FiberSet.size(answering), (atWork) =>
      atWork < requestsAtWork
        ? Effect.asVoid(FiberSet.run(answering, answer(id, method, params, raw), { startImmediately: true }))
        : Effect.ignore(write(method, { id, error: { code: overloaded, message: "Too many requests at once." } }))
    )

  const onReply = (message: Readonly<Record<string, unknown>>, raw: string): Effect.Effect<void> => {
    const waiter = typeof message["id"] === "number" ? pending.get(message["id"]) : undefined
    // Nobody waits any more (its deadline has passed), or nobody ever did.
    if (waiter === undefined) return Effect.void
    pending.delete(message["id"] as number)
    return waiter.settle(
      message["error"] === undefined
        ? { ok: true, result: message["result"] }
        : { ok: false, error: toRpcError(message["error"]) },
      raw
    )
  }

  const onLine = (line: string): Effect.Effect<void> => {
    const message = parsed(line)
    if (message === null) {
      malformedLines += 1
      return Effect.void
    }
    const { id, method } = message
    if (typeof method === "string") {
      return id === undefined
        ? options.onNotification(method, message["params"], line)
        : onRequest(id, method, message["params"], line)
    }
    if (id !== undefined && ("result" in message || "error" in message)) return onReply(message, line)
    malformedLines += 1
    return Effect.void
  }

  const lines = Lines.make()

  /** A generator step for what takes time, none for what is done already: that is nearly every line. */
  const onLines = Effect.fnUntraced(function* (all: ReadonlyArray<string>) {
    for (const line of all) {
      const work = onLine(line)
      if (!(Exit.isExit(work) && Exit.isSuccess(work))) yield* work
    }
  })

  const reading = Stream.runForEachArray(child.stdout, (chunks) =>
    Effect.gen(function* () {
      for (const chunk of chunks) yield* onLines(lines.push(chunk))
      if (lines.overflowed()) return yield* tooLong
    })
  ).pipe(Effect.andThen(Effect.suspend(() => onLines(lines.rest()))))

  /** Whoever still waits learns that nothing will come, in the order they asked. */
  const close = Effect.suspend(() => {
    closed = true
    const left = [...pending.values()]
    pending.clear()
    return Effect.forEach(
      left,
      ({ method, settle }) => settle({ ok: false, error: new RpcSilent({ method, reason: "closed" }) }, ""),
      { discard: true }
    )
  })

  yield* reading.pipe(
    Effect.onExit(() => close),
    Effect.onExit((exit) => Effect.sync(() => Deferred.doneUnsafe(ended, exit))),
    Effect.ignoreCause,
    Effect.forkScoped
  )

  return {
    request,
    post,
    notify,
    malformedLines: Effect.sync(() => malformedLines),
    ended: Deferred.await(ended)
  } satisfies Peer
})

const tooLong = Effect.suspend(() =>
  Effect.fail(
    new AgentFailed({
      class: "protocol",
      message: `The agent wrote a line of more than ${Lines.maxLineBytes} bytes, which is the limit. Its process is given up.`
    })
  )
)

/** The message of a line, or `null` for what is no JSON object. */
const parsed = (line: string): Readonly<Record<string, unknown>> | null => {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null
  } catch {
    return null
  }
}

const toRpcError = (error: unknown): RpcError => {
  const { code, message, data } = objectIn(error)
  return new RpcError({
    code: typeof code === "number" && Number.isInteger(code) ? code : internalError,
    message: typeof message === "string" ? message : (JSON.stringify(error) ?? "no message"),
    ...(data === undefined ? {} : { data })
  })
}

/** What the other side is told of a failure of ours: of a defect nothing but that there was one. */
const errorBody = (error: RpcError | undefined) =>
  error === undefined
    ? { code: internalError, message: "Internal error" }
    : { code: error.code, message: error.message, ...(error.data === undefined ? {} : { data: error.data }) }
