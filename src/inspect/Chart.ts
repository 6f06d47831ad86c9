/**
 * Machines as pictures and as data: Mermaid, Graphviz DOT, SVG, and the JSON that XState's `createMachine` takes.
 *
 * Everything is read off the machine that runs, so a chart cannot differ from it. Needs no network and no browser.
 */
import { Effect, Schema } from "effect"
import type { AnyStateMachine } from "xstate"
import { isMissing, missingPackage } from "../domain/optionalPackage.ts"
import { toDot } from "./chart/dot.ts"
import { toMermaid } from "./chart/mermaid.ts"
import { readChart } from "./chart/read.ts"

export const formats = ["mermaid", "json", "svg", "dot"] as const
export type Format = (typeof formats)[number]

export class ChartFailed extends Schema.TaggedError<ChartFailed>()("ChartFailed", { cause: Schema.Defect() }) {
  override get message() {
    if (isMissing(this.cause, "@viz-js/viz")) return missingPackage("An SVG needs", "@viz-js/viz")
    return `Graphviz could not lay the chart out: ${String(this.cause)}. Try --format dot or --format mermaid.`
  }
}

export const render = (machine: AnyStateMachine, format: Format): Effect.Effect<string, ChartFailed> => {
  switch (format) {
    case "mermaid":
      return Effect.sync(() => toMermaid(readChart(machine)))
    case "dot":
      return Effect.sync(() => toDot(readChart(machine)))
    case "json":
      return Effect.sync(() => toJson(machine))
    case "svg":
      return toSvg(machine)
  }
}

/** With the names of guards, actions and delays, and without their code, which is not data. */
const toJson = (machine: AnyStateMachine): string => `${JSON.stringify(machine.config, null, 2)}\n`

const toSvg = (machine: AnyStateMachine) =>
  Effect.tryPromise({
    try: async () => {
      // A megabyte of WebAssembly, which only those install who draw with it. Caught here, because a bundler that does not
      // find an optional package then goes on.
      const { instance } = await import("@viz-js/viz").catch((cause: unknown) => Promise.reject(cause))
      return (await instance()).renderString(toDot(readChart(machine)), { format: "svg", engine: "dot" })
    },
    catch: (cause) => new ChartFailed({ cause })
  })
