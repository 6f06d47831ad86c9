/**
 * A chart in Graphviz's language, with the places that the page has: `neato -n2` draws it so, `neato -n` finds ways of its own
 * between the states, and `dot` places all of it anew. Compound states are clusters, and arrows to and from them end at their border.
 */
import { substateWords, toneOf } from "../client/tones.ts"
import { roundedCorner } from "./drawn.ts"
import type { Box, Drawn, Line, Point } from "./drawn.ts"
import { labelled, colours } from "./look.ts"
import type { Chart, ChartArrow, ChartState } from "./read.ts"
import { explained } from "./said.ts"

/** `active`: the state that is marked, by its path. */
export const toDot = (chart: Chart, drawn: Drawn, active: string | null = null): string => {
  const { arrows, id, root } = chart
  const at: Places = {
    active,
    height: drawn.height,
    states: new Map(flat(root).map((state) => [state.path, state] as const)),
    boxes: new Map(drawn.boxes.map((box) => [box.path, box] as const))
  }
  const lines = new Map(drawn.lines.map((line) => [keyOf(line), line] as const))
  const labels = new Map(labelled(chart, drawn).map((label) => [keyOf(label.line), label] as const))
  return [
    `digraph ${quoted(id)} {`,
    `  compound=true; rankdir=TB; nodesep=0.5; ranksep=0.7; inputscale=72; bb="0,0,${drawn.width},${drawn.height}";`,
    `  graph [fontname="Helvetica", fontsize=12, style="rounded", color="${colours["line-strong"]}", fontcolor="${colours["text-dim"]}"];`,
    `  node [fontname="Helvetica", fontsize=11, shape=box, style="rounded,filled", fixedsize=true, fillcolor="${colours.surface}", fontcolor="${colours.text}"];`,
    `  edge [fontname="Helvetica", fontsize=9, color="${colours["text-dim"]}", fontcolor="${colours["text-dim"]}", arrowsize=0.7];`,
    ...within(at, root, "  "),
    ...arrows.map((arrow) => {
      const label = labels.get(keyOf(arrow))
      const line = lines.get(keyOf(arrow)) ?? loopOf(at.boxes.get(arrow.from), arrow)
      const middle = label === undefined ? undefined : { x: label.x + label.width / 2, y: label.y + label.height / 2 }
      return `  ${anchor(at, arrow.from)} -> ${anchor(at, arrow.to)}${attributes([
        ...cluster(at, arrow.from, "ltail"),
        ...cluster(at, arrow.to, "lhead"),
        ...(label === undefined ? [] : [`label=${quoted(label.texts.join("\n"))}`]),
        ...(middle === undefined ? [] : [`lp="${point(at, middle)}"`]),
        ...(line === undefined ? [] : [`pos="${spline(at, line)}"`]),
        ...tip(explained(arrow).join("\n")),
        ...(isIn(at, arrow.from) && arrow.from !== ""
          ? [`color="${colours.accent}", fontcolor="${colours.accent}"`]
          : [])
      ])};`
    }),
    "}",
    ""
  ].join("\n")
}

interface Places {
  readonly active: string | null
  /** Graphviz counts upwards. */
  readonly height: number
  readonly states: ReadonlyMap<string, ChartState>
  readonly boxes: ReadonlyMap<string, Box>
}

const within = (at: Places, state: ChartState, indent: string): ReadonlyArray<string> => [
  ...(state.initial === null ? [] : beginning(at, state.path, state.initial, indent)),
  ...state.children.flatMap((child) =>
    child.children.length === 0
      ? [`${indent}${quoted(child.path)}${attributes(leaf(at, child))};`]
      : [
          `${indent}subgraph ${quoted(`cluster_${child.path}`)} {`,
          `${indent}  ${frame(at, child).join("; ")};`,
          ...within(at, child, `${indent}  `),
          `${indent}}`
        ]
  )
]

const leaf = (at: Places, { description, key, kind, path }: ChartState): ReadonlyArray<string> => {
  const box = at.boxes.get(path)
  const tone = colours[toneOf(path)]
  return [
    `label=${quoted(substateWords(path) || key)}`,
    ...(box === undefined ? [] : [`pos="${point(at, middleOf(box))}!", ${size(box)}`]),
    `color="${tone}"`,
    ...tip(description === "" ? "" : `${path}: ${description}`),
    ...(kind === "final" ? ["peripheries=2"] : []),
    ...(at.active === path ? [`class="active", fillcolor="${tone}", fontcolor="${colours.surface}", penwidth=2`] : [])
  ]
}

