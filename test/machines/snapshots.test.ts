/** Snapshots of past versions, one of each state. The files are named by the version that stored them; never edit one. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync, readdirSync } from "node:fs"
import { decide } from "../../machines/decide.ts"
import { created, restore, sessionMachine } from "../../machines/session/machine.ts"
import { DamagedSnapshot } from "../../machines/session/restore.ts"
import { nodesOf } from "./chart.ts"

const directory = new URL("../fixtures/snapshots/", import.meta.url)
const versions = readdirSync(directory).filter((name) => name.startsWith("session-"))

describe.each(versions)("%s", (file) => {
  const stored = JSON.parse(readFileSync(new URL(file, directory), "utf8")) as Readonly<Record<string, object>>

  it.each(Object.keys(stored))("%s still loads, and stores as the same", (state) => {
    const snapshot = restore(sessionMachine, stored[state])
    assert.strictEqual(
      [snapshot.value].flatMap((value) => (typeof value === "string" ? value : Object.entries(value).flat())).join("."),
      state
    )
    assert.containSubset(JSON.parse(JSON.stringify(sessionMachine.getPersistedSnapshot(snapshot))), stored[state]!)
    // It is alive: a close is understood everywhere but in the grave.
    const { handled } = decide(sessionMachine, snapshot, { type: "close.requested", reason: "test" })
    assert.strictEqual(handled, state !== "closed")
  })
})

it("holds one of every state that this version can store", () => {
  const newest = versions.sort().at(-1)!
  const stored = JSON.parse(readFileSync(new URL(newest, directory), "utf8")) as object
  const leaves = nodesOf(sessionMachine).filter((node) => Object.keys(node.states).length === 0)
  assert.sameMembers(
    Object.keys(stored),
    leaves.map((node) => node.path.join("."))
  )
})

describe("a damaged snapshot", () => {
  const sound = sessionMachine.getPersistedSnapshot(created(sessionMachine, null)) as unknown as {
    readonly context: object
  }
  it.each([
    ["no JSON object", null],
    ["no context", { value: { idle: "asleep" } }],
    ["a state that the chart has not", { ...sound, value: { idle: "nowhere" } }],
    ["a number as text", { ...sound, context: { ...sound.context, turn: "1" } }],
    ["a turn that is no number of one", { ...sound, context: { ...sound.context, turn: -3.2e273 } }],
    ["a process that is no number of one", { ...sound, context: { ...sound.context, generation: 0.5 } }],
    ["no list in line", { ...sound, context: { ...sound.context, queue: {} } }],
    ["no turn in the line", { ...sound, context: { ...sound.context, queue: [null] } }],
    ["a broken budget", { ...sound, context: { ...sound.context, restarts: { exits: ["x"] } } }]
  ])("with %s is named as damaged, and not taken for a state", (_what, stored) => {
    assert.throws(() => restore(sessionMachine, stored), DamagedSnapshot)
  })
})
