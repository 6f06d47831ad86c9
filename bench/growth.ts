/**
 * Measures whether turns and closed sessions leave anything in memory: the heap after a collection, again and again; and what
 * they leave until there is a full one, which makes every short collection before it longer (decision 0065).
 */
import { megabytes } from "./table.ts"
import type { Row } from "./table.ts"
import type { TroupeCalls } from "./troupe.ts"
import type { Worker } from "./worker.ts"

export interface GrowthPlan {
  readonly rounds: number
  /** Of a round; they are closed at its end. */
  readonly sessions: number
  /** Of each session in a round. */
  readonly turns: number
}

export const measure = async (
  troupe: Worker<TroupeCalls>,
  { rounds, sessions, turns }: GrowthPlan
): Promise<ReadonlyArray<Row>> => {
  const heaps: Array<number> = []
  for (let round = 0; round < rounds; round++) {
    const { ids } = await troupe.call("create", { count: sessions })
    await troupe.call("turns", { ids, each: turns })
    await troupe.call("close", { ids })
    heaps.push((await troupe.call("memory")).heapBytes)
  }
  const { ids } = await troupe.call("create", { count: sessions })
  await troupe.call("turns", { ids, each: turns })
  const { bytes } = await troupe.call("lingering", { ids, each: 2 * turns })
  // Over the second half: what is compiled and laid out at first is no growth.
  const warm = heaps.slice(Math.floor(rounds / 2))
  const grown = slope(warm) / (sessions * turns)
  return [
    {
      what: `heap of the server, in 1,000 turns of ${Math.round(1_000 / turns)} sessions that are closed`,
      troupe: `${grown < 0 ? "-" : "+"}${megabytes(Math.abs(grown) * 1_000)}`,
      reference: `${megabytes(warm[0] ?? 0)} after ${(rounds - warm.length + 1) * sessions * turns} turns`,
      comparison: `${grown.toFixed(0)} bytes a turn`
    },
    {
      what: "what a turn leaves until a full collection",
      troupe: `${(bytes / (2 * turns * sessions) / 1_000).toFixed(1)} kB`,
      reference: "",
      comparison: ""
    }
  ]
}

/** By how much each is above the one before it: the line with the least squares. */
const slope = (values: ReadonlyArray<number>): number => {
  const middle = (values.length - 1) / 2
  const above = values.reduce((sum, value, nth) => sum + (nth - middle) * value, 0)
  return above / values.reduce((sum, _, nth) => sum + (nth - middle) ** 2, 0)
}
