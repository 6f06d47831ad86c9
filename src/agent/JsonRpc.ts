/**
 * One JSON-RPC peer over newline-delimited JSON, for every agent that speaks it.
 *
 * A message with `method` and `id` is a request, with `method` alone, or with `id: null`, a notification, else a reply.
 * Ids are compared, never tested for truth, because both agents number from 0; each side has its own ids. A line that is
 * no message is skipped and noted (`Child.malformed`). Everything is bounded: 32 MiB a line, 64 requests in flight, the
 * queue of writes, and every request has a deadline.
 */
import { Deferred, Effect, FiberSet } from "effect"
import type { Scope } from "effect"
import { isDone } from "../domain/done.ts"
import { AgentFailed } from "./Agent.ts"
import type { Child } from "./Child.ts"
import * as LikeBefore from "./LikeBefore.ts"
import * as Lines from "./Lines.ts"
import { messagesIn } from "./messagesIn.ts"
import type { LineMessage } from "./messagesIn.ts"
import * as RequestChannel from "./Requests.ts"
import type { Requests } from "./Requests.ts"
import { errorBody } from "./RpcError.ts"
import type { RpcError } from "./RpcError.ts"
import { failUnreadable } from "./unreadable.ts"

export interface PeerOptions {
  /** Codex omits the `jsonrpc` field; ACP requires it. */
  readonly versioned: boolean
  /** Awaited before the next line is read. `raw` is the message as it came (`LineMessage`). */
  readonly onNotification: (method: string, params: unknown, raw: string) => Effect.Effect<void>
  /** Runs concurrently with the reading, so it may take its time. It fails with -32601 for an unknown method. */
  readonly onRequest: (method: string, params: unknown, id: unknown, raw: string) => Effect.Effect<unknown, RpcError>
}

export interface Peer extends Requests {
  /** How many lines were no message, and were skipped. */
  readonly malformedLines: Effect.Effect<number>
  /** Fails with class `protocol` where the peer broke the bounds or could not be read, succeeds when its output ended. */
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
  const channel = yield* RequestChannel.make(child, options.versioned)
  const { close, notify, post, request, settle, write } = channel

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

  const onMessage = ({ message, raw }: LineMessage): Effect.Effect<void> => {
    const { id, method, params } = message
    if (typeof method !== "string") return settle(message, raw)
    // The sender of a request with the id null could not tell our answer from another.
    if (id === undefined || id === null) return options.onNotification(method, params, raw)
    // A terminal or a log in front of the agent repeats what we write. No method goes in both directions.
    if (channel.isOurs(id, method)) return Effect.sync(() => child.malformed.note(raw))
    return onRequest(id, method, params, raw)
  }

  const likeBefore = LikeBefore.make()

  const onLine = (line: string): Effect.Effect<void> => {
    const like = likeBefore.read(line)
    if (like !== null) return onMessage({ message: like, raw: line })
    const { hasNoise, messages } = messagesIn(line)
    if (hasNoise) child.malformed.note(line)
    const [message] = messages
    if (messages.length !== 1 || message === undefined) return Effect.forEach(messages, onMessage, { discard: true })
    if (message.raw === line) likeBefore.learn(line, message.message)
    return onMessage(message)
  }

  const lines = Lines.make()

  /** At once, as far as each line's effect is done already. */
  const onLines = (complete: ReadonlyArray<string>, from = 0): Effect.Effect<void> => {
    for (let nth = from; nth < complete.length; nth++) {
      const read = onLine(complete[nth]!)
      if (!isDone(read)) return Effect.andThen(read, () => onLines(complete, nth + 1))
    }
    return Effect.void
  }

  const reading = child
    .eachChunk((chunk) => {
      const done = onLines(lines.push(chunk))
      return lines.overflowed() ? Effect.andThen(done, tooLong) : done
    })
    .pipe(Effect.andThen(Effect.suspend(() => onLines(lines.rest()))), failUnreadable(child))

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
    malformedLines: Effect.sync(child.malformed.count),
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
