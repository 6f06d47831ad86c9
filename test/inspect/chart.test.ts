/** The exported charts of a machine, compared with the machine. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createMachine, setup } from "xstate"
import type { AnyStateMachine } from "xstate"
import { toDirectedGraph } from "xstate/graph"
import { sessionMachine } from "../../machines/session/machine.ts"
import { readChart } from "../../src/inspect/chart/read.ts"
import * as Chart from "../../src/inspect/Chart.ts"

const lamp = setup({ guards: { isDark: () => true }, delays: { burnOut: 1_000 } }).createMachine({
  id: "lamp",
  initial: "off",
  states: {
    off: { on: { "switch.pressed": { guard: "isDark", target: "#lamp.on" }, "lamp.dusted": {} } },
    on: {
      initial: "dim",
      on: { "switch.pressed": "off", "bulb.broke": "broken" },
      states: { dim: { on: { "knob.turned": "bright" } }, bright: { after: { burnOut: "#lamp.broken" } } }
    },
    broken: { type: "final" }
  }
})

const labelsOf = (machine: AnyStateMachine) =>
  readChart(machine).arrows.map(({ from, labels, to }) => `${from} -> ${to}: ${labels.join(", ")}`)

/** Every state and arrow of a machine, from XState's own graph. */
const graphOf = (machine: AnyStateMachine) => {
  const walk = (node: ReturnType<typeof toDirectedGraph>): ReadonlyArray<string> => [
    node.id,
    ...node.edges.map((edge) => `${edge.source.id} -${edge.label.text}-> ${edge.target.id}`),
    ...node.children.flatMap(walk)
  ]
  return walk(toDirectedGraph(machine)).toSorted()
}

describe("a chart of a machine", () => {
  it("draws one arrow from a state to another, labelled with every event and guard", () => {
    assert.deepStrictEqual(labelsOf(lamp), [
      "off -> on: switch.pressed [isDark]",
      "on -> off: switch.pressed",
      "on -> broken: bulb.broke",
      "on.dim -> on.bright: knob.turned",
      "on.bright -> broken: after burnOut"
    ])
  })

  it.effect("is readable Mermaid", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* Chart.render(lamp, "mermaid"),
        `stateDiagram-v2
  [*] --> off
  state "off" as off
  state "on" as on
  state on {
    [*] --> on_dim
    state "dim" as on_dim
    state "bright" as on_bright
  }
  state "broken" as broken
  off --> on: switch.pressed [isDark]
  on --> off: switch.pressed
  on --> broken: bulb.broke
  on_dim --> on_bright: knob.turned
  on_bright --> broken: after burnOut
  broken --> [*]
`
      )
    })
  )

  it.effect("begins, in DOT, with an arrow into the initial state, also a compound one", () =>
    Effect.gen(function* () {
      const dot = yield* Chart.render(sessionMachine, "dot")
      assert.include(dot, '".start" -> "idle.start" [lhead="cluster_idle"];')
      assert.notInclude(dot, '-> "idle";')
    })
  )

  it.effect("says in DOT, and in the SVG of it, what each state and arrow means where one points at it", () =>
    Effect.gen(function* () {
      const dot = yield* Chart.render(sessionMachine, "dot")
      const svg = yield* Chart.render(sessionMachine, "svg")
      const unescaped = svg.replaceAll("&#39;", "'").replaceAll("&#45;", "-").replaceAll("&amp;", "&")
      const { arrows, root } = readChart(sessionMachine)
      const leaves = root.children.flatMap((state) => [state, ...state.children])
      assert.isAbove(leaves.length, 15)
      for (const { description } of [...leaves, ...arrows.flatMap(({ ways }) => ways)]) {
        assert.notStrictEqual(description, "")
        assert.include(dot, description)
        assert.include(unescaped, description)
      }
      assert.notInclude(yield* Chart.render(lamp, "dot"), "tooltip")
    })
  )

  it.effect("is JSON that createMachine accepts, with every state and arrow of the original", () =>
    Effect.gen(function* () {
      for (const machine of [lamp, sessionMachine]) {
        const json = yield* Chart.render(machine, "json")
        assert.notMatch(json, /^\s*null,?$/m, "a function among names would be null")
        assert.deepStrictEqual(graphOf(createMachine(JSON.parse(json))), graphOf(machine))
      }
    })
  )

  it.effect("is SVG with the name of every state and event", () =>
    Effect.gen(function* () {
      const svg = yield* Chart.render(sessionMachine, "svg")
      assert.match(svg, /^<\?xml[^]*<\/svg>\s*$/)
      const { arrows } = readChart(sessionMachine)
      const text = svg.replaceAll("&#45;", "-").replaceAll("&#160;", " ")
      for (const { from, labels } of arrows) {
        assert.include(text, `>${from.split(".").at(-1)}<`)
        for (const label of labels) assert.include(text, label)
      }
    })
  )

  it.effect("is the same text every time", () =>
    Effect.gen(function* () {
      for (const format of Chart.formats) {
        assert.strictEqual(yield* Chart.render(sessionMachine, format), yield* Chart.render(sessionMachine, format))
      }
    })
  )
})
