/** The exported charts of a machine, compared with the machine. */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { instance } from "@viz-js/viz"
import { createMachine, setup } from "xstate"
import type { AnyStateMachine } from "xstate"
import { toDirectedGraph } from "xstate/graph"
import { sessionMachine } from "../../machines/session/machine.ts"
import { readChart } from "../../src/inspect/chart/read.ts"
import type { ChartState } from "../../src/inspect/chart/read.ts"
import type { Box } from "../../src/inspect/chart/drawn.ts"
import { layouts } from "../../src/inspect/chart/layouts.ts"
import { colours } from "../../src/inspect/chart/look.ts"
import { placed } from "../../scripts/chartLayout.ts"
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

interface Laid {
  readonly objects: ReadonlyArray<{ readonly name: string; readonly pos?: string }>
  readonly edges: ReadonlyArray<{ readonly pos?: string }>
}

const printed = (format: Chart.Format, active?: string) => Chart.render(sessionMachine, layouts.session, format, active)

const statesOf = (state: ChartState): ReadonlyArray<ChartState> => [state, ...state.children.flatMap(statesOf)]

const unescaped = (svg: string) =>
  svg.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&")

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

  it("is readable Mermaid", async () => {
    assert.strictEqual(
      Chart.render(lamp, await placed(readChart(lamp)), "mermaid", "on.dim"),
      `stateDiagram-v2
  direction TB
  [*] --> off
  state "off" as off
  state "on" as on
  state on {
    direction TB
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
  classDef active fill:#2f649b,stroke:#2f649b,color:#ffffff
  class on_dim active
`
    )
  })

  it("has in Mermaid what each state means, in short lines", () => {
    const text = printed("mermaid")
    for (const { description, kind, path } of statesOf(readChart(sessionMachine).root)) {
      if (kind === "compound" || path === "") continue
      const id = path.replaceAll(".", "_")
      const said = text.split("\n").find((line) => line.trim().startsWith(`${id}: `)) ?? ""
      const words = said
        .trim()
        .slice(id.length + 2)
        .replaceAll("<br/>", " ")
      assert.strictEqual(words, description.replaceAll(";", ",").replaceAll(":", " "))
    }
  })

  it("begins, in DOT, with an arrow into the initial state, also a compound one", () => {
    const dot = printed("dot")
    assert.include(dot, '".start" -> "idle.start" [lhead="cluster_idle"')
    assert.notInclude(dot, '-> "idle" ')
  })

  it("says in DOT, and in SVG, what each state and arrow means where one points at it", async () => {
    const dot = printed("dot")
    const svg = unescaped(printed("svg"))
    const { arrows, root } = readChart(sessionMachine)
    const states = statesOf(root).filter(({ path }) => path !== "")
    assert.isAbove(states.length, 15)
    for (const { description, kind } of states) {
      assert.notStrictEqual(description, "")
      assert.include(dot, description)
      if (kind !== "compound") assert.include(svg, description)
    }
    for (const { description } of arrows.flatMap(({ ways }) => ways)) {
      assert.include(dot, description)
      assert.include(svg, description)
    }
  })

  it("is JSON that createMachine accepts, with every state and arrow of the original", async () => {
    for (const machine of [lamp, sessionMachine]) {
      const json = Chart.render(machine, layouts.session, "json")
      assert.notMatch(json, /^\s*null,?$/m, "a function among names would be null")
      assert.deepStrictEqual(graphOf(createMachine(JSON.parse(json))), graphOf(machine))
    }
  })

  it("is SVG that draws every box and line where the page has it, and names every event", () => {
    const svg = printed("svg")
    assert.match(svg, /^<svg [^]*<\/svg>\s*$/)
    for (const { path, x, y } of layouts.session.boxes) assert.include(svg, `translate(${x} ${y})`, path)
    for (const { points } of layouts.session.lines) assert.include(svg, ` d="M${points[0]?.x} ${points[0]?.y}L`)
    assert.strictEqual(svg.split('<g class="arrow">').length - 1, layouts.session.lines.length)
    for (const { labels } of readChart(sessionMachine).arrows)
      for (const label of labels) assert.include(unescaped(svg), label)
    assert.include(svg, '<title id="session-title">')
  })

  it("marks the one state that is given, and only it", () => {
    assert.notInclude(printed("svg"), "active")
    assert.notInclude(printed("dot"), "active")
    for (const path of Chart.leavesOf(layouts.session)) {
      const svg = printed("svg", path)
      assert.deepStrictEqual(
        [...svg.matchAll(/class="state active"[^>]*><title>(\S+)/g)].map(([, said]) => said),
        [path]
      )
      assert.include(svg, `it stands in ${path}</title>`)
      assert.deepStrictEqual(
        [...printed("dot", path).matchAll(/"([^"]+)" \[.*class="active"/g)].map(([, said]) => said),
        [path]
      )
      assert.include(printed("mermaid", path), `class ${path.replaceAll(".", "_")} active\n`)
    }
  })

  it("is drawn by Graphviz with the states and lines at the page's places, and by dot at its own", async () => {
    const viz = await instance()
    for (const engine of ["nop2", "nop1"]) {
      const read = JSON.parse(viz.renderString(printed("dot"), { format: "json", engine })) as Laid
      const at = (path: string) =>
        (read.objects.find(({ name }) => name === path)?.pos ?? "").split(",").map(Number) as [number, number]
      const middle = ({ height, width, x, y }: Box) => [x + width / 2, y + height / 2] as const
      const leaves = layouts.session.boxes.filter(({ kind }) => kind !== "compound")
      const [first] = leaves
      if (first === undefined) throw new Error("No state")
      // Graphviz begins to count elsewhere.
      const [offX, offY] = [at(first.path)[0] - middle(first)[0], at(first.path)[1] + middle(first)[1]]
      for (const box of leaves) {
        assert.approximately(at(box.path)[0] - offX, middle(box)[0], 1, box.path)
        assert.approximately(offY - at(box.path)[1], middle(box)[1], 1, box.path)
      }
      assert.isTrue(read.edges.every(({ pos }) => pos !== undefined))
    }
    assert.include(viz.renderString(printed("dot"), { format: "svg", engine: "dot" }), "</svg>")
  })

  it("has the colours of the page's light theme", () => {
    const tokens = readFileSync(`${import.meta.dirname}/../../src/inspect/page/styles/tokens.css`, "utf8")
    for (const [name, colour] of Object.entries(colours)) assert.include(tokens, `--${name}: light-dark(${colour},`)
  })

  it("is the same text every time", () => {
    for (const format of Chart.formats) assert.strictEqual(printed(format), printed(format))
  })
})
