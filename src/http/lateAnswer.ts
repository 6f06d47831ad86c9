/**
 * Answers that take long: the headers go out before the answer is known, and the body is kept alive until it is.
 *
 * Clients and proxies give up on a response that shows nothing: Node's fetch after 300 s, nginx and load balancers after
 * 60 s. JSON may begin with whitespace, so a line feed every 15 s keeps the response alive and changes nothing of it. The
 * status is sent before the outcome is known, so it is 200 whatever comes, and the header `x-troupe-late-answer` says so:
 * the body is what would have been sent, a problem included, and its `ok` tells. What ends sooner has its own status.
 */
import { Context, Duration, Effect, Exit, Fiber, Option, Queue, Stream } from "effect"
import type { Cause, Scope } from "effect"
import { HttpServerResponse } from "effect/http"
import type { Answer, StoredAnswer } from "../services/Idempotency.ts"
import { AccessEnds, lookEveryMillis } from "./accessEnds.ts"
import type { AccessEnded } from "./accessEnds.ts"
import { lateHeader } from "./contract/late.ts"
import type { ProblemDetails } from "./contract/Problem.ts"
import * as FirstWait from "./firstWait.ts"
import { replayedHeader, responseOf } from "./idempotent.ts"
import { draining, isClientGone, problemTextOf } from "./problemOfCause.ts"
import { RequestId } from "./RequestId.ts"

export const LateAnswers = Context.Reference<{
  /** The headers go out after this time at the latest. Below the 60 s of nginx and of load balancers. */
  readonly headersWithin: Duration.Input
  readonly keptAliveEvery: Duration.Input
}>("troupe/http/LateAnswers", {
  defaultValue: () => ({ headersWithin: "45 seconds", keptAliveEvery: "15 seconds" })
})

/** When the server stops, an answer that is not there yet is given up before its connection is cut. */
const closeWithin = "8 seconds"

export interface LateOptions {
  /** Whether the answer is of an earlier request, as far as it is known when the headers are sent. */
  readonly isReplay?: () => boolean
  readonly onClientGone?: Effect.Effect<void>
}

type Sent = StoredAnswer & Partial<Answer>

/** Of an answer that is asked for; it fails where the access of its caller ends (`AccessEnds`). */
export type LateAnswer = <E extends ProblemDetails>(
  work: Effect.Effect<Sent, E>,
  options: LateOptions
) => Effect.Effect<HttpServerResponse.HttpServerResponse, E | AccessEnded>

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** `scope`: of the server. `closing` returns when the server stops. */
export const make = Effect.fnUntraced(function* (scope: Scope.Scope, closing: Effect.Effect<void>) {
  const settings = yield* LateAnswers
  const headersWithinMillis = Duration.toMillis(settings.headersWithin)
  const firstMillis = Math.min(lookEveryMillis, headersWithinMillis)
  const firstWait = yield* FirstWait.make(firstMillis)

  const answered = Effect.fnUntraced(function* <E extends ProblemDetails>(
    restore: Restore,
    work: Effect.Effect<Sent, E>,
    { isReplay = () => false, onClientGone = Effect.void }: LateOptions
  ) {
    const fiber = yield* Effect.forkIn(restore(work), scope, { startImmediately: true })
    const first = yield* restore(firstWait(fiber)).pipe(
      Effect.onInterrupt(() => Effect.andThen(Fiber.interrupt(fiber), onClientGone))
    )
    if (first !== undefined) return responseOf(yield* first)

    // Most answers are there by now. For one that lasts, its caller's access is looked at from here on.
    const whileAuthorized = Effect.raceFirst(Fiber.join(fiber), yield* AccessEnds)
    const lasting = yield* Effect.forkIn(Effect.ensuring(whileAuthorized, Fiber.interrupt(fiber)), scope)
    const gone = Effect.andThen(Fiber.interruptAll([lasting, fiber]), onClientGone)
    const leftMillis = headersWithinMillis - firstMillis
    const early = yield* restore(Effect.timeoutOption(Fiber.await(lasting), leftMillis)).pipe(
      Effect.onInterrupt(() => gone)
    )
    if (Option.isSome(early)) return responseOf(yield* early.value)
    const requestId = yield* RequestId
    const stopped = Effect.as(Effect.delay(closing, closeWithin), Exit.fail(draining))
    const ended: Effect.Effect<Exit.Exit<Sent, ProblemDetails>> = Effect.raceFirst(Fiber.await(lasting), stopped)
    const text = Effect.flatMap(ended, (exit) =>
      Exit.isSuccess(exit) ? Effect.succeed(exit.value.body) : problemTextOf(exit.cause, requestId)
    )
    return HttpServerResponse.stream(
      Stream.onExit(keptAlive(text, settings.keptAliveEvery), (exit) =>
        Exit.isFailure(exit) && isClientGone(exit.cause) ? gone : Effect.asVoid(Fiber.interrupt(lasting))
      ),
      { contentType: "application/json", headers: { ...lateHeaders, ...(isReplay() ? replayedHeader : {}) } }
    )
  })

  const answer: LateAnswer = (work, options) =>
    Effect.uninterruptibleMask((restore) => answered(restore, work, options))
  return answer
})

const lateHeaders = { [lateHeader]: "true", "cache-control": "no-store, no-transform", "x-accel-buffering": "no" }

/** Whitespace until the text is there, then the text. */
const keptAlive = (text: Effect.Effect<string>, every: Duration.Input) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const queue = yield* Queue.unbounded<string, Cause.Done>()
      Queue.offerUnsafe(queue, "\n")
      yield* text.pipe(
        Effect.tap((json) => Queue.offer(queue, json)),
        Effect.ensuring(Queue.end(queue)),
        Effect.forkScoped
      )
      yield* Effect.sync(() => Queue.offerUnsafe(queue, "\n")).pipe(
        Effect.delay(every),
        Effect.forever,
        Effect.forkScoped
      )
      return Stream.encodeText(Stream.fromQueue(queue))
    })
  )
