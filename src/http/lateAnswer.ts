/**
 * Answers that take long: the headers go out before the answer is known, and the body is kept alive until it is.
 *
 * Clients and proxies give up on a response that shows nothing: Node's fetch after 300 s, nginx and load balancers after
 * 60 s. JSON may begin with whitespace, so a line feed every 15 s keeps the response alive and changes nothing of it. The
 * status is sent before the outcome is known, so it is 200 whatever comes, and the header `x-troupe-late-answer` says so:
 * the body is what would have been sent, a problem included, and its `ok` tells. What ends sooner has its own status.
 */
import { Context, Effect, Exit, Fiber, Option, Queue, Stream } from "effect"
import type { Cause, Duration, Scope } from "effect"
import { HttpServerResponse } from "effect/http"
import type { Answer, StoredAnswer } from "../services/Idempotency.ts"
import { lateHeader } from "./contract/late.ts"
import type { ProblemDetails } from "./contract/Problem.ts"
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

/** `scope`: of the server. `closing` returns when the server stops. */
export const make =
  (scope: Scope.Scope, closing: Effect.Effect<void>) =>
  <E extends ProblemDetails>(
    work: Effect.Effect<Sent, E>,
    { isReplay = () => false, onClientGone = Effect.void }: LateOptions
  ): Effect.Effect<HttpServerResponse.HttpServerResponse, E> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const { headersWithin, keptAliveEvery } = yield* LateAnswers
        const requestId = yield* RequestId
        const fiber = yield* Effect.forkIn(restore(work), scope)
        const gone = Effect.andThen(Fiber.interrupt(fiber), onClientGone)
        const early = yield* restore(Effect.timeoutOption(Fiber.await(fiber), headersWithin)).pipe(
          Effect.onInterrupt(() => gone)
        )
        if (Option.isSome(early)) return responseOf(yield* early.value)
        const stopped = Effect.as(Effect.delay(closing, closeWithin), Exit.fail(draining))
        const text = Effect.flatMap(Effect.raceFirst(Fiber.await(fiber), stopped), (exit) =>
          Exit.isSuccess(exit) ? Effect.succeed(exit.value.body) : problemTextOf(exit.cause, requestId)
        )
        return HttpServerResponse.stream(
          Stream.onExit(keptAlive(text, keptAliveEvery), (exit) =>
            Exit.isFailure(exit) && isClientGone(exit.cause) ? gone : Effect.asVoid(Fiber.interrupt(fiber))
          ),
          { contentType: "application/json", headers: { ...lateHeaders, ...(isReplay() ? replayedHeader : {}) } }
        )
      })
    )

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
