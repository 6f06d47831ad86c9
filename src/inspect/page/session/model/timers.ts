/** All timers that a session ever had, read off its steps: armed, and then fired or disarmed. */
import type { Detail } from "../../../sessionContract.ts"
import { eventName } from "../../../chart/eventName.ts"
import type { Replayed } from "./replay.ts"

export interface TimerSpan {
  /** The delay's name, such as `hibernateAfter`. */
  readonly name: string
  readonly armedAt: number
  readonly dueAt: number
  /** `null` while it runs. */
  readonly endedAt: number | null
  readonly rang: boolean
}

/** `xstate.after.backoff.session.idle.backingOff` is `after backoff`; other events have their own names. */
export const timerName = (event: string): string => eventName(event)

/** Its supervisor had died: Troupe itself was started again, or another node took the session over. */
export const isRestart = ({ event }: { readonly event: { readonly type: string } }): boolean =>
  event.type === "process.lost"

export const troupeEnded = "Troupe ended, and the session's process with it; it was started again"

const delayOf = (event: string): string => eventName(event).replace(/^after /, "")

/** `armed` has the deadlines of those that run now: after a restart they are the ledger's, not ours. */
export const timerSpans = (steps: ReadonlyArray<Replayed>, armed: Detail["timers"]): ReadonlyArray<TimerSpan> => {
  const open = new Map<string, TimerSpan>()
  const spans: Array<TimerSpan> = []
  const end = (id: string, endedAt: number, rang: boolean) => {
    const span = open.get(id)
    if (span === undefined) return
    open.delete(id)
    spans.push({ ...span, endedAt, rang })
  }
  for (const { arm, cancel, step } of steps) {
    end(step.event.type, step.at, true)
    for (const id of cancel) end(id, step.at, false)
    for (const { delayMillis, event, id } of arm) {
      end(id, step.at, false)
      const dueAt = step.at + delayMillis / 1000
      open.set(id, { name: delayOf(event.type), armedAt: step.at, dueAt, endedAt: null, rang: false })
    }
  }
  const due = new Map(armed.map(({ due_at, event }) => [event, due_at]))
  const running = [...open].map(([id, span]) => ({ ...span, dueAt: due.get(id) ?? span.dueAt }))
  return [...spans, ...running].toSorted((a, b) => a.armedAt - b.armedAt)
}

/** The timers that ran after so many steps. */
export const armedAfter = (steps: ReadonlyArray<Replayed>, count: number): ReadonlyArray<TimerSpan> =>
  timerSpans(steps.slice(0, count), []).filter(({ endedAt }) => endedAt === null)
