/** A session's turns as an outline: how each ended, how long it took and waited, and which tools it used. Pure. */
import type { Item } from "../../../client/Transcript.ts"
import type { Turn } from "../../../sessionContract.ts"
import { lastAtOrBefore } from "../time/axis.ts"
import type { Replayed } from "./replay.ts"

export interface OutlineRow {
  readonly turn: Turn
  /** The beginning of its prompt, in one line. */
  readonly words: string
  readonly isFailed: boolean
  /** From its submission to its end, or until now. */
  readonly seconds: number
  /** Of those: in line, for a process, or for an answer of a person. */
  readonly waited: number
  readonly tools: {
    readonly count: number
    readonly failed: number
    /** Such as `execute`, the most frequent first. Empty where its events are not here. */
    readonly kinds: ReadonlyArray<readonly [kind: string, n: number]>
  }
}

export interface OutlineInputs {
  readonly turns: ReadonlyArray<Turn>
  readonly steps: ReadonlyArray<Replayed>
  readonly items: ReadonlyArray<Item>
  readonly now: number
}

const mostWords = 200

export const hasFailed = ({ status }: Pick<Turn, "status">): boolean => status === "failed" || status === "timed_out"

export const outlineOf = ({ items, now, steps, turns }: OutlineInputs): ReadonlyArray<OutlineRow> => {
  const tools = toolsByTurn(items)
  const waits = waitingSpans(steps, now)
  let before = 0
  return turns.map((turn): OutlineRow => {
    const until = turn.ended_at ?? now
    // One runs after the other: before the end of the last one it waited in line.
    const begun = Math.min(until, Math.max(turn.submitted_at, before))
    before = Math.max(before, until)
    const words = turn.prompt.slice(0, mostWords).replaceAll(/\s+/g, " ").trim()
    return {
      turn,
      words: words === "" && turn.kind === "compact" ? "(compacts the conversation)" : words,
      isFailed: hasFailed(turn),
      seconds: Math.max(0, until - turn.submitted_at),
      waited: Math.max(0, begun - turn.submitted_at) + waits(begun, until),
      tools: tools.get(turn.index) ?? { count: turn.tool_iterations, failed: 0, kinds: [] }
    }
  })
}

/** No agent is at work on a turn: it waits for a process, for its start, or for a person. */
const isAtWork = (path: string): boolean =>
  path.startsWith("turning.") && !["turning.queued", "turning.starting", "turning.asking"].includes(path)

/** Gives the seconds within a time in which nothing was at work. */
const waitingSpans = (steps: ReadonlyArray<Replayed>, now: number) => {
  const times = steps.map(({ step }) => step.at)
  // The sum of all waiting before each step.
  const sums: Array<number> = [0]
  for (const [n, { step }] of steps.entries()) {
    const next = times[n + 1] ?? Math.max(now, step.at)
    sums.push((sums.at(-1) ?? 0) + (isAtWork(step.to) ? 0 : next - step.at))
  }
  const waitedBefore = (at: number): number => {
    const n = lastAtOrBefore(times, at)
    const step = steps[n]?.step
    if (step === undefined) return 0
    return (sums[n] ?? 0) + (isAtWork(step.to) ? 0 : Math.max(0, at - step.at))
  }
  return (from: number, to: number): number => Math.max(0, waitedBefore(to) - waitedBefore(from))
}

const toolsByTurn = (items: ReadonlyArray<Item>) => {
  const found = new Map<number, { count: number; failed: number; kinds: Map<string, number> }>()
  for (const item of items) {
    if (item.kind !== "tool" || item.turn === null) continue
    const tools = found.get(item.turn) ?? { count: 0, failed: 0, kinds: new Map<string, number>() }
    tools.count += 1
    if (item.status === "failed") tools.failed += 1
    tools.kinds.set(item.tool, (tools.kinds.get(item.tool) ?? 0) + 1)
    found.set(item.turn, tools)
  }
  return new Map(
    [...found].map(([turn, { kinds, ...tools }]) => [
      turn,
      { ...tools, kinds: [...kinds].toSorted(([, a], [, b]) => b - a) }
    ])
  )
}

/** A moment at which something failed: after so many steps. */
export interface FailedMoment {
  readonly count: number
  readonly words: string
}

/** The ends of failed turns, and the deaths of processes and starts that failed; in order. */
export const failedMoments = (
  steps: ReadonlyArray<Replayed>,
  turns: ReadonlyArray<Turn>
): ReadonlyArray<FailedMoment> => {
  const times = steps.map(({ step }) => step.at)
  const found = new Map<number, string>()
  for (const [n, { step }] of steps.entries()) {
    const failure = step.event["failure"] as { readonly class?: unknown } | null | undefined
    // The end of a process that was asked to end is no failure.
    if (failure === null || failure === undefined || step.from.startsWith("retiring")) continue
    found.set(n + 1, `${step.event.type}${typeof failure.class === "string" ? `: ${failure.class}` : ""}`)
  }
  for (const turn of turns.filter(hasFailed)) {
    const count = lastAtOrBefore(times, turn.ended_at ?? Infinity) + 1
    if (count > 0) found.set(count, `turn ${turn.index} ${turn.status.replace("_", " ")}: ${turn.failure?.class ?? ""}`)
  }
  return [...found].map(([count, words]) => ({ count, words })).toSorted((a, b) => a.count - b.count)
}

/** The next one after the moment, or the last one before it. */
export const failureFrom = (
  moments: ReadonlyArray<FailedMoment>,
  moment: number,
  way: "next" | "previous"
): FailedMoment | undefined =>
  way === "next" ? moments.find(({ count }) => count > moment) : moments.findLast(({ count }) => count < moment)
