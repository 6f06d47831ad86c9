/** A chart as Mermaid's `stateDiagram-v2`, which GitHub and most editors draw. */
import type { Chart, ChartState } from "./read.ts"

export const toMermaid = ({ arrows, root }: Chart): string =>
  [
    "stateDiagram-v2",
    ...within(root, "  "),
    ...arrows.map(({ from, labels, to }) => `  ${idOf(from)} --> ${idOf(to)}: ${labels.map(escaped).join("<br/>")}`),
    ...finals(root).map((path) => `  ${idOf(path)} --> [*]`),
    ""
  ].join("\n")

const within = ({ children, initial }: ChartState, indent: string): ReadonlyArray<string> => [
  ...(initial === null ? [] : [`${indent}[*] --> ${idOf(initial)}`]),
  ...children.flatMap((child) => [
    `${indent}state "${child.key}" as ${idOf(child.path)}`,
    ...(child.children.length === 0
      ? []
      : [`${indent}state ${idOf(child.path)} {`, ...within(child, `${indent}  `), `${indent}}`])
  ])
]

const finals = (state: ChartState): ReadonlyArray<string> =>
  state.children.flatMap((child) => (child.kind === "final" ? [child.path] : finals(child)))

const idOf = (path: string): string => path.replaceAll(".", "_")

/** A semicolon ends Mermaid's statement, and a colon its label. */
const escaped = (label: string): string => label.replaceAll(";", ",").replaceAll(":", " ")
