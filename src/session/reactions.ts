/** What the rest of the runtime learns of a committed step: those who follow it, process slots, and reviews. */
import { Effect, Queue } from "effect"
import { FleetCounts } from "../runtime/FleetCounts.ts"
import * as Metrics from "../runtime/Metrics.ts"
import { News } from "../runtime/News.ts"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import * as OnTurnSettled from "../review/onTurnSettled.ts"
import { Reviews } from "../review/Reviews.ts"
import type { CommittedStep } from "./commit.ts"
import type { Session } from "./Session.ts"
import type { SessionHandle } from "./SessionHandle.ts"
import type { SessionTimers } from "./SessionTimers.ts"
import type { TurnWatch } from "./TurnWatch.ts"

/** Runs after the commit, before the next envelope is taken. It must not wait for anything slow. */
export type Reaction = (committed: CommittedStep) => Effect.Effect<void> | void

export const tellNews = (session: Session, timers: SessionTimers) =>
  Effect.map(
    News,
    (news): Reaction =>
      ({ after, approvals, at, before, characters, decision, event, events, record, seq, settled }) =>
        news.tell({
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
              since: session.since,
              next: timers.next(),
              newApproval: approvals.asked
            }
          }
        })
  )

/** An idle process may be asked to make room for another session, and one that retires gives its slot back soon. */
export const useSlots = ({ id, mailbox }: SessionHandle) =>
  Effect.map(ProcessSlots, (slots): Reaction => {
    const event = { type: "hibernate.requested", reason: "another session needs its place" } as const
    const hibernate = () => void Queue.offerUnsafe(mailbox, { event, by: "troupe" })
    return ({ before, decision: { next } }) => {
      if (next.hasTag("evictable")) slots.idle(id, hibernate)
      else if (next.hasTag("retiring")) slots.retiring(id)
      else if (before.hasTag("evictable")) slots.busy(id)
    }
  })

/** A process is restarted some time after the one before it died. */
export const countProcesses = Effect.map(FleetCounts, (fleet): Reaction => {
  let diedOf = "unknown"
  return ({ contextLost, notices, record: { agent, app } }) => {
    const counts: Array<Effect.Effect<void>> = []
    for (const notice of notices) {
      if (notice._tag === "ProcessDied") {
        diedOf = notice.class
        counts.push(Metrics.processDied(agent, diedOf))
        fleet.add(app, agent, { deaths: { [diedOf]: 1 } })
      }
      if (notice._tag === "ProcessRestarted") {
        counts.push(Metrics.processRestarted(agent, diedOf))
        fleet.add(app, agent, { restarts: 1 })
      }
    }
    if (contextLost !== null) counts.push(Metrics.contextLost(agent))
    return counts.length === 0 ? undefined : Effect.all(counts, { discard: true })
  }
})

/**
 * In the order in which turns settled. In the background where it takes more than to count one: a review that is due must not
 * delay the mailbox.
 */
export const reviewTurns = Effect.fnUntraced(function* (turnWatch: TurnWatch) {
  const onTurnSettled = yield* OnTurnSettled.make
  const scope = yield* Effect.scope
  const reaction: Reaction = ({ compaction, record, settled }) => {
    const [first] = settled
    if (first === undefined) return
    // By what is so now: the session goes on meanwhile.
    const counted = ({ status, turn: index }: typeof first) =>
      [
        record,
        { index, kind: index === compaction ? ("compact" as const) : ("prompt" as const), status },
        turnWatch.toolIterations(index)
      ] as const
    const now = settled.length === 1 ? onTurnSettled.countNow(...counted(first)) : null
    if (now !== null) return now
    const counts = settled.map((each) => onTurnSettled.count(...counted(each)))
    return Effect.asVoid(Effect.forkIn(Effect.all(counts, { discard: true }), scope))
  }
  return reaction
})

/** Starts immediately: otherwise this actor has ended before the review learns of it. */
export const cancelReviewWhenClosed = Effect.gen(function* () {
  const reviews = yield* Reviews
  const scope = yield* Effect.scope
  const reaction: Reaction = ({ decision, record }) => {
    if (decision.next.status !== "done") return
    const cancel = reviews.cancel(record.id, "The session was closed.")
    return Effect.asVoid(Effect.forkIn(cancel, scope, { startImmediately: true }))
  }
  return reaction
})
