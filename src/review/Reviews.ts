/**
 * Background reviews: counts each settled turn of a session, and runs the review that is due after it.
 *
 * A session has one review at a time; those that are due meanwhile wait in its line, and are run after the next start where
 * Troupe ends before their turn. A review reads the conversation up to
 * the turn that made it due, beside the turns that come after, and writes memories and skills; it never changes or delays
 * the session, however it ends.
 */
import { Clock, Context, Deferred, Effect, Fiber, FiberMap, Layer, Option, Queue } from "effect"
import { newReviewId } from "../domain/Ids.ts"
import { defaultReviewBounds, reviewMachineWith } from "../../machines/review/machine.ts"
import { count, noNudges, nudge } from "./nudges.ts"
import type { DueReview, NudgeCounters, SettledTurn } from "./nudges.ts"
import type { StoreFailed } from "./ReviewStore.ts"
import type { AppName, SessionId } from "../domain/Ids.ts"
import { Unavailable } from "../domain/Refusal.ts"
import { defaultIntervals } from "../domain/Review.ts"
import type { Memory, ReviewRecord, Skill } from "../domain/Review.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { noUsage } from "../domain/Turn.ts"
import type { Message, TurnRecord } from "../domain/Turn.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/LedgerError.ts"
import type { ReviewPatch } from "../ledger/Ledger.ts"
import { unavailable } from "../runtime/errors.ts"
import * as LedgerReviewStore from "./LedgerReviewStore.ts"
import { chooseReviewer } from "./chooseReviewer.ts"
import type { ReviewOptions } from "./ReviewOptions.ts"
import * as OwedReviews from "./owedReviews.ts"
import { extended } from "./reviewLine.ts"
import type { WaitingReview } from "./reviewLine.ts"
import * as ReviewRun from "./ReviewRun.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"

/** A turn whose outcome is stored. */
export interface SettledTurnOf extends SettledTurn {
  readonly index: number
  readonly kind: TurnRecord["kind"]
}

export class Reviews extends Context.Service<
  Reviews,
  {
    /**
     * To be called when a turn's outcome is stored. Counts the turn, durably and once however often it is called, and
     * starts a review where one is due; `messages` is then run for the conversation up to this turn. Never fails: a
     * failure is logged.
     */
    readonly turnSettled: (
      session: SessionRecord,
      turn: SettledTurnOf,
      messages: Effect.Effect<ReadonlyArray<Message>, unknown>
    ) => Effect.Effect<void>
    /** Cancels the session's reviews, and returns when the one that runs has ended, after 2 s at the latest. */
    readonly cancel: (session: SessionId, reason: string) => Effect.Effect<void>
    /** Newest first, at most 200. The caller has checked that the session is its own. */
    readonly of: (session: SessionId) => Effect.Effect<ReadonlyArray<ReviewRecord>, Unavailable>
    readonly memories: (app: AppName) => Effect.Effect<ReadonlyArray<Memory>, Unavailable>
    readonly skills: (app: AppName) => Effect.Effect<ReadonlyArray<Skill>, Unavailable>
  }
>()("troupe/review/Reviews") {
  /** `environment` is our own; the reviewer of a codex session gets those variables that its codex gets. */
  static readonly layer = (
    options: ReviewOptions = {},
    environment: Readonly<Record<string, string | undefined>> = process.env
  ): Layer.Layer<Reviews, never, Ledger | RuntimeSettings> => Layer.effect(Reviews, make(options, environment))
}

const cancelWithin = "2 seconds"
const listedReviews = 200
/** Uncounted turns that are read at once. */
const uncountedAtOnce = 256

/** Sessions whose reviews are run at once after a start. */
const owedAtOnce = 4

interface RunningReview {
  readonly mailbox: ReviewRun.ReviewMailbox
  readonly ended: Deferred.Deferred<void>
}

