/**
 * Histories that are written and not drawn: who reaches the database when, in an order that dice rarely give. Each of them must
 * hold, and shows bugs that are planted (`plants.ts`). A lease is 20 s.
 */
import type { PlanStep } from "./plan.ts"

export interface History {
  readonly what: string
  /** Of those that are about contact (`isOfContact`): an idle agent stays for two minutes, and patience is a minute. */
  readonly seed: number
  readonly nodes: number
  readonly plan: ReadonlyArray<PlanStep>
}

const wait = (millis: number): ReadonlyArray<PlanStep> => [
  ...Array.from({ length: Math.floor(millis / 2_999) }, () => ({ action: "wait", a: 1, b: 2_999 }) as const),
  { action: "wait", a: 1, b: millis % 2_999 }
]
const cutOff = (node: number, millis: number): PlanStep => ({ action: "cutOff", a: node, b: millis })

/** Both have been there for long, and the first has a session with an agent. */
const begun: ReadonlyArray<PlanStep> = [
  ...wait(40_000),
  { action: "create", a: 0, b: 0 },
  { action: "submit", a: 0, b: 1 },
  ...wait(9_000)
]

export const histories: ReadonlyArray<History> = [
  {
    what: "one node can't reach the database, and the other one does",
    seed: 3,
    nodes: 2,
    plan: [...begun, cutOff(0, 89_000), ...wait(60_000)]
  },
  {
    what: "no node reaches the database for longer than a lease",
    seed: 3,
    nodes: 2,
    plan: [...begun, { action: "databaseAway", a: 0, b: 39_999 }, ...wait(60_000)]
  },
  {
    what: "no node reaches the database for longer than a lease, and the one without an agent does first",
    seed: 3,
    nodes: 2,
    plan: [...begun, cutOff(0, 52_000), cutOff(1, 40_000), ...wait(70_000)]
  },
  {
    what: "a node that can't reach the database for a moment is asked in that moment",
    seed: 3,
    nodes: 2,
    plan: [...begun, cutOff(0, 60_000), ...wait(5_000), cutOff(1, 6_500), ...wait(60_000)]
  },
  {
    what: "a node that was the only one can't reach the database, and another one joins",
    seed: 12,
    nodes: 2,
    plan: [...begun, { action: "drain", a: 1, b: 0 }, ...wait(9_000), cutOff(0, 149_000), ...wait(150_000)]
  },
  {
    what: "a node is declared dead by a commit that is held, and has renewed its lease when that takes place",
    seed: 3,
    nodes: 2,
    plan: [
      ...begun,
      cutOff(0, 24_000),
      ...wait(19_000),
      { action: "databaseSlow", a: 1, b: 1_999 },
      ...wait(2_500),
      cutOff(1, 40_000),
      ...wait(3_500),
      { action: "databaseSlow", a: 0, b: 0 },
      ...wait(2_000),
      { action: "submit", a: 0, b: 1 },
      ...wait(60_000)
    ]
  },
  {
    what: "two of three nodes can't reach the database",
    seed: 3,
    nodes: 3,
    plan: [...begun, cutOff(0, 89_000), cutOff(1, 60_000), ...wait(90_000)]
  }
]
