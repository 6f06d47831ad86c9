/** A chart in Graphviz's language: compound states are clusters, arrows to and from them end at their border. */
import type { Chart, ChartState, ChartWay } from "./read.ts"

export const toDot = ({ arrows, id, root }: Chart): string => {
  const states = new Map(flat(root).map((state) => [state.path, state] as const))
  return [
    `digraph ${quoted(id)} {`,
    "  compound=true; rankdir=TB; nodesep=0.5; ranksep=0.7;",
    '  graph [fontname="Helvetica", fontsize=13, style="rounded", color="#8a8f98"];',
    '  node [fontname="Helvetica", fontsize=12, shape=box, style="rounded,filled", color="#8a8f98", fillcolor="#f4f5f7"];',
    '  edge [fontname="Helvetica", fontsize=9, color="#5b616b", fontcolor="#3a3f47", arrowsize=0.7];',
    ...within(states, root, "  "),
    ...arrows.map(({ from, labels, to, ways }) => {
      const ends = [...cluster(states, from, "ltail"), ...cluster(states, to, "lhead")]
      const label = labels.map((each) => each.replace(/["\\]/g, "\\$&")).join("\\l")
      return `  ${anchor(states, from)} -> ${anchor(states, to)} [${[`label="${label}\\l"`, ...ends].join(", ")}${tip(sentencesOf(ways))}];`
    }),
    "}",
    ""
  ].join("\n")
}

const within = (states: States, state: ChartState, indent: string): ReadonlyArray<string> => [
  ...(state.initial === null
    ? []
    : [
        `${indent}${startOf(state.path)} [shape=point, width=0.12, fillcolor="#5b616b", label=""];`,
        `${indent}${startOf(state.path)} -> ${anchor(states, state.initial)}${attributes(cluster(states, state.initial, "lhead"))};`
      ]),
  ...state.children.flatMap((child) =>
    child.children.length === 0
      ? [
          `${indent}${quoted(child.path)} [label=${quoted(child.key)}${tip(child.description)}${child.kind === "final" ? ", peripheries=2" : ""}];`
        ]
      : [
          `${indent}subgraph ${quoted(`cluster_${child.path}`)} {`,
          `${indent}  label=${quoted(child.key)}; margin=14;${child.description === "" ? "" : ` tooltip=${quoted(child.description)};`}`,
          ...within(states, child, `${indent}  `),
          `${indent}}`
        ]
  )
]

/** What is shown where one points at it in an SVG that Graphviz makes. */
const tip = (sentence: string): string => (sentence === "" ? "" : `, tooltip=${quoted(sentence)}`)

const sentencesOf = (ways: ReadonlyArray<ChartWay>): string =>
  [...new Set(ways.map(({ description }) => description))].filter((each) => each !== "").join(" ")

const flat = (state: ChartState): ReadonlyArray<ChartState> => [state, ...state.children.flatMap(flat)]

type States = ReadonlyMap<string, ChartState>

const isCompound = (states: States, path: string) => (states.get(path)?.children.length ?? 0) > 0

/** Graphviz joins nodes only: an arrow to a compound state goes to its start, and is cut at its border. */
const anchor = (states: States, path: string): string => (isCompound(states, path) ? startOf(path) : quoted(path))

const cluster = (states: States, path: string, end: "lhead" | "ltail"): ReadonlyArray<string> =>
  isCompound(states, path) ? [`${end}=${quoted(`cluster_${path}`)}`] : []

const attributes = (each: ReadonlyArray<string>): string => (each.length === 0 ? "" : ` [${each.join(", ")}]`)

const startOf = (path: string): string => quoted(`${path}.start`)

const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`