const make = Effect.fnUntraced(function* (
  options: ReviewOptions,
  environment: Readonly<Record<string, string | undefined>>
) {
  const ledger = yield* Ledger
  const settings = yield* RuntimeSettings
  const store = options.store ?? (yield* LedgerReviewStore.make)
  const scope = yield* Effect.scope
  const fibers = yield* FiberMap.make<SessionId>()
  const running = new Map<SessionId, RunningReview>()
  const lines = new Map<SessionId, ReadonlyArray<WaitingReview>>()
  let newest = 0
  const machine = reviewMachineWith({ ...defaultReviewBounds, ...options.bounds })
  const rules = { intervals: options.intervals ?? defaultIntervals, skillToolRegistered: options.skillTool ?? false }

  // Reviews that are still open belong to a Troupe that has died: a ledger has one, and this one has just started.
  const reason = "Troupe stopped while it ran."
  yield* ledger
    .write([{ _tag: "ReviewsAbandoned", at: yield* Clock.currentTimeMillis, reason }])
    .pipe(Effect.catch((error) => Effect.logWarning("The reviews that a dead Troupe left open stay open", error)))

  /** Counts a turn, and those before it that are settled and uncounted: Troupe may die between an outcome and its count. */
  const countTurn = Effect.fnUntraced(function* (session: SessionRecord, turn: SettledTurnOf) {
    const stored = Option.getOrUndefined(yield* ledger.nudgeCounters(session.id))
    let last = stored?.turn ?? 0
    let counters: NudgeCounters = stored ?? noNudges
    let due: DueReview | null = null
    const isNext = turn.index === last + 1 && session.turnCount <= turn.index
    for (const settled of isNext ? [turn] : yield* ledger.turns(session.id, last, uncountedAtOnce)) {
      if (settled.index !== turn.index && "endedAt" in settled && settled.endedAt === null) break
      last = settled.index
      if (settled.kind === "compact") continue
      if (settled.index !== turn.index) counters = count(counters, settled, rules)
      else ({ counters, due } = nudge(counters, turn, rules))
    }
    if (last === (stored?.turn ?? 0)) return null
    const { toolIterations, userTurns } = counters
    yield* ledger.write([
      { _tag: "NudgesCounted", nudges: { session: session.id, turn: last, userTurns, toolIterations } },
      ...(due === null
        ? []
        : [{ _tag: "ReviewOwed", review: { session: session.id, turn: turn.index, ...due } } as const])
    ])
    return due
  })

  const saveTo = (record: ReviewRecord, app: AppName) => (patch: ReviewPatch) => {
    const { id, session } = record
    const entry = { _tag: "ReviewPatched", id, patch } as const
    if (patch.ended === undefined) return ledger.writeLater([entry])
    const { at, ending, reason } = patch.ended
    const detail = { review: id, ending, reason, wrote: patch.wrote.length, total_tokens: patch.usage.totalTokens }
    return ledger
      .write([entry, { _tag: "Audited", record: { at, session, app, action: "review", actor: "troupe", detail } }])
      .pipe(Effect.catch((error) => Effect.logWarning(`The end of review ${id} could not be stored`, error)))
  }

  /** Stores that a review begins. From then on it can be cancelled. */
  const prepared = Effect.fnUntraced(function* (waiting: WaitingReview) {
    const { due, session, turn } = waiting
    const choice = chooseReviewer(options, settings, environment, session)
    const record: ReviewRecord = {
      id: newReviewId(),
      session: session.id,
      turn,
      ...due,
      mode: choice._tag === "Host" ? "host" : "codex_responses",
      model: choice._tag === "Reviewer" ? choice.reviewer.model : null,
      // No two have the same time: lists are ordered by it.
      startedAt: (newest = Math.max(yield* Clock.currentTimeMillis, newest + 1)),
      endedAt: null,
      ending: null,
      reason: null,
      iterations: 0,
      wrote: [],
      usage: noUsage
    }
    yield* ledger.write([
      { _tag: "ReviewsNotOwed", session: session.id, upToTurn: turn },
      { _tag: "ReviewStarted", record }
    ])
    const review: RunningReview = { mailbox: yield* ReviewRun.makeMailbox, ended: Deferred.makeUnsafe() }
    running.set(session.id, review)
    const task = { app: session.app, due, messages: waiting.messages, choice, store }
    return ReviewRun.run(machine, task, review.mailbox, saveTo(record, session.app), scope).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          running.delete(session.id)
          Deferred.doneUnsafe(review.ended, Effect.void)
        })
      ),
      Effect.withSpan("Reviews.run")
    )
  })

  /** Runs the session's reviews one after the other, until none waits. */
  const runLine = Effect.fnUntraced(function* (session: SessionId, first: Effect.Effect<void, LedgerError>) {
    yield* logFailure(first)
    while (true) {
      const [next, ...others] = lines.get(session) ?? []
      if (next === undefined) return lines.delete(session)
      lines.set(session, others)
      yield* logFailure(Effect.flatten(prepared(next)))
    }
  })

  const start = Effect.fnUntraced(function* (waiting: WaitingReview) {
    const { id } = waiting.session
    const line = lines.get(id)
    if (line !== undefined) return lines.set(id, extended(line, waiting))
    lines.set(id, [])
    // Where it can't be stored, those that came into the line meanwhile still have their turn.
    const first = yield* Effect.exit(prepared(waiting))
    yield* FiberMap.run(fibers, id, runLine(id, Effect.flatten(first)))
  })

  const cancel = Effect.fnUntraced(function* (session: SessionId, reason: string) {
    if (lines.has(session)) {
      lines.set(session, [])
      yield* ledger.writeLater([{ _tag: "ReviewsNotOwed", session, upToTurn: null }])
    }
    const review = running.get(session)
    if (review === undefined) return
    Queue.offerUnsafe(review.mailbox, { event: { type: "cancel.requested", reason } })
    yield* Deferred.await(review.ended).pipe(Effect.interruptible, Effect.timeoutOption(cancelWithin))
  })

  const owed = yield* OwedReviews.read.pipe(
    Effect.catch((error) =>
      Effect.as(Effect.logWarning("The reviews that are owed could not be read", error), new Map())
    )
  )
  // Before any turn settles, so that what comes next waits behind them.
  for (const [id, line] of owed) lines.set(id, line)
  const takeUp = (id: SessionId) =>
    Effect.flatMap(FiberMap.run(fibers, id, runLine(id, Effect.void)), (fiber) => Fiber.await(fiber))
  yield* Effect.forkScoped(Effect.forEach(owed.keys(), takeUp, { concurrency: owedAtOnce, discard: true }))

  return Reviews.of({
    turnSettled: Effect.fn("Reviews.turnSettled")(
      function* (session, turn, messages) {
        const due = yield* countTurn(session, turn)
        if (due !== null) yield* start({ session, turn: turn.index, due, messages })
      },
      logFailure,
      // Once its counter is reset the review must begin, also where the session's actor is unloaded meanwhile.
      Effect.uninterruptible
    ),
    cancel: Effect.fn("Reviews.cancel")(cancel),
    of: (session) => unavailable(ledger.reviews(session, listedReviews)),
    memories: (app) => storeAvailable(store.memories(app)),
    skills: (app) => storeAvailable(store.skills(app))
  })
})

/** A failure must not reach the session. */
const logFailure = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.catchCause(effect, (cause) => Effect.logWarning("A turn could not be counted or reviewed", cause))

const storeAvailable = <A>(effect: Effect.Effect<A, StoreFailed>) =>
  Effect.mapError(effect, ({ cause, operation }) => new Unavailable({ operation, cause }))
