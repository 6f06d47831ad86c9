/**
 * Runs one review: takes a letter, decides, performs; until its machine has come to an end.
 *
 * Whatever goes wrong in it is an event of its own and ends it, and touches nothing else. What it wrote and used is in
 * its record as it happens, so that a death of Troupe loses the ending and no more.
 */
import { Cause, Clock, Effect, Exit, Fiber, Option, Queue } from "effect"
import type { Scope } from "effect"
import { begin, decide } from "../../machines/decide.ts"
import type { Decision, Timer } from "../../machines/decide.ts"
import type { ReviewCommand, ReviewEvent, ReviewMachine } from "../../machines/review/machine.ts"
import { redact } from "../agent/redact.ts"
import { clipped } from "../domain/boundedJson.ts"
import type { DueReview } from "./nudges.ts"
import type { Exchange, ModelAnswer, Reviewer } from "./Reviewer.ts"
import { requestOf } from "./ReviewRequest.ts"
import type { ReviewRequest } from "./ReviewRequest.ts"
import type { ReviewStore } from "./ReviewStore.ts"
import { dispatch } from "./ReviewTools.ts"
import type { AppName } from "../domain/Ids.ts"
import type { ReviewWrite } from "../domain/Review.ts"
import type { Message } from "../domain/Turn.ts"
import type { ReviewPatch } from "../ledger/Ledger.ts"

/** Who reviews: the host, our reviewer, or nobody, and why. */
export type ReviewerChoice =
  | { readonly _tag: "Host"; readonly review: (request: ReviewRequest) => Effect.Effect<unknown, unknown> }
  | { readonly _tag: "Reviewer"; readonly reviewer: Reviewer }
  | { readonly _tag: "Nobody"; readonly reason: string }

export interface Job {
  readonly machine: ReviewMachine
  readonly app: AppName
  readonly due: DueReview
  readonly messages: Effect.Effect<ReadonlyArray<Message>, unknown>
  readonly by: ReviewerChoice
  readonly store: ReviewStore
  /** Must not fail, nor take longer than a write does. */
  readonly keep: (progress: ReviewPatch) => Effect.Effect<void>
}

export interface ReviewEnvelope {
  readonly event: ReviewEvent
  /** Set by a timer: which arming of it rang. */
  readonly timer?: Timer
}

export type ReviewMailbox = Queue.Queue<ReviewEnvelope>

const mailboxCapacity = 64
export const makeMailbox: Effect.Effect<ReviewMailbox> = Queue.bounded<ReviewEnvelope>(mailboxCapacity)

/** Calls of one answer that are carried out, and writes that a record lists. */
const callsAtOnce = 32
const listedWrites = 256

/**
 * `workshop` is where its work is forked: work that will not stop keeps nobody waiting here, and ends with that scope.
 */