const frame = (at: Places, { description, key, path }: ChartState): ReadonlyArray<string> => {
  const box = at.boxes.get(path)
  const name = { x: (box?.x ?? 0) + 14 + key.length * 3.5, y: (box?.y ?? 0) + 17 }
  return [
    `label=${quoted(key)}`,
    "margin=14",
    ...(box === undefined
      ? []
      : [
          `bb="${point(at, { x: box.x, y: box.y + box.height })},${point(at, { x: box.x + box.width, y: box.y })}"`,
          `lp="${point(at, name)}"`
        ]),
    ...(isIn(at, path) ? [`color="${colours[toneOf(path)]}"; fontcolor="${colours[toneOf(path)]}"`] : []),
    ...(description === "" ? [] : [`tooltip=${quoted(description)}`])
  ]
}

/** A small point at the left of the state that another begins in. */
const beginning = (at: Places, path: string, initial: string, indent: string): ReadonlyArray<string> => {
  const box = at.boxes.get(initial)
  const end = box === undefined ? undefined : { x: box.x, y: box.y + Math.min(15, box.height / 2) }
  const start = end === undefined ? undefined : { x: end.x - 9, y: end.y }
  return [
    `${indent}${startOf(path)}${attributes([
      `shape=point, width=0.06, height=0.06, fillcolor="${colours["text-dim"]}", label=""`,
      ...(start === undefined ? [] : [`pos="${point(at, start)}!"`])
    ])};`,
    `${indent}${startOf(path)} -> ${anchor(at, initial)}${attributes([
      ...cluster(at, initial, "lhead"),
      "arrowsize=0.4",
      ...(start === undefined || end === undefined ? [] : [`pos="${spline(at, { points: [start, end] }, 4)}"`])
    ])};`
  ]
}

/** The page shows at the box that it was left to come back at once; Graphviz has an arrow for it. */
const loopOf = (box: Box | undefined, { from, to }: ChartArrow): Pick<Line, "points"> | undefined => {
  if (box === undefined || from !== to) return undefined
  const { x, y } = { x: box.x + box.width, y: box.y + box.height / 2 }
  return {
    points: [
      { x, y: y - 6 },
      { x: x + 9, y: y - 6 },
      { x: x + 9, y: y + 6 },
      { x, y: y + 6 }
    ]
  }
}

/** Bézier curves along the line and round its corners, up to the arrow's head, which is that long. */
const spline = (at: Places, { points }: Pick<Line, "points">, head = 7): string => {
  const [first, ...rest] = points
  const end = points.at(-1)
  if (first === undefined || end === undefined) return ""
  const curves: Array<Point> = [first]
  const straight = (to: Point) => {
    const from = curves.at(-1) ?? first
    curves.push(between(from, to, 1 / 3), between(from, to, 2 / 3), to)
  }
  for (const [n, corner] of rest.entries()) {
    const after = rest[n + 1]
    const from = curves.at(-1) ?? first
    if (after === undefined) {
      const length = Math.hypot(corner.x - from.x, corner.y - from.y)
      straight(between(from, corner, Math.max(0.2, 1 - head / Math.max(head, length))))
    } else {
      const { into, out } = roundedCorner(points[n] ?? corner, corner, after)
      straight(into)
      curves.push(between(into, corner, 2 / 3), between(out, corner, 2 / 3), out)
    }
  }
  return [`e,${point(at, end)}`, ...curves.map((each) => point(at, each))].join(" ")
}

const between = (a: Point, b: Point, part: number): Point => ({
  x: a.x + (b.x - a.x) * part,
  y: a.y + (b.y - a.y) * part
})

const middleOf = ({ height, width, x, y }: Box): Point => ({ x: x + width / 2, y: y + height / 2 })

const point = ({ height }: Places, { x, y }: Point): string => `${r(x)},${r(height - y)}`

/** In inches, of 72 points. */
const size = ({ height, width }: Box): string => `width=${(width / 72).toFixed(3)}, height=${(height / 72).toFixed(3)}`

const r = (number: number): number => Math.round(number * 10) / 10

/** What is shown where one points at it in an SVG that Graphviz makes. */
const tip = (sentence: string): ReadonlyArray<string> => (sentence === "" ? [] : [`tooltip=${quoted(sentence)}`])

const keyOf = ({ from, to }: { readonly from: string; readonly to: string }): string => `${from} ${to}`

const isIn = ({ active }: Places, path: string): boolean =>
  active !== null && (active === path || active.startsWith(`${path}.`))

const flat = (state: ChartState): ReadonlyArray<ChartState> => [state, ...state.children.flatMap(flat)]

const isCompound = ({ states }: Places, path: string) => (states.get(path)?.children.length ?? 0) > 0

/** Graphviz joins nodes only: an arrow to a compound state goes to its start, and is cut at its border. */
const anchor = (at: Places, path: string): string => (isCompound(at, path) ? startOf(path) : quoted(path))

const cluster = (at: Places, path: string, end: "lhead" | "ltail"): ReadonlyArray<string> =>
  isCompound(at, path) ? [`${end}=${quoted(`cluster_${path}`)}`] : []

const attributes = (each: ReadonlyArray<string>): string => (each.length === 0 ? "" : ` [${each.join(", ")}]`)

const startOf = (path: string): string => quoted(`${path}.start`)

const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`
