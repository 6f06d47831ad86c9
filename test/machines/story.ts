/** Events in a row, as a test tells them to the session machine. */
import { begin, decide } from "../../machines/decide.ts"
import { sessionMachine } from "../../machines/session/machine.ts"
import type { SessionEvent, SessionSnapshot } from "../../machines/session/machine.ts"

export { stateName as nameOf } from "../../machines/session/stateInfo.ts"

export const fresh = begin(sessionMachine, undefined).next

export const run = (snapshot: SessionSnapshot, ...events: ReadonlyArray<SessionEvent>): SessionSnapshot =>
  events.reduce((now, event) => decide(sessionMachine, now, event).next, snapshot)

/** Asks to wait in line. */
export const submit = (turn: number, timeoutMillis = 600_000, at = 0, queue = true): SessionEvent => ({
  type: "turn.submitted",
  turn,
  timeoutMillis,
  queue,
  at
})

export const granted: SessionEvent = { type: "slot.granted" }
export const ready = (thread = "t"): SessionEvent => ({ type: "process.ready", thread, at: 0 })
export const exited: SessionEvent = {
  type: "process.exited",
  failure: { class: "crash", message: "it died" },
  at: 0,
  jitter: 0
}
export const gone: SessionEvent = { type: "process.gone" }
export const endedWell = (turn: number): SessionEvent => ({
  type: "turn.ended",
  turn,
  stopReason: "end_turn",
  failure: null,
  at: 0
})
