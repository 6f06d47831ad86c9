/**
 * One JSON-RPC peer over newline-delimited JSON, for every agent that speaks it.
 *
 * A line with `method` and `id` is a request, with `method` alone a notification, else a reply. Ids are compared, never
 * tested for truth, because both agents number from 0; each side has its own ids. Everything is bounded: 32 MiB a line,
 * 64 requests in flight, the queue of writes, and every request has a deadline.
 */
import { Deferred, Effect, Exit, FiberSet, Stream } from "effect"
import type { Scope } from "effect"
import type { JsonObject } from "../domain/json.ts"
import { AgentFailed } from "./Agent.ts"
import type { Child } from "./Child.ts"
import * as Lines from "./Lines.ts"
import * as RequestChannel from "./Requests.ts"
import type { Requests } from "./Requests.ts"
import { errorBody } from "./RpcError.ts"
import type { RpcError } from "./RpcError.ts"

export interface PeerOptions {
  /** Codex omits the `jsonrpc` field; ACP requires it. */
  readonly versioned: boolean
  /** Awaited before the next line is read. `raw` is the line as it came. */
  readonly onNotification: (method: string, params: unknown, raw: string) => Effect.Effect<void>
  /** Runs concurrently with the reading, so it may take its time. It fails with -32601 for an unknown method. */
  readonly onRequest: (method: string, params: unknown, id: unknown, raw: string) => Effect.Effect<unknown, RpcError>
}

export interface Peer extends Requests {
  /** How many lines were no message, and were skipped. */
  readonly malformedLines: Effect.Effect<number>
  /** Fails with class `protocol` where the peer broke the bounds, succeeds when its output ended. */
  readonly ended: Effect.Effect<void, AgentFailed>
}

export type MakePeer = (child: Child, options: PeerOptions) => Effect.Effect<Peer, never, Scope.Scope>

/** How many requests of the other side are worked on at once. One more is answered with an error. */
const maxAnswering = 64

/** JSON-RPC 2.0, section 5.1: in the range of the server's own errors. */
const overloaded = -32000

export const make: MakePeer = Effect.fnUntraced(function* (child, options) {
  const ended = yield* Deferred.make<void, AgentFailed>()
  const answering = yield* FiberSet.make<void>()
  const { close, notify, post, request, settle, write } = yield* RequestChannel.make(child, options.versioned)
  let malformedLines = 0

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
    Effect.flatMap(FiberSet.size(answering), (count) =>
      count < maxAnswering
        ? Effect.asVoid(FiberSet.run(answering, answer(id, method, params, raw), { startImmediately: true }))
        : Effect.ignore(write(method, { id, error: { code: overloaded, message: "Too many requests at once." } }))
    )

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
    if (id !== undefined && ("result" in message || "error" in message)) return settle(message, line)
    malformedLines += 1
    return Effect.void
  }

  const lines = Lines.make()

  /** Takes a generator step only for an effect that is not done already, which nearly every line's is. */
  const onLines = Effect.fnUntraced(function* (complete: ReadonlyArray<string>) {
    for (const line of complete) {
      const effect = onLine(line)
      if (!(Exit.isExit(effect) && Exit.isSuccess(effect))) yield* effect
    }
  })

  const reading = Stream.runForEachArray(child.stdout, (chunks) =>
    Effect.gen(function* () {
      for (const chunk of chunks) yield* onLines(lines.push(chunk))
      if (lines.overflowed()) return yield* tooLong
    })
  ).pipe(Effect.andThen(Effect.suspend(() => onLines(lines.rest()))))

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

/** The message of a line; `null`: the line is no JSON object. */
const parsed = (line: string): JsonObject | null => {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null
  } catch {
    return null
  }
}
