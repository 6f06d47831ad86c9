/**
 * A chart's places: which boxes and lines a drawing of it has. elkjs reckons them while the page is built, for the very
 * machine that the page is bundled with, so that a browser draws at once and loads no layout engine.
 */
import type { ELK, ElkExtendedEdge, ElkNode } from "elkjs/lib/elk-api.js"
import type { Chart, ChartArrow, ChartState } from "../../../chart/read.ts"

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Box extends Point {
  readonly path: string
  readonly key: string
  readonly kind: ChartState["kind"]
  /** Its parent is entered by it. */
  readonly initial: boolean
  readonly width: number
  readonly height: number
}

export interface Line {
  readonly from: string
  readonly to: string
  readonly points: ReadonlyArray<Point>
}

/** Arrows from a state to itself are no lines: they are shown at its box. */
export interface Drawn {
  readonly width: number
  readonly height: number
  /** Parents before their children. */
  readonly boxes: ReadonlyArray<Box>
  readonly lines: ReadonlyArray<Line>
}

const options = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.hierarchyHandling": "INCLUDE_CHILDREN",
  "elk.edgeRouting": "ORTHOGONAL",
  // What leads to the same state shares its way: sixty arrows read as a dozen lines.
  "elk.layered.mergeEdges": "true",
  "elk.layered.mergeHierarchyEdges": "true",
  // States in the order of the machine's definition, which is the order in which a session enters them.
  "elk.layered.cycleBreaking.strategy": "MODEL_ORDER",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
  // Of two dozen that were tried for the session machine these have the fewest bends and the shortest lines.
  "elk.layered.thoroughness": "5",
  "elk.randomSeed": "6",
  "elk.spacing.nodeNode": "24",
  "elk.spacing.edgeNode": "12",
  "elk.spacing.edgeEdge": "7",
  "elk.layered.spacing.nodeNodeBetweenLayers": "20",
  "elk.layered.spacing.edgeNodeBetweenLayers": "10",
  "elk.layered.spacing.edgeEdgeBetweenLayers": "7",
  "elk.json.shapeCoords": "ROOT",
  "elk.json.edgeCoords": "ROOT"
}

const widthOf = (key: string): number => Math.max(92, Math.round(key.length * 8 + 50))

const nodeOf = ({ children, key, path }: ChartState): ElkNode =>
  children.length === 0
    ? { id: path, width: widthOf(key), height: 30 }
    : {
        id: path,
        children: children.map(nodeOf),
        layoutOptions: { "elk.padding": "[top=34,left=14,bottom=14,right=14]" }
      }

const edgeOf = ({ from, to }: ChartArrow): ElkExtendedEdge => ({ id: `${from} ${to}`, sources: [from], targets: [to] })

export const layOut = async (elk: Pick<ELK, "layout">, { arrows, root }: Chart): Promise<Drawn> => {
  const placed = await elk.layout({
    ...nodeOf(root),
    id: "(root)",
    layoutOptions: options,
    edges: arrows.filter(({ from, to }) => from !== to && from !== "").map(edgeOf)
  })
  const places = new Map(flat(placed).map((node) => [node.id, node] as const))
  const initials = new Set(states(root).map(({ initial }) => initial))
  return {
    width: Math.ceil(placed.width ?? 0),
    height: Math.ceil(placed.height ?? 0),
    boxes: states(root).flatMap(({ key, kind, path }): ReadonlyArray<Box> => {
      const { height = 0, width = 0, x = 0, y = 0 } = places.get(path) ?? {}
      const initial = initials.has(path)
      return path === "" ? [] : [{ path, key, kind, initial, x: r(x), y: r(y), width: r(width), height: r(height) }]
    }),
    lines: (placed.edges ?? []).map(({ id, sections = [] }) => {
      const [from = "", to = ""] = id.split(" ")
      const points = sections.flatMap(({ bendPoints = [], endPoint, startPoint }) => [
        startPoint,
        ...bendPoints,
        endPoint
      ])
      return { from, to, points: points.map(({ x, y }) => ({ x: r(x), y: r(y) })) }
    })
  }
}

const r = (number: number): number => Math.round(number * 10) / 10

const flat = (node: ElkNode): ReadonlyArray<ElkNode> => [node, ...(node.children ?? []).flatMap(flat)]
const states = (state: ChartState): ReadonlyArray<ChartState> => [state, ...state.children.flatMap(states)]

/** A line with its corners rounded, as an SVG path. */
export const pathData = (points: ReadonlyArray<Point>, radius = 6): string => {
  const [first, ...rest] = points
  if (first === undefined) return ""
  let d = `M${first.x} ${first.y}`
  for (const [n, corner] of rest.entries()) {
    const before = points[n] ?? corner
    const after = rest[n + 1]
    if (after === undefined) return `${d}L${corner.x} ${corner.y}`
    const near = Math.min(radius, distance(before, corner) / 2, distance(corner, after) / 2)
    const [into, out] = [towards(corner, before, near), towards(corner, after, near)]
    d += `L${into.x} ${into.y}Q${corner.x} ${corner.y} ${out.x} ${out.y}`
  }
  return d
}

/** Where a label is placed: the middle of the longest straight part. */
export const labelPoint = (points: ReadonlyArray<Point>): Point => {
  let best = { length: -1, x: 0, y: 0 }
  for (const [n, to] of points.entries()) {
    const from = points[n - 1]
    if (from === undefined) continue
    const length = distance(from, to)
    if (length > best.length) best = { length, x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 }
  }
  return { x: best.x, y: best.y }
}

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y)

const towards = (from: Point, to: Point, by: number): Point => {
  const length = distance(from, to)
  return length === 0
    ? from
    : { x: r(from.x + ((to.x - from.x) * by) / length), y: r(from.y + ((to.y - from.y) * by) / length) }
}
