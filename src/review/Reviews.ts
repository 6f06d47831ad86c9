/**
 * Nudges and background reviews: counts each settled turn, and runs the review that is due as a child of its session.
 *
 * A session has one review at a time, in the slot that goes by its id. A review looks at a snapshot and writes memories
 * and skills; it never touches the session, whatever becomes of it, and a live turn never waits more than 2 s for it.
 */
import { Clock, Context, Deferred, Effect, FiberMap, Layer, Option, Queue } from "effect"
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
import type { ReviewPatch } from "../ledger/Ledger.ts"
import { unavailable } from "../runtime/errors.ts"
import * as LearnedStore from "./LedgerReviewStore.ts"
import { chooseReviewer } from "./chooseReviewer.ts"
import type { ReviewOptions } from "./ReviewOptions.ts"
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
     * To be called once a turn's outcome is stored. Counts it, durably and once however often it is called, and starts
     * a review where one is due; `messages` is then asked for the whole conversation. Where the session is not `quiet`,
     * because its next turn has begun, what is due waits for that one's end. Never fails: the log tells.
     */
    readonly turnSettled: (
      session: SessionRecord,
      turn: SettledTurnOf,
      messages: Effect.Effect<ReadonlyArray<Message>, unknown>,
      quiet?: () => boolean
    ) => Effect.Effect<void>
    /** Returns when the session's review has ended, where one runs, at the latest after 2 s. */
    readonly cancel: (session: SessionId, reason: string) => Effect.Effect<void>
    /** Newest first, at most 200. Whose session it is, is for the caller to have asked. */
    readonly of: (session: SessionId) => Effect.Effect<ReadonlyArray<ReviewRecord>, Unavailable>
    readonly memories: (app: AppName) => Effect.Effect<ReadonlyArray<Memory>, Unavailable>
    readonly skills: (app: AppName) => Effect.Effect<ReadonlyArray<Skill>, Unavailable>
  }
>()("troupe/review/Reviews") {
  /** `from` is our own environment, of which a codex session's reviewer gets what its codex gets. */
  static readonly layer = (
    options: ReviewOptions = {},
    from: Readonly<Record<string, string | undefined>> = process.env
  ): Layer.Layer<Reviews, never, Ledger | RuntimeSettings> => Layer.effect(Reviews, make(options, from))
}

const cancelWithin = "2 seconds"
const shownReviews = 200
/** Turns that are caught up with in one read. */
const missedAtOnce = 256

interface Running {
  readonly letters: ReviewRun.ReviewMailbox
  readonly ended: Deferred.Deferred<void>
}

