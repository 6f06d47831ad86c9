/** What differs between two moments of a session, and between two sessions; and where the steps of two sessions part. Pure. */
import type { Detail, Step } from "../../../sessionContract.ts"
import { duration, money } from "../../../client/format.ts"
import { wordsOfEvent } from "../../../client/machineWords.ts"
import { hasFailed } from "./outline.ts"
import type { Replayed } from "./replay.ts"
import { armedAfter, timerName } from "./timers.ts"
import { changes, pathOf } from "./value.ts"

/** One thing that is known of both sides, in words. */
export interface Compared {
  readonly name: string
  readonly a: string
  readonly b: string
  readonly differs: boolean
}

const compared = (name: string, a: string, b: string): Compared => ({ name, a, b, differs: a !== b })

const words = (value: unknown): string =>
  value === undefined || value === null ? "–" : typeof value === "string" ? value : JSON.stringify(value)

export interface Moments {
  readonly steps: ReadonlyArray<Replayed>
  readonly at: (count: number) => { readonly value: unknown; readonly context: object }
}

/** The moments after so many steps: the state, the timers, and all that the machine remembers differently. */
export const compareMoments = ({ at, steps }: Moments, a: number, b: number): ReadonlyArray<Compared> => {
  const [before, after] = [at(a), at(b)]
  const timers = (count: number) =>
    armedAfter(steps, count)
      .map(({ armedAt, dueAt, name }) => `${name} (${duration(dueAt - armedAt)})`)
      .toSorted()
      .join(", ") || "none"
  const turnsBegun = (count: number) =>
    String(steps.slice(0, count).filter(({ step }) => step.commands.includes("openTurn")).length)
  const ended = (count: number) =>
    String(steps.slice(0, count).filter(({ step }) => step.commands.includes("settleTurn")).length)
  const remembered = changes(before.context, after.context).map((change) =>
    compared(change.path, words(change.before), words(change.after))
  )
  return [
    compared("state", pathOf(before.value), pathOf(after.value)),
    compared("timers", timers(a), timers(b)),
    compared("turns begun", turnsBegun(a), turnsBegun(b)),
    compared("turns ended", ended(a), ended(b)),
    ...remembered
  ]
}

/** What happened between them, oldest first. */
export const stepsBetween = (steps: ReadonlyArray<Replayed>, a: number, b: number): ReadonlyArray<Step> =>
  steps.slice(Math.min(a, b), Math.max(a, b)).map(({ step }) => step)

export interface Other {
  readonly detail: Detail
  /** From the first. */
  readonly steps: ReadonlyArray<Step>
  /** There are more than these. */
  readonly isCut: boolean
}

export const compareSessions = (a: Detail, b: Detail, now: number): ReadonlyArray<Compared> => {
  const row = (name: string, of: (detail: Detail) => string) => compared(name, of(a), of(b))
  const turnTime = ({ turns }: Detail): string => {
    const times = turns.map(({ ended_at, submitted_at }) => (ended_at ?? now) - submitted_at).toSorted((x, y) => x - y)
    const middle = times[Math.floor(times.length / 2)]
    return middle === undefined ? "–" : `${middle.toFixed(1)} s`
  }
  return [
    row("state", ({ session }) => session.substate),
    row("app", ({ session }) => session.app),
    row("agent", ({ session }) => session.agent),
    row("model", ({ session }) => words(session.model)),
    row("mode", ({ session }) => words(session.mode)),
    row("effort", ({ session }) => words(session.effort)),
    row("permissions", ({ session }) => words(session.permissions)),
    row("directory", ({ session }) => session.cwd),
    row("metadata", ({ session }) => words(session.meta)),
    row("last outcome", ({ session: { last_outcome: last } }) =>
      last === null
        ? "–"
        : `${last.status.replace("_", " ")}${last.failure === null ? "" : `: ${last.failure.class}, ${last.failure.message}`}`
    ),
    row("turns", ({ session }) => String(session.turns)),
    // The last 200 of each.
    row("turns that failed", ({ turns }) => String(turns.filter(hasFailed).length)),
    row("a turn's time, the middle one", turnTime),
    row("tool calls", ({ turns }) => String(turns.reduce((sum, { tool_iterations }) => sum + tool_iterations, 0))),
    row("restarts", ({ session }) => String(session.restarts)),
    row("tokens", ({ session }) => String(session.usage.total_tokens)),
    row("cost", ({ session: { cost } }) => (cost === null ? "–" : money(cost))),
    row("from its creation to its last activity", ({ session }) =>
      duration(session.last_activity_at - session.created_at)
    )
  ]
}

/** The first step that is not the same in both; `null`: one has all the steps of the other, as far as they are here. */
export const partingOf = (
  a: ReadonlyArray<Step>,
  b: ReadonlyArray<Step>
): { readonly nth: number; readonly a: Step | undefined; readonly b: Step | undefined } | null => {
  const most = Math.max(a.length, b.length)
  for (let nth = 0; nth < most; nth++) {
    const [one, other] = [a[nth], b[nth]]
    if (one === undefined || other === undefined || !isSame(one, other)) return { nth, a: one, b: other }
  }
  return null
}

const isSame = (a: Step, b: Step): boolean =>
  a.event.type === b.event.type && a.from === b.from && a.to === b.to && a.commands.join() === b.commands.join()

export const stepWords = ({ event, from, seq, to }: Step): string =>
  `${seq}: ${wordsOfEvent(timerName(event.type))}, ${from === to ? `stays in ${to}` : `${from} → ${to}`}`
