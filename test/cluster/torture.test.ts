/** The short form of `npm run torture:cluster`: three nodes, a session in each state, and a few of the faults. */
import { assert, describe, it } from "@effect/vitest"
import { server as postgres } from "../ledger/postgres/schemas.ts"
import { problemOf } from "../simulation/plants.ts"
import type { FaultName } from "./torture/faults.ts"
import { problemsOf } from "./torture/history.ts"
import type { History } from "./torture/history.ts"
import { clusterPlants } from "./torture/plants.ts"
import { runCluster } from "./torture/run.ts"

const faults: ReadonlyArray<FaultName> = ["stopForMore", "cutWriters", "killOwner", "betweenNodes", "restartPostgres"]

describe.skipIf(postgres === null)("three nodes under faults", () => {
  it("lose, repeat and leave nothing", async () => {
    const outcome = await runCluster({ seed: 20, sessions: 10, faults, millis: 60_000 })
    assert.deepStrictEqual(outcome.problems, [], outcome.logs())
    assert.isAbove(outcome.claims, 10)
    assert.isAbove(outcome.samples, 100)
  }, 240_000)
})

describe("the checker of histories", () => {
  const whole: History = {
    witnessed: {
      tokens: new Map([
        ["a", "first.1"],
        ["b", "second.1"]
      ]),
      owners: [
        {
          session: "s",
          writer: "first.1",
          before: null,
          after: "a",
          epoch_before: 0,
          epoch_after: 1,
          lease_left: null
        },
        { session: "s", writer: "second.1", before: "a", after: "b", epoch_before: 1, epoch_after: 2, lease_left: -5 }
      ],
      writes: [
        { what: "events", session: "s", seq: 1, writer: "first.1", owner: "a", epoch: 1 },
        { what: "events", session: "s", seq: 2, writer: "second.1", owner: "b", epoch: 2 }
      ],
      leases: [
        { lease: "l", session: "s", writer: "first.1", since: 5 },
        { lease: "m", session: "s", writer: "second.1", since: 25 }
      ]
    },
    lives: new Map([
      ["l", { pid: 1, from: 10, until: 20 }],
      ["m", { pid: 2, from: 30, until: 40 }]
    ]),
    leaseMillis: 4_000,
    unguarded: new Set()
  }
  const { witnessed } = whole
  const [claimed, taken] = witnessed.owners as [
    History["witnessed"]["owners"][number],
    History["witnessed"]["owners"][number]
  ]
  const [, late] = witnessed.writes as [unknown, History["witnessed"]["writes"][number]]

  it("finds nothing where nothing is wrong", () => assert.deepStrictEqual(problemsOf(whole), []))

  it.each<readonly [string, Partial<History["witnessed"]>, RegExp]>([
    ["a living node's session is taken", { owners: [claimed, { ...taken, lease_left: 5 }] }, /lease was good for 5 ms/],
    ["an epoch is given twice", { owners: [claimed, { ...taken, epoch_after: 1 }] }, /a new owner in epoch 1/],
    [
      "somebody else than its owner writes",
      { writes: [{ ...late, writer: "first.1" }] },
      /written by first\.1, and second/
    ],
    ["an older epoch writes last", { writes: [late, { ...late, epoch: 1, seq: 3 }] }, /is of epoch 1, and comes late/]
  ])("finds that %s", (_, more, problem) => {
    const found = problemsOf({ ...whole, witnessed: { ...witnessed, ...more } })
    assert.match(found.join("\n"), problem)
  })

  it("finds two agents of a session, but for those that nobody could end", () => {
    const lives = new Map([...whole.lives, ["l", { pid: 1, from: 10, until: 35 }] as const])
    assert.match(problemsOf({ ...whole, lives }).join("\n"), /had two agents for 5 ms, of first\.1 and of second\.1/)
    assert.deepStrictEqual(problemsOf({ ...whole, lives, unguarded: new Set(["first.1"]) }), [])
  })

  it("counts a spare from when a session took it", () => {
    const lives = new Map([...whole.lives, ["m", { pid: 2, from: 1, until: 40 }] as const])
    assert.deepStrictEqual(problemsOf({ ...whole, lives }), [])
    const [first, second] = witnessed.leases as [
      History["witnessed"]["leases"][number],
      History["witnessed"]["leases"][number]
    ]
    const leases = [first, { ...second, since: 15 }]
    assert.match(problemsOf({ ...whole, lives, witnessed: { ...witnessed, leases } }).join("\n"), /two agents for 5 ms/)
  })

  it("is tried on bugs, each of which has its place in the source", () => {
    assert.deepStrictEqual(
      clusterPlants.flatMap(({ plant }) => problemOf(plant) ?? []),
      []
    )
  })
})
