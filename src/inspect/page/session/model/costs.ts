/** Where a session's time and tokens went: by substate, and by turn. */
import type { Detail, Turn } from "../../../sessionContract.ts"
import type { Replayed } from "./replay.ts"

export interface Spent {
  readonly path: string
  readonly seconds: number
  readonly visits: number
  /** Of all the time. */
  readonly share: number
}

/** The longest first. A closed session's time ends with it. */
export const timeByState = (
  { session }: Pick<Detail, "session">,
  steps: ReadonlyArray<Replayed>,
  now: number
): ReadonlyArray<Spent> => {
  const spent = new Map<string, { seconds: number; visits: number }>()
  const spend = (path: string, from: number, to: number, visits: number) => {
    const sum = spent.get(path) ?? { seconds: 0, visits: 0 }
    spent.set(path, { seconds: sum.seconds + Math.max(0, to - from), visits: sum.visits + visits })
  }
  let [at, path, entered] = [session.created_at, steps[0]?.step.from ?? session.substate, 1]
  for (const { step } of steps) {
    spend(path, at, step.at, entered)
    entered = step.to === path ? 0 : 1
    at = step.at
    path = step.to
  }
  spend(path, at, path === "closed" ? at : now, entered)
  const all = [...spent.values()].reduce((sum, { seconds }) => sum + seconds, 0)
  return [...spent]
    .map(([state, sum]) => ({ path: state, ...sum, share: all === 0 ? 0 : sum.seconds / all }))
    .filter(({ path: state }) => state !== "closed")
    .toSorted((a, b) => b.seconds - a.seconds)
}

export interface TurnCost {
  readonly index: number
  readonly tokens: number
  readonly seconds: number
  readonly tools: number
  /** Of the dearest turn's. */
  readonly share: number
}

export const tokensByTurn = (turns: ReadonlyArray<Turn>, now: number): ReadonlyArray<TurnCost> => {
  const most = Math.max(1, ...turns.map(({ total_tokens }) => total_tokens))
  return turns.map(({ ended_at, index, submitted_at, tool_iterations, total_tokens }) => ({
    index,
    tokens: total_tokens,
    seconds: (ended_at ?? now) - submitted_at,
    tools: tool_iterations,
    share: total_tokens / most
  }))
}
