/**
 * Machines as pictures and as data: Mermaid, Graphviz DOT, SVG, and the JSON that XState's `createMachine` takes.
 *
 * Everything is read off the machine that runs, so a chart cannot differ from it; its places are those of the dashboard's
 * page (`chart/layouts.ts`). Needs no network, no browser and no layout engine.
 */
import type { AnyStateMachine } from "xstate"
import { toDot } from "./chart/dot.ts"
import type { Drawn } from "./chart/drawn.ts"
import { toMermaid } from "./chart/mermaid.ts"
import { readChart } from "./chart/read.ts"
import { toSvg } from "./chart/svg.ts"

export const formats = ["mermaid", "json", "svg", "dot"] as const
export type Format = (typeof formats)[number]

/** `active`: the path of a state that is marked, in all but JSON. */
export const render = (
  machine: AnyStateMachine,
  drawn: Drawn,
  format: Format,
  active: string | null = null
): string => {
  switch (format) {
    case "mermaid":
      return toMermaid(readChart(machine), active)
    case "dot":
      return toDot(readChart(machine), drawn, active)
    case "json":
      return toJson(machine)
    case "svg":
      return toSvg(readChart(machine), drawn, active)
  }
}

/** The states that can be marked. */
export const leavesOf = (drawn: Drawn): ReadonlyArray<string> =>
  drawn.boxes.filter(({ kind }) => kind === "atomic" || kind === "final").map(({ path }) => path)

/** With the names of guards, actions and delays, and without their code, which is not data. */
const toJson = (machine: AnyStateMachine): string => `${JSON.stringify(machine.config, null, 2)}\n`