const make = Effect.fnUntraced(function* (options: ReviewOptions, from: Readonly<Record<string, string | undefined>>) {
  const ledger = yield* Ledger
  const settings = yield* RuntimeSettings
  const store = options.store ?? (yield* LearnedStore.make)
  const workshop = yield* Effect.scope
  const fibers = yield* FiberMap.make<SessionId>()
  const running = new Map<SessionId, Running>()
  const machine = reviewMachineWith({ ...defaultReviewBounds, ...options.bounds })
  const rules = { intervals: options.intervals ?? defaultIntervals, skillToolRegistered: options.skillTool ?? false }

  // Whoever ran those that are still open is dead: there is one Troupe on a ledger, and it has just begun.
  const reason = "Troupe stopped while it ran."
  yield* ledger
    .write([{ _tag: "ReviewsAbandoned", at: yield* Clock.currentTimeMillis, reason }])
    .pipe(Effect.catch((error) => Effect.logWarning("The reviews that a dead Troupe left open stay open", error)))

  /** Counts a turn and all that settled around it unseen, as when Troupe died between an outcome and its count. */
  const tick = Effect.fnUntraced(function* (session: SessionRecord, turn: SettledTurnOf, quiet: () => boolean) {
    const stored = Option.getOrUndefined(yield* ledger.nudgeCounters(session.id))
    let last = stored?.turn ?? 0
    let counters: NudgeCounters = stored ?? noNudges
    let due: DueReview | null = null
    const alone = turn.index === last + 1 && session.turnCount <= turn.index
    const others = alone ? [] : yield* ledger.turns(session.id, last, missedAtOnce)
    for (const settled of alone ? [turn] : others) {
      if (settled.index !== turn.index && "endedAt" in settled && settled.endedAt === null) break
      last = settled.index
      if (settled.kind === "compact") continue
      if (settled.index !== turn.index || !quiet()) counters = count(counters, settled, rules)
      else ({ counters, due } = nudge(counters, turn, rules))
    }
    if (last === (stored?.turn ?? 0)) return null
    const { toolIterations, userTurns } = counters
    yield* ledger.write([
      { _tag: "NudgesCounted", nudges: { session: session.id, turn: last, userTurns, toolIterations } }
    ])
    return due
  })

  const keep = (record: ReviewRecord, app: AppName) => (patch: ReviewPatch) => {
    const { id, session } = record
    const entry = { _tag: "ReviewPatched", id, patch } as const
    if (patch.ended === undefined) return ledger.writeLater([entry])
    const { at, ending, reason } = patch.ended
    const detail = { review: id, ending, reason, wrote: patch.wrote.length, total_tokens: patch.usage.totalTokens }
    return ledger
      .write([entry, { _tag: "Audited", record: { at, session, app, action: "review", actor: "troupe", detail } }])
      .pipe(Effect.catch((error) => Effect.logWarning(`The end of review ${id} could not be stored`, error)))
  }

  const start = Effect.fnUntraced(function* (
    session: SessionRecord,
    turn: number,
    due: DueReview,
    messages: Effect.Effect<ReadonlyArray<Message>, unknown>,
    quiet: () => boolean
  ) {
    yield* cancel(session.id, "The next review of the session is due.")
    const by = chooseReviewer(options, settings, from, session)
    const record: ReviewRecord = {
      id: newReviewId(),
      session: session.id,
      turn,
      ...due,
      mode: by._tag === "Host" ? "host" : "codex_responses",
      model: by._tag === "Reviewer" ? by.reviewer.model : null,
      startedAt: yield* Clock.currentTimeMillis,
      endedAt: null,
      ending: null,
      reason: null,
      iterations: 0,
      wrote: [],
      usage: noUsage
    }
    yield* ledger.write([{ _tag: "ReviewStarted", record }])
    const mailbox = yield* ReviewRun.makeMailbox
    const here: Running = { letters: mailbox, ended: Deferred.makeUnsafe() }
    running.set(session.id, here)
    // A turn that began while this was written has looked for a review before there was one.
    if (!quiet()) Queue.offerUnsafe(mailbox, { event: { type: "cancel.requested", reason: "A turn began." } })
    const job = { machine, app: session.app, due, messages, by, store, keep: keep(record, session.app) }
    yield* ReviewRun.run(job, mailbox, workshop).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          if (running.get(session.id) === here) running.delete(session.id)
          Deferred.doneUnsafe(here.ended, Effect.void)
        })
      ),
      Effect.withSpan("Reviews.run"),
      FiberMap.run(fibers, session.id)
    )
  })

  const cancel = Effect.fnUntraced(function* (session: SessionId, reason: string) {
    const here = running.get(session)
    if (here === undefined) return
    Queue.offerUnsafe(here.letters, { event: { type: "cancel.requested", reason } })
    yield* Deferred.await(here.ended).pipe(Effect.interruptible, Effect.timeoutOption(cancelWithin))
  })

  return Reviews.of({
    turnSettled: Effect.fn("Reviews.turnSettled")(
      function* (session, turn, messages, quiet = () => true) {
        const due = yield* tick(session, turn, quiet)
        if (due !== null) yield* start(session, turn.index, due, messages, quiet)
      },
      noted,
      // Once its counter is 0 again the review must begin, also where the caller falls asleep meanwhile.
      Effect.uninterruptible
    ),
    cancel: Effect.fn("Reviews.cancel")(cancel),
    of: (session) => unavailable(ledger.reviews(session, shownReviews)),
    memories: (app) => told(store.memories(app)),
    skills: (app) => told(store.skills(app))
  })
})

/** What goes wrong here must not reach the session. */
const noted = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.catchCause(effect, (cause) => Effect.logWarning("A turn could not be counted or reviewed", cause))

const told = <A>(effect: Effect.Effect<A, StoreFailed>) =>
  Effect.mapError(effect, ({ cause, operation }) => new Unavailable({ operation, cause }))
