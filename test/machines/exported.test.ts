/**
 * The machines as JSON, as Stately's editor and `createMachine` take them: with the guards, delays and actions of the
 * original under the names that the JSON has, they go the same ways.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createMachine } from "xstate"
import type { AnyStateMachine } from "xstate"
import { getShortestPaths } from "xstate/graph"
import { begin, decide } from "../../machines/decide.ts"
import { reviewMachine } from "../../machines/review/machine.ts"
import { sessionMachine } from "../../machines/session/machine.ts"
import type { SessionEvent, SessionSnapshot } from "../../machines/session/machine.ts"
import { layouts } from "../../src/inspect/chart/layouts.ts"
import * as Chart from "../../src/inspect/Chart.ts"
import { drawnBy } from "./chart.ts"
import { events, gist } from "./walk.ts"

const configOf = (machine: AnyStateMachine) =>
  JSON.parse(Chart.render(machine, layouts.session, "json")) as Parameters<typeof createMachine>[0]

/** All names that a machine calls guards, delays or actions by. */
const namesIn = (config: unknown): ReadonlySet<string> => {
  const names = new Set<string>()
  const named = (value: unknown): void => {
    if (typeof value === "string") names.add(value)
    else if (Array.isArray(value)) value.forEach(named)
    else if (typeof value === "object" && value !== null && "type" in value) named(value.type)
  }
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return
    for (const [key, below] of Object.entries(value)) {
      if (key === "guard" || key === "actions" || key === "entry" || key === "exit") named(below)
      else if (key === "after") Object.keys(below as object).forEach(named)
      walk(below)
    }
  }
  walk(config)
  return names
}

describe("the exported session machine", () => {
  it.effect("goes, with the same guards, delays and actions, wherever the original goes", () =>
    Effect.gen(function* () {
      // What an editor gives it back with: the JSON knows these by name.
      const imported = createMachine(
        configOf(sessionMachine),
        sessionMachine.implementations as never
      ) as unknown as typeof sessionMachine
      const paths = getShortestPaths(sessionMachine, {
        events,
        limit: 100_000,
        serializeState: (snapshot) => gist(snapshot as SessionSnapshot),
        stopWhen: ({ context }) => context.approvals.length > 2 || context.queue.length > 1
      })
      assert.isAbove(paths.length, 200)
      for (const { steps } of paths) {
        let ours = begin(sessionMachine, undefined).next
        let theirs = begin(imported, undefined).next
        for (const { event } of steps.slice(1)) {
          const [one, other] = [sessionMachine, imported].map((machine) => {
            const snapshot = machine === imported ? theirs : ours
            return decide(machine, snapshot, event as SessionEvent)
          })
          assert.deepStrictEqual(other!.next.value, one!.next.value)
          assert.deepStrictEqual(other!.next.context, one!.next.context)
          assert.deepStrictEqual([other!.arm, other!.cancel], [one!.arm, one!.cancel])
          assert.deepStrictEqual(
            other!.commands.map(({ type }) => type),
            one!.commands.map(({ type }) => type)
          )
          ;[ours, theirs] = [one!.next, other!.next]
        }
      }
    })
  )

  it.effect("draws every arrow of the original, and calls by name all that it needs", () =>
    Effect.gen(function* () {
      for (const machine of [sessionMachine, reviewMachine] as ReadonlyArray<AnyStateMachine>) {
        const config = configOf(machine)
        const { actions, delays, guards } = machine.implementations
        const known = new Set([...Object.keys(actions), ...Object.keys(delays), ...Object.keys(guards)])
        const needed = namesIn(config)
        assert.isAbove(needed.size, 5)
        assert.deepStrictEqual(
          [...needed].filter((name) => !known.has(name)),
          []
        )
        assert.deepStrictEqual(drawnBy(createMachine(config)), drawnBy(machine))
      }
    })
  )
})
