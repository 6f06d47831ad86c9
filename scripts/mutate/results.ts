/** What became of mutants, in words. */
import { applied } from "./mutants.ts"
import type { Mutant } from "./mutants.ts"

/** `Refused`: no test near it finds it, but the compiler. `source` is that of the file without the mutant. */
export type Result = {
  readonly area: string
  readonly mutant: Mutant
  readonly source: string
  readonly tookMillis: number
} & (
  | { readonly _tag: "Failed" | "TimedOut"; readonly stage: string; readonly failed: string }
  | { readonly _tag: "Survived" | "Refused" }
)

const words = { Failed: "killed", TimedOut: "timeout", Survived: "SURVIVED", Refused: "refused" } as const

export const written = (result: Result): string => {
  const { file, line } = result.mutant
  const by = "stage" in result ? `, ${result.stage}: ${result.failed}` : ""
  const took = `${(result.tookMillis / 1000).toFixed(1)} s`
  return `${words[result._tag].padEnd(8)} ${file}:${line}, ${took}${by}\n${changed(result)}`
}

/** The lines that it changes, before and after; of many lines the first ones. */
const changed = ({ mutant, source }: Result): string => {
  const { after, end, start } = mutant
  const from = source.lastIndexOf("\n", start - 1) + 1
  const lineEnd = source.indexOf("\n", end)
  const to = lineEnd < 0 ? source.length : lineEnd
  const lines = (sign: string, text: string) => {
    const all = text.split("\n").map((line) => `  ${sign} ${line}`)
    return all.length <= 6 ? all : [...all.slice(0, 5), `  ${sign} … ${all.length - 5} more lines`]
  }
  const whole = applied(source, mutant)
  return [
    ...lines("-", source.slice(from, to)),
    ...lines("+", whole.slice(from, to + after.length - (end - start)))
  ].join("\n")
}

export class Results {
  readonly #all: Array<Result> = []

  add(result: Result): void {
    this.#all.push(result)
  }

  /** The score of each area: how many were found of those that compile. Then what survived. */
  summary(): string {
    const areas = [...new Set(this.#all.map(({ area }) => area))].map((area) => {
      const all = this.#all.filter((result) => result.area === area)
      const count = (tag: Result["_tag"]) => all.filter(({ _tag }) => _tag === tag).length
      const [found, survived] = [count("Failed") + count("TimedOut"), count("Survived")]
      const score = found + survived === 0 ? 0 : Math.round((100 * found) / (found + survived))
      const stages = Map.groupBy(all, (result) => ("stage" in result ? result.stage : null))
      const by = [...stages].flatMap(([stage, at]) => (stage === null ? [] : `${stage} ${at.length}`)).join(", ")
      return (
        `${area}: ${score} % of ${found + survived}: ${count("Failed")} killed, ${count("TimedOut")} timeouts (${by}), ` +
        `${survived} survived; ${count("Refused")} refused by the compiler`
      )
    })
    const survivors = this.#all.filter(({ _tag }) => _tag === "Survived").map(written)
    return ["", ...areas, ...survivors].join("\n")
  }
}
