/** What the session machine is walked with: every event worth trying, and when two of its snapshots are the same. */
import { sessionMachine } from "../../machines/session/machine.ts"
import type { SessionEvent, SessionSnapshot } from "../../machines/session/machine.ts"
import { timersOf } from "./chart.ts"

export const crash = { class: "crash", message: "it died" } as const
const died = { failure: crash, at: 1_000, jitter: 0.5 }

/** Every event worth trying, plus the timers that the machine declares about itself. */
export const events = [
  { type: "turn.submitted", turn: 1, timeoutMillis: 600_000, queue: false, at: 0 },
  { type: "turn.submitted", turn: 2, timeoutMillis: 600_000, queue: true, at: 0 },
  { type: "turn.ended", turn: 1, stopReason: "end_turn", failure: null, at: 0 },
  { type: "turn.ended", turn: 1, stopReason: "cancelled", failure: null, at: 0 },
  { type: "turn.ended", turn: 1, stopReason: "error", failure: { class: "model", message: "HTTP 500" }, at: 0 },
  { type: "turn.ended", turn: 1, stopReason: "error", failure: { class: "auth", message: "log in" }, at: 0 },
  { type: "turn.ended", turn: 1, stopReason: "error", failure: { class: "crash", message: "it died" }, at: 0 },
  { type: "turn.ended", turn: 7, stopReason: "end_turn", failure: null, at: 0 },
  { type: "turn.ended", turn: 1, stopReason: "error", failure: { class: "quota", message: "used up" }, at: 0 },
  {
    type: "turn.ended",
    turn: 1,
    stopReason: "end_turn",
    failure: null,
    at: 0,
    said: { aborted: true, answered: false }
  },
  { type: "turn.answered", turn: 1 },
  { type: "turn.aborted", turn: 1 },
  { type: "interrupt.requested", reason: "asked for" },
  { type: "interrupt.requested", reason: "asked for", turn: 1 },
  { type: "interrupt.requested", reason: "asked for", turn: 2 },
  { type: "approval.asked", id: "a" },
  { type: "approval.asked", id: "b" },
  { type: "approval.settled", id: "a" },
  { type: "approval.settled", id: "b" },
  { type: "agent.quiet" },
  { type: "agent.quiet", said: { aborted: true, answered: false } },
  { type: "agent.quiet", said: { aborted: false, answered: true } },
  { type: "slot.granted" },
  { type: "slot.refused", reason: "draining" },
  { type: "slot.refused", reason: "no process is free", urgent: false },
  { type: "process.ready", thread: "t", at: 500 },
  { type: "process.failed", ...died },
  { type: "process.failed", failure: { class: "auth", message: "log in" }, at: 1_000, jitter: 0 },
  { type: "process.exited", ...died },
  { type: "process.gone" },
  { type: "limit.exceeded", generation: 1, limit: "rss", failure: { class: "limit", message: "too much" } },
  { type: "process.lost", failure: { class: "outcome_unknown", message: "Troupe died" } },
  { type: "process.lost", claimed: true },
  { type: "process.lost", claimed: false },
  { type: "hibernate.requested", reason: "pool" },
  { type: "close.requested", reason: "asked for" },
  { type: "expire.requested", reason: "ttl" },
  { type: "unpark.requested" },
  { type: "settings.changed", settings: { permissions: "ask" } },
  { type: "agent.chosen", agent: "other", settings: { model: null } },
  ...timersOf(sessionMachine),
  // What the agent has said by the turn's deadline comes with it.
  ...[true, false].map((aborted) => ({
    type: "xstate.after.turnWithin.session.turning",
    said: { aborted, answered: !aborted }
  }))
] as ReadonlyArray<SessionEvent>

/** Two snapshots are the same where no arrow could tell them apart. */
export const gist = ({ context, value }: SessionSnapshot) =>
  JSON.stringify([
    value,
    context.turn === 0,
    context.process,
    context.stale,
    context.closing,
    context.crashed,
    Math.min(context.queue.length, 1),
    context.approvals.length > 1 ? 2 : context.approvals.length,
    context.restarts.exits.length,
    context.limit.pauseMillis > 0
  ])
