/**
 * A chart as Mermaid's `stateDiagram-v2`, which GitHub and most editors draw. It has no places for states: they come in the
 * machine's order and downwards, as the page places them, and Mermaid places them itself.
 */
import { toneOf } from "../client/tones.ts"
import { colours } from "./look.ts"
import type { Chart, ChartState } from "./read.ts"

/** `active`: the state that is marked, by its path. */
export const toMermaid = ({ arrows, root }: Chart, active: string | null = null): string =>
  [
    "stateDiagram-v2",
    "  direction TB",
    ...within(root, "  "),
    ...arrows.map(({ from, labels, to }) => `  ${idOf(from)} --> ${idOf(to)}: ${labels.map(escaped).join("<br/>")}`),
    ...finals(root).map((path) => `  ${idOf(path)} --> [*]`),
    ...(active === null
      ? []
      : [
          `  classDef active fill:${colours[toneOf(active)]},stroke:${colours[toneOf(active)]},color:${colours.surface}`,
          `  class ${idOf(active)} active`
        ]),
    ""
  ].join("\n")

const within = ({ children, initial }: ChartState, indent: string): ReadonlyArray<string> => [
  ...(initial === null ? [] : [`${indent}[*] --> ${idOf(initial)}`]),
  ...children.flatMap((child) => [
    `${indent}state "${child.key}" as ${idOf(child.path)}`,
    ...(child.children.length === 0
      ? child.description === ""
        ? []
        : [`${indent}${idOf(child.path)}: ${folded(escaped(child.description))}`]
      : [
          ...(child.description === "" ? [] : [`${indent}%% ${child.description}`]),
          `${indent}state ${idOf(child.path)} {`,
          `${indent}  direction TB`,
          ...within(child, `${indent}  `),
          `${indent}}`
        ])
  ])
]

const finals = (state: ChartState): ReadonlyArray<string> =>
  state.children.flatMap((child) => (child.kind === "final" ? [child.path] : finals(child)))

const idOf = (path: string): string => path.replaceAll(".", "_")

/** A semicolon ends Mermaid's statement, and a colon its label. */
const escaped = (label: string): string => label.replaceAll(";", ",").replaceAll(":", " ")

/** Some words in each line: Mermaid makes a state as wide as its longest. */
const folded = (sentence: string): string =>
  sentence
    .split(" ")
    .reduce<ReadonlyArray<string>>((lines, word) => {
      const last = lines.at(-1)
      return last === undefined || last.length + word.length >= 36
        ? [...lines, word]
        : [...lines.slice(0, -1), `${last} ${word}`]
    }, [])
    .join("<br/>")
