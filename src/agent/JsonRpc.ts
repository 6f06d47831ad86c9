/**
 * One JSON-RPC peer over newline-delimited JSON, for every agent that speaks it.
 *
 * A message with `method` and `id` is a request, with `method` alone, or with `id: null`, a notification, else a reply.
 * Ids are compared, never tested for truth, because both agents number from 0; each side has its own ids. A line that is
 * no message is skipped and noted (`Child.malformed`). Everything is bounded: 32 MiB a line, 64 requests in flight, the
 * queue of writes, and every request has a deadline.
 */
import { Deferred, Effect } from "effect"
import type { Scope } from "effect"
import { isDone } from "../domain/done.ts"
import { AgentFailed } from "./Agent.ts"
import type { Child } from "./Child.ts"
import * as LikeBefore from "./LikeBefore.ts"
import * as Lines from "./Lines.ts"
import { messagesIn } from "./messagesIn.ts"
import type { LineMessage } from "./messagesIn.ts"
import { Requests } from "./Requests.ts"
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

/** How many requests of the other side are worked on at once. One more is answered with an error. */
const maxAnswering = 64

/** JSON-RPC 2.0, section 5.1: in the range of the server's own errors. */
const overloaded = -32000

export class Peer extends Requests {
  readonly #child: Child
  readonly #options: PeerOptions
  readonly #scope: Scope.Scope
  readonly #ended = Deferred.makeUnsafe<void, AgentFailed>()
  readonly #likeBefore = LikeBefore.make()
  readonly #lines = Lines.make()
  #answering = 0

  /** What it answers to the other side's requests ends with the scope. */
  constructor(child: Child, options: PeerOptions, scope: Scope.Scope) {
    super(child, options.versioned)
    this.#child = child
    this.#options = options
    this.#scope = scope
  }

  /** How many lines were no message, and were skipped. */
  get malformedLines(): Effect.Effect<number> {
    return Effect.sync(() => this.#child.malformed.count())
  }

  /** Fails with class `protocol` where the peer broke the bounds or could not be read, succeeds when its output ended. */
  get ended(): Effect.Effect<void, AgentFailed> {
    return Deferred.await(this.#ended)
  }

  /** Reads all that it writes. */
  read(): Effect.Effect<void> {
    return this.#child
      .eachChunk((chunk) => {
        const done = this.#onLines(this.#lines.push(chunk))
        return this.#lines.overflowed() ? Effect.andThen(done, tooLong) : done
      })
      .pipe(
        Effect.andThen(Effect.suspend(() => this.#onLines(this.#lines.rest()))),
        failUnreadable(this.#child),
        Effect.onExit((exit) =>
          Effect.ensuring(
            this.close(),
            Effect.sync(() => Deferred.doneUnsafe(this.#ended, exit))
          )
        ),
        Effect.ignoreCause
      )
  }

  /** At once, as far as each line's effect is done already. */
  #onLines(complete: ReadonlyArray<string>, from = 0): Effect.Effect<void> {
    for (let nth = from; nth < complete.length; nth++) {
      const read = this.#onLine(complete[nth]!)
      if (!isDone(read)) return Effect.andThen(read, () => this.#onLines(complete, nth + 1))
    }
    return Effect.void
  }

  #onLine(line: string): Effect.Effect<void> {
    const like = this.#likeBefore.read(line)
    if (like !== null) return this.#onMessage({ message: like, raw: line })
    const { hasNoise, messages } = messagesIn(line)
    if (hasNoise) this.#child.malformed.note(line)
    const [message] = messages
    if (messages.length !== 1 || message === undefined) {
      return Effect.forEach(messages, (each) => this.#onMessage(each), { discard: true })
    }
    if (message.raw === line) this.#likeBefore.learn(line, message.message)
    return this.#onMessage(message)
  }

  #onMessage({ message, raw }: LineMessage): Effect.Effect<void> {
    const { id, method, params } = message
    if (typeof method !== "string") return this.settle(message, raw)
    // The sender of a request with the id null could not tell our answer from another.
    if (id === undefined || id === null) return this.#options.onNotification(method, params, raw)
    // A terminal or a log in front of the agent repeats what we write. No method goes in both directions.
    if (this.isOurs(id, method)) return Effect.sync(() => this.#child.malformed.note(raw))
    return this.#onRequest(id, method, params, raw)
  }

  #onRequest(id: unknown, method: string, params: unknown, raw: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#answering >= maxAnswering) {
        const error = { code: overloaded, message: "Too many requests at once." }
        return Effect.ignore(this.write(method, { id, error }))
      }
      this.#answering++
      const answered = Effect.ensuring(
        this.#answer(id, method, params, raw),
        Effect.sync(() => this.#answering--)
      )
      return Effect.asVoid(Effect.forkIn(answered, this.#scope, { startImmediately: true }))
    })
  }

  #answer(id: unknown, method: string, params: unknown, raw: string): Effect.Effect<void> {
    return this.#options.onRequest(method, params, id, raw).pipe(
      Effect.matchCause({
        onSuccess: (result) => ({ id, result: result ?? null }),
        onFailure: (cause) => {
          const failure = cause.reasons.find((reason) => reason._tag === "Fail")
          return { id, error: errorBody(failure?.error) }
        }
      }),
      Effect.flatMap((message) => Effect.ignore(this.write(method, message)))
    )
  }
}

export type MakePeer = (child: Child, options: PeerOptions) => Effect.Effect<Peer, never, Scope.Scope>

export const make: MakePeer = Effect.fnUntraced(function* (child, options) {
  const scope = yield* Effect.scope
  const peer = new Peer(child, options, scope)
  yield* Effect.forkIn(peer.read(), scope)
  return peer
})

const tooLong = Effect.suspend(() =>
  Effect.fail(
    new AgentFailed({
      class: "protocol",
      message: `The agent wrote a line of more than ${Lines.maxLineBytes} bytes, which is the limit. Its process is given up.`
    })
  )
)