export const run = Effect.fnUntraced(function* (job: Job, mailbox: ReviewMailbox, workshop: Scope.Scope) {
  const { app, by, due, machine, store } = job
  const wrote: Array<ReviewWrite> = []
  const timers = new Map<string, { readonly timer: Timer; readonly fiber: Fiber.Fiber<unknown> }>()
  let work: Fiber.Fiber<unknown> | undefined
  let request: ReviewRequest | undefined
  let exchange: Exchange | undefined
  let answer: ModelAnswer | undefined
  let { next: snapshot, ...first } = begin(machine, undefined)

  const tell = (event: ReviewEvent) => Queue.offer(mailbox, { event })
  const progress = (): ReviewPatch => {
    const { iterations, usage } = snapshot.context
    return { iterations, usage, wrote: wrote.slice(0, listedWrites) }
  }

  /** The work of a command in a fiber of its own, and what it comes to as an event; nothing, where it was stopped. */
  const start = (effect: Effect.Effect<ReviewEvent, unknown>, failed: (reason: string) => ReviewEvent) =>
    effect.pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.interrupt : Effect.succeed(failed(reasonOf(cause)))
      ),
      Effect.flatMap(tell),
      Effect.forkIn(workshop),
      Effect.map((fiber) => {
        work = fiber
      })
    )

  const prepare = Effect.gen(function* () {
    if (by._tag === "Nobody") return { type: "snapshot.failed", reason: by.reason } as const
    request = requestOf(yield* job.messages, due)
    if (by._tag === "Host") return { type: "snapshot.taken", hosted: true, inputTokens: 0 } as const
    exchange = by.reviewer.begin(request)
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
      // A write and the note of it are one: a stop comes between two calls, never within one.
      yield* dispatch(store, app, call).pipe(
        Effect.tap((done) =>
          Effect.sync(() => {
            if (Option.isSome(done.wrote)) wrote.push(done.wrote.value)
            exchange?.answer(call, done.output)
          })
        ),
        Effect.uninterruptible
      )
    }
    return { type: "tools.finished" } as const
  })

  const askHost = Effect.suspend(() =>
    by._tag === "Host" && request !== undefined
      ? Effect.as(by.review(request), { type: "host.finished" } as const)
      : Effect.die("there is no host to ask")
  )

  const stop = Effect.suspend(() => (work === undefined ? Effect.void : Fiber.interrupt(work))).pipe(
    Effect.andThen(tell({ type: "work.stopped" })),
    Effect.forkIn(workshop)
  )

  const perform = (command: ReviewCommand): Effect.Effect<unknown> => {
    switch (command.type) {
      case "takeSnapshot":
        return start(prepare, (reason) => ({ type: "snapshot.failed", reason }))
      case "callModel":
        return start(callModel, (reason) => ({ type: "model.failed", reason }))
      case "runTools":
        return start(runTools, (reason) => ({ type: "tools.failed", reason }))
      case "askHost":
        return start(askHost, (reason) => ({ type: "host.failed", reason }))
      case "stopWork":
        return stop
      default:
        return command satisfies never
    }
  }

  const disarm = (id: string) => {
    const armed = timers.get(id)
    timers.delete(id)
    return armed === undefined ? Effect.void : Fiber.interrupt(armed.fiber)
  }

  const carryOut = Effect.fnUntraced(function* ({
    arm,
    cancel,
    commands
  }: Omit<Decision<ReviewMachine>, "next" | "handled">) {
    yield* Effect.forEach(cancel, disarm, { discard: true })
    for (const timer of arm) {
      const ring = Queue.offer(mailbox, { event: timer.event as ReviewEvent, timer })
      const fiber = yield* Effect.forkChild(Effect.andThen(Effect.sleep(timer.delayMillis), ring))
      timers.set(timer.id, { timer, fiber })
    }
    yield* Effect.forEach(commands, perform, { discard: true })
  })

  const loop = Effect.gen(function* () {
    yield* carryOut(first)
    while (snapshot.status === "active") {
      const { event, timer } = yield* Queue.take(mailbox)
      // A timer that was disarmed while its letter lay in the box is not heard.
      if (timer !== undefined && timers.get(timer.id)?.timer !== timer) continue
      const decision = decide(machine, snapshot, event)
      if (!decision.handled) continue
      snapshot = decision.next
      yield* carryOut(decision)
      if (snapshot.status === "active") yield* job.keep(progress())
    }
  })

  const end = Effect.fnUntraced(function* (exit: Exit.Exit<void>) {
    const at = yield* Clock.currentTimeMillis
    const { ending, reason } = snapshot.context
    if (Exit.isSuccess(exit)) {
      return yield* job.keep({ ...progress(), ended: { at, ending, reason: reason === "" ? null : reason } })
    }
    const cancelled = Cause.hasInterruptsOnly(exit.cause)
    yield* job.keep({
      ...progress(),
      ended: cancelled
        ? { at, ending: "cancelled", reason: "Troupe was shutting down." }
        : { at, ending: "failed", reason: reasonOf(exit.cause) }
    })
    if (work !== undefined) yield* Effect.forkIn(Fiber.interrupt(work), workshop)
  })
  yield* Effect.onExit(loop, end)
})

/** For a record and its readers: bounded, and without what looks like a secret. */
const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  const message = error instanceof Error ? error.message : String(error)
  return clipped(redact(message), 500) || "It failed and did not say why."
}
