/**
 * Performs the commands of one review: takes the snapshot, calls the model, runs the tools it calls, asks the host.
 *
 * Each command runs in a fiber of its own and posts its result as an event, a failure included.
 */
import { Cause, Effect, Fiber, Option } from "effect"
import type { Scope } from "effect"
import type { ReviewCommand, ReviewEvent } from "../../machines/review/machine.ts"
import { redact } from "../agent/redact.ts"
import { clipped } from "../domain/boundedJson.ts"
import type { AppName } from "../domain/Ids.ts"
import type { ReviewWrite } from "../domain/Review.ts"
import type { Message } from "../domain/Turn.ts"
import type { ReviewerChoice } from "./chooseReviewer.ts"
import type { DueReview } from "./nudges.ts"
import type { Exchange, ModelAnswer } from "./Reviewer.ts"
import { requestOf } from "./ReviewRequest.ts"
import type { ReviewRequest } from "./ReviewRequest.ts"
import type { ReviewStore } from "./ReviewStore.ts"
import { dispatch } from "./ReviewTools.ts"

export interface ReviewTask {
  readonly app: AppName
  readonly due: DueReview
  /** The whole conversation. */
  readonly messages: Effect.Effect<ReadonlyArray<Message>, unknown>
  readonly choice: ReviewerChoice
  readonly store: ReviewStore
}

export interface ReviewCommandHandler {
  /** Returns when the command's work has begun. */
  readonly perform: (command: ReviewCommand) => Effect.Effect<void>
  /** What the review has written so far, bounded for its record. */
  readonly writes: () => ReadonlyArray<ReviewWrite>
  /** Interrupts the work that is under way, if any, without waiting for its end. */
  readonly abandon: Effect.Effect<void>
}

/** Tool calls of one answer that are carried out. */
const callsAtOnce = 32
/** Writes that a record lists. */
const listedWrites = 256

/** Work is forked into `scope`, so that work that can't be stopped delays nobody and ends with that scope. */
export const make = (
  { app, choice, due, messages, store }: ReviewTask,
  post: (event: ReviewEvent) => Effect.Effect<unknown>,
  scope: Scope.Scope
): ReviewCommandHandler => {
  const wrote: Array<ReviewWrite> = []
  let work: Fiber.Fiber<unknown> | undefined
  let request: ReviewRequest | undefined
  let exchange: Exchange | undefined
  let answer: ModelAnswer | undefined

  /** Posts the work's event, or its failure's; nothing where the work was interrupted. */
  const start = (effect: Effect.Effect<ReviewEvent, unknown>, failed: (reason: string) => ReviewEvent) =>
    effect.pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.interrupt : Effect.succeed(failed(reasonOf(cause)))
      ),
      Effect.flatMap(post),
      Effect.forkIn(scope),
      Effect.map((fiber) => {
        work = fiber
      })
    )

  const takeSnapshot = Effect.gen(function* () {
    if (choice._tag === "NoReviewer") return { type: "snapshot.failed", reason: choice.reason } as const
    request = requestOf(yield* messages, due)
    if (choice._tag === "Host") return { type: "snapshot.taken", hosted: true, inputTokens: 0 } as const
    exchange = choice.reviewer.begin(request)
    return { type: "snapshot.taken", hosted: false, inputTokens: exchange.inputTokens } as const
  })

  const callModel = Effect.gen(function* () {
    answer = yield* exchange?.ask ?? Effect.die("the model was called before the snapshot was taken")
    return { type: "model.answered", calls: answer.calls.length, usage: answer.usage } as const
  })

  const runTools = Effect.gen(function* () {
    for (const [nth, call] of (answer?.calls ?? []).entries()) {
      if (nth >= callsAtOnce) {
        exchange?.answer(call, JSON.stringify({ ok: false, error: `Only ${callsAtOnce} calls are taken at once.` }))
        continue
      }
      // Uninterruptible: a write and its entry in `wrote` belong together. A stop comes between two calls.
      yield* dispatch(store, app, call).pipe(
        Effect.tap((dispatched) =>
          Effect.sync(() => {
            if (Option.isSome(dispatched.wrote)) wrote.push(dispatched.wrote.value)
            exchange?.answer(call, dispatched.output)
          })
        ),
        Effect.uninterruptible
      )
    }
    return { type: "tools.finished" } as const
  })

  const askHost = Effect.suspend(() =>
    choice._tag === "Host" && request !== undefined
      ? Effect.as(choice.review(request), { type: "host.finished" } as const)
      : Effect.die("there is no host to ask")
  )

  const interruptWork = Effect.suspend(() => (work === undefined ? Effect.void : Fiber.interrupt(work)))

  const perform = (command: ReviewCommand): Effect.Effect<unknown> => {
    switch (command.type) {
      case "takeSnapshot":
        return start(takeSnapshot, (reason) => ({ type: "snapshot.failed", reason }))
      case "callModel":
        return start(callModel, (reason) => ({ type: "model.failed", reason }))
      case "runTools":
        return start(runTools, (reason) => ({ type: "tools.failed", reason }))
      case "askHost":
        return start(askHost, (reason) => ({ type: "host.failed", reason }))
      case "stopWork":
        return Effect.andThen(interruptWork, post({ type: "work.stopped" })).pipe(Effect.forkIn(scope))
      default:
        return command satisfies never
    }
  }

  return {
    perform: (command) => Effect.asVoid(perform(command)),
    writes: () => wrote.slice(0, listedWrites),
    abandon: Effect.asVoid(Effect.forkIn(interruptWork, scope))
  }
}

/** A failure's sentence for a record and its readers: bounded, and without what looks like a secret. */
export const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  const message = error instanceof Error ? error.message : String(error)
  return clipped(redact(message), 500) || "It failed and did not say why."
}
