/** What the rest of the runtime learns of a committed step: those who follow it, process slots, and reviews. */
import { Effect, Queue } from "effect"
import type { Scope } from "effect"
import type { FleetCounts } from "../runtime/FleetCounts.ts"
import * as Metrics from "../runtime/Metrics.ts"
import type { News } from "../runtime/News.ts"
import type { ProcessSlots } from "../runtime/ProcessSlots.ts"
import type { OnTurnSettled } from "../review/OnTurnSettled.ts"
import type { Reviews } from "../review/Reviews.ts"
import type { CommittedStep } from "./commit.ts"
import type { Session } from "./Session.ts"
import type { SessionHandle } from "./SessionHandle.ts"
import type { SessionTimers } from "./SessionTimers.ts"
import type { TurnWatch } from "./TurnWatch.ts"

/** What follows a step. Classes: each session has one of each, and what they do is the same for all sessions. */
export interface Reacting {
  /** Runs after the commit, before the next envelope is taken. It must not wait for anything slow. */
  readonly react: (committed: CommittedStep) => Effect.Effect<void> | void
}

export class TellNews implements Reacting {
  readonly #news: News["Service"]
  readonly #session: Session
  readonly #timers: SessionTimers

  constructor(news: News["Service"], session: Session, timers: SessionTimers) {
    this.#news = news
    this.#session = session
    this.#timers = timers
  }

  react(committed: CommittedStep): void {
    const { after, approvals, at, before, characters, decision, ended, event, events, record, seq, settled } = committed
    this.#news.tell({
      session: record.id,
      step: seq,
      event: events.at(-1)?.seq ?? after,
      stepped: true,
      settled: settled.map(({ turn }) => turn),
      closed: decision.next.status === "done",
      stored: {
        events,
        characters,
        step: {
          record,
          seq,
          at,
          event,
          before,
          snapshot: decision.next,
          since: this.#session.since,
          next: this.#timers.next(),
          newApproval: approvals.asked,
          ended
        }
      }
    })
  }
}

const hibernateRequested = { type: "hibernate.requested", reason: "another session needs its place" } as const

/** An idle process may be asked to make room for another session, and one that retires gives its slot back soon. */
export class UseSlots implements Reacting {
  readonly #slots: ProcessSlots["Service"]
  readonly #handle: SessionHandle

  constructor(slots: ProcessSlots["Service"], handle: SessionHandle) {
    this.#slots = slots
    this.#handle = handle
  }

  react({ before, decision: { next } }: CommittedStep): void {
    const { id, mailbox } = this.#handle
    if (next.hasTag("evictable")) {
      this.#slots.idle(id, () => void Queue.offerUnsafe(mailbox, { event: hibernateRequested, by: "troupe" }))
    } else if (next.hasTag("retiring")) this.#slots.retiring(id)
    else if (before.hasTag("evictable")) this.#slots.busy(id)
  }
}

/** A process is restarted some time after the one before it died. */
export class CountProcesses implements Reacting {
  readonly #fleet: (typeof FleetCounts)["Service"]
  #diedOf = "unknown"

  constructor(fleet: (typeof FleetCounts)["Service"]) {
    this.#fleet = fleet
  }

  react({ contextLost, notices, record: { agent, app } }: CommittedStep): Effect.Effect<void> | void {
    const counts: Array<Effect.Effect<void>> = []
    for (const notice of notices) {
      if (notice._tag === "ProcessDied") {
        this.#diedOf = notice.class
        counts.push(Metrics.processDied(agent, notice.class))
        this.#fleet.add(app, agent, { deaths: { [notice.class]: 1 } })
      }
      if (notice._tag === "ProcessRestarted") {
        counts.push(Metrics.processRestarted(agent, this.#diedOf))
        this.#fleet.add(app, agent, { restarts: 1 })
      }
    }
    if (contextLost !== null) counts.push(Metrics.contextLost(agent))
    return counts.length === 0 ? undefined : Effect.all(counts, { discard: true })
  }
}

/**
 * In the order in which turns settled. In the background where it takes more than to count one: a review that is due must not
 * delay the mailbox.
 */
export class ReviewTurns implements Reacting {
  readonly #onTurnSettled: OnTurnSettled
  readonly #turnWatch: TurnWatch
  readonly #scope: Scope.Scope

  constructor(onTurnSettled: OnTurnSettled, turnWatch: TurnWatch, scope: Scope.Scope) {
    this.#onTurnSettled = onTurnSettled
    this.#turnWatch = turnWatch
    this.#scope = scope
  }

  react({ compaction, record, settled }: CommittedStep): Effect.Effect<void> | void {
    const [first] = settled
    if (first === undefined) return
    // By what is so now: the session goes on meanwhile.
    const counted = ({ status, turn: index }: typeof first) =>
      [
        record,
        { index, kind: index === compaction ? ("compact" as const) : ("prompt" as const), status },
        this.#turnWatch.toolIterations(index)
      ] as const
    const now = settled.length === 1 ? this.#onTurnSettled.countNow(...counted(first)) : null
    if (now !== null) return now
    const counts = settled.map((each) => this.#onTurnSettled.count(...counted(each)))
    return Effect.asVoid(Effect.forkIn(Effect.all(counts, { discard: true }), this.#scope))
  }
}

/** Starts immediately: otherwise this actor has ended before the review learns of it. */
export class CancelReviewWhenClosed implements Reacting {
  readonly #reviews: Reviews["Service"]
  readonly #scope: Scope.Scope

  constructor(reviews: Reviews["Service"], scope: Scope.Scope) {
    this.#reviews = reviews
    this.#scope = scope
  }

  react({ decision, record }: CommittedStep): Effect.Effect<void> | void {
    if (decision.next.status !== "done") return
    const cancel = this.#reviews.cancel(record.id, "The session was closed.")
    return Effect.asVoid(Effect.forkIn(cancel, this.#scope, { startImmediately: true }))
  }
}
