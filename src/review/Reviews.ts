/**
 * Background reviews: counts each settled turn of a session, and runs the review that is due after it.
 *
 * A session has one review at a time; those that are due meanwhile wait in its line, and are run after the next start where
 * Troupe ends before their turn, or by the node that has the session then. A review reads the conversation up to
 * the turn that made it due, beside the turns that come after, and writes memories and skills; it never changes or delays
 * the session, however it ends.
 */
import { Cause, Clock, Context, Deferred, Effect, Fiber, FiberMap, Layer, Option, Queue } from "effect"
import { newReviewId } from "../domain/Ids.ts"
import { defaultReviewBounds, reviewMachineWith } from "../../machines/review/machine.ts"
import * as CountTurn from "./countTurn.ts"
import type { SettledTurnOf } from "./countTurn.ts"
import type { StoreFailed } from "./ReviewStore.ts"
import type { AppName, SessionId } from "../domain/Ids.ts"
import { Unavailable } from "../domain/Refusal.ts"
import { defaultIntervals, noReviews } from "../domain/Review.ts"
import type { Memory, ReviewRecord, Skill } from "../domain/Review.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { noUsage } from "../domain/Turn.ts"
import type { Message } from "../domain/Turn.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { LedgerError } from "../ledger/LedgerError.ts"
import type { ReviewPatch } from "../ledger/Ledger.ts"
import { isFenced, unavailable } from "../runtime/errors.ts"
import * as LedgerReviewStore from "./LedgerReviewStore.ts"
import { chooseReviewer } from "./chooseReviewer.ts"
import type { ReviewOptions } from "./ReviewOptions.ts"
import * as OwedReviews from "./owedReviews.ts"
import { extended } from "./reviewLine.ts"
import type { WaitingReview } from "./reviewLine.ts"
import * as ReviewRun from "./ReviewRun.ts"
import { DrainState } from "../runtime/DrainState.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import type { Processes } from "../agent/Processes.ts"

export type { SettledTurnOf } from "./countTurn.ts"

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
    /**
     * The same for a turn that can be counted without a read, and with which no review is due whatever its text is. `null`: it
     * is for `turnSettled`.
     */
    readonly countNow: (session: SessionRecord, turn: Omit<SettledTurnOf, "finalText">) => Effect.Effect<void> | null
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
    options: ReviewOptions = { intervals: noReviews },
    environment: Readonly<Record<string, string | undefined>> = process.env
  ): Layer.Layer<Reviews, LedgerError, Ledger | RuntimeSettings | Processes> =>
    Layer.effect(Reviews, make(options, environment)).pipe(
      // The same as that of the sessions: both are built once.
      Layer.provide(ThisNode.layer),
      Layer.provide(DrainState.layer)
    )
}

const cancelWithin = "2 seconds"
const listedReviews = 200

/** How often a node looks for reviews of others that have died, and of sessions that it has now. */
const lookForDeadEvery = "10 seconds"
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
  const thisNode = yield* ThisNode
  const store = options.store ?? (yield* LedgerReviewStore.make)
  const scope = yield* Effect.scope
  const fibers = yield* FiberMap.make<SessionId>()
  const running = new Map<SessionId, RunningReview>()
  const lines = new Map<SessionId, ReadonlyArray<WaitingReview>>()
  let newest = 0
  const machine = reviewMachineWith({ ...defaultReviewBounds, ...options.bounds })
  const rules = { intervals: options.intervals ?? defaultIntervals, skillToolRegistered: options.skillTool ?? false }

  // Of its own earlier lives, too: this one has joined, and a node has one life at a time.
  const abandonDead = Effect.gen(function* () {
    const reason = "Troupe stopped while it ran."
    yield* ledger.write([{ _tag: "ReviewsAbandoned", at: yield* Clock.currentTimeMillis, reason }])
  }).pipe(Effect.catch((error) => Effect.logWarning("The reviews that a dead Troupe left open stay open", error)))
  yield* abandonDead

  const countTurn = yield* CountTurn.make(rules)

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
    const claim = yield* Effect.catchTag(thisNode.claim(session.id), "NewerSession", () => Effect.succeed(null))
    // It was deleted meanwhile, or a later version of Troupe has it.
    if (claim === null) return Effect.void
    yield* ledger.write([
      { _tag: "ClaimChecked", claim },
      { _tag: "ReviewsBegun", session: session.id, upToTurn: turn },
      { _tag: "ReviewStarted", record, owner: thisNode.token }
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

  const takeUp = (id: SessionId) =>
    Effect.flatMap(FiberMap.run(fibers, id, runLine(id, Effect.void)), (fiber) => Fiber.await(fiber))
  /** Returns what runs those that are owed and in no line here; they are in their lines when it returns. */
  const takeUpOwed = OwedReviews.read(thisNode.token).pipe(
    Effect.catch((error) =>
      Effect.as(Effect.logWarning("The reviews that are owed could not be read", error), new Map())
    ),
    Effect.map((owed) => {
      const taken = [...owed].filter(([id]) => !lines.has(id))
      for (const [id, line] of taken) lines.set(id, line)
      return Effect.forEach(taken, ([id]) => takeUp(id), { concurrency: owedAtOnce, discard: true })
    })
  )
  // Before any turn settles, so that what comes next waits behind them.
  yield* Effect.forkScoped(yield* takeUpOwed)
  if (!thisNode.isAlone) {
    const { draining } = yield* DrainState
    yield* Effect.suspend(() =>
      draining() ? Effect.void : Effect.andThen(abandonDead, Effect.flatten(takeUpOwed))
    ).pipe(Effect.delay(lookForDeadEvery), Effect.forever, Effect.forkScoped)
  }

  return Reviews.of({
    countNow: countTurn.countNow,
    turnSettled: Effect.fn("Reviews.turnSettled")(
      function* (session, turn, messages) {
        const due = yield* countTurn.count(session, turn)
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
  Effect.catchCause(effect, (cause) =>
    isAnothers(cause) ? Effect.void : Effect.logWarning("A turn could not be counted or reviewed", cause)
  )

/** Another node has the session, and runs what it owes; or it is begun already. */
const isAnothers = (cause: Cause.Cause<unknown>) =>
  isFenced(cause) ||
  Option.exists(
    Cause.findErrorOption(cause),
    (error) => error instanceof LedgerError && error.operation.startsWith("write ReviewsBegun")
  )

const storeAvailable = <A>(effect: Effect.Effect<A, StoreFailed>) =>
  Effect.mapError(effect, ({ cause, operation }) => new Unavailable({ operation, cause }))
