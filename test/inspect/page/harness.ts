/** Stored steps as production writes them, made by the session machine itself from a script of events. */
import { begin, decide } from "../../../machines/decide.ts"
import { sessionMachine } from "../../../machines/session/machine.ts"
import type { SessionEvent, SessionSnapshot } from "../../../machines/session/machine.ts"
import type { Step } from "../../../src/inspect/sessionContract.ts"
import { pathOf } from "../../../src/inspect/page/session/model/value.ts"

export const crash = { class: "crash", message: "The agent process ended with exit code 3.", stderr: "" } as const
export const start = 1_700_000_000

export const submitted = (turn: number): SessionEvent => ({
  type: "turn.submitted",
  turn,
  timeoutMillis: 600_000,
  queue: false,
  at: 0
})
export const ended = (turn: number): SessionEvent => ({
  type: "turn.ended",
  turn,
  stopReason: "end_turn",
  failure: null,
  at: 0
})
export const granted: SessionEvent = { type: "slot.granted" }
export const ready = (at: number): SessionEvent => ({ type: "process.ready", thread: "thread", at: at * 1000 })
export const exited = (at: number): SessionEvent => ({
  type: "process.exited",
  failure: crash,
  at: at * 1000,
  jitter: 0.5
})
export const gone: SessionEvent = { type: "process.gone" }
export const rang = (delay: string, state: string) =>
  ({ type: `xstate.after.${delay}.session.${state}` }) as unknown as SessionEvent

export type Script = ReadonlyArray<readonly [at: number, event: SessionEvent]>

/** Times are seconds after `start`. Throws where an event is refused, since no step of it would be stored. */
export const stored = (script: Script) => {
  let snapshot: SessionSnapshot = begin(sessionMachine, undefined).next
  const snapshots = [snapshot]
  const steps = script.map(([at, event], n): Step => {
    const { commands, handled, next } = decide(sessionMachine, snapshot, event)
    const from = pathOf(snapshot.value)
    if (!handled) throw new Error(`${event.type} is refused in ${from}`)
    snapshot = next
    snapshots.push(next)
    return {
      seq: n + 1,
      at: start + at,
      event: event as unknown as Step["event"],
      from,
      to: pathOf(next.value),
      commands: commands.map(({ type }) => type),
      wire: false
    }
  })
  return { steps, snapshots }
}

/** A turn with an approval, a death in the second turn, a backoff, and a third turn. */
export const eventful: Script = [
  [0, submitted(1)],
  [0.01, granted],
  [0.2, ready(start + 0.2)],
  [1, { type: "approval.asked", id: "a" }],
  [5, { type: "approval.settled", id: "a" }],
  [6, ended(1)],
  [10, submitted(2)],
  [11, exited(start + 11)],
  [11.1, gone],
  [11.4, rang("backoff", "idle.backingOff")],
  [11.4, granted],
  [11.6, ready(start + 11.6)],
  [60, submitted(3)],
  [61, ended(3)],
  [361, rang("hibernateAfter", "idle.awake")],
  [361.1, { ...exited(start + 361.1) }],
  [361.2, gone]
]

export const turns = (count: number): Script => [
  [0, submitted(1)],
  [0, granted],
  [0, ready(start)],
  [1, ended(1)],
  ...Array.from({ length: count - 1 }, (_, n): Script => [
    [n + 2, submitted(n + 2)],
    [n + 2.5, ended(n + 2)]
  ]).flat()
]
