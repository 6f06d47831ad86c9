/**
 * Where the boxes and lines of a machine's chart stand. elkjs reckons it once, when the page is built or the docs
 * are, so that a browser draws at once and loads no layout engine, and neither does the program.
 */
import type { ELK, ElkExtendedEdge, ElkNode, LayoutOptions } from "elkjs/lib/elk-api.js"
import { around } from "../src/inspect/chart/around.ts"
import type { Box, Drawn, Laid } from "../src/inspect/chart/drawn.ts"
import type { Chart, ChartArrow, ChartState } from "../src/inspect/chart/read.ts"

const options = {
  "elk.algorithm": "layered",
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

/** `roomy`: all of it is mostly drawn smaller, with words that are as large as ever. */
const widthOf = (key: string, roomy: boolean): number =>
  roomy ? Math.max(92, Math.round(key.length * 8 + 50)) : Math.max(84, Math.round(key.length * 7.4 + 40))

const nodeOf = ({ children, key, path }: ChartState, roomy: boolean, inside?: LayoutOptions): ElkNode =>
  children.length === 0
    ? { id: path, width: widthOf(key, roomy), height: 30 }
    : {
        id: path,
        children: children.map((child) => nodeOf(child, roomy, inside)),
        layoutOptions: { ...inside, "elk.padding": "[top=32,left=12,bottom=12,right=12]" }
      }

const edgeOf = ({ from, to }: ChartArrow): ElkExtendedEdge => ({ id: `${from} ${to}`, sources: [from], targets: [to] })

export const layOut = async (
  elk: Pick<ELK, "layout">,
  { arrows, root }: Chart,
  how?: LayoutOptions,
  /** Of the states with others inside, which take no distances from around them. */
  inside?: LayoutOptions
): Promise<Drawn> => {
  const placed = await elk.layout({
    ...nodeOf(root, how === undefined, inside),
    id: "(root)",
    layoutOptions: { ...options, "elk.direction": "DOWN", ...how },
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

export const layOutAll = async (elk: Pick<ELK, "layout">, chart: Chart): Promise<Laid> => {
  const around: Record<string, Drawn> = {}
  for (const { children, path } of states(chart.root))
    if (children.length === 0) around[path] = await layOutAround(elk, chart, path)
  return { whole: await layOut(elk, chart), around }
}

/** Where it is drawn on a laptop, at a scale at which words can be read. */
const pane = { width: 560, height: 470 }

/** Closer than all of it, which has more lines to keep apart. */
const closer: LayoutOptions = {
  "elk.spacing.nodeNode": "16",
  "elk.spacing.edgeNode": "10",
  "elk.layered.spacing.nodeNodeBetweenLayers": "26"
}

/** In the direction in which it is drawn larger. */
const layOutAround = async (elk: Pick<ELK, "layout">, chart: Chart, path: string): Promise<Drawn> => {
  const near = around(chart, path)
  const down = await layOut(elk, near, { ...closer, "elk.direction": "DOWN" })
  const right = await layOut(elk, near, { ...closer, "elk.direction": "RIGHT" })
  const scale = ({ height, width }: Drawn) => Math.min(pane.width / width, pane.height / height)
  return scale(right) > scale(down) ? right : down
}

const r = (number: number): number => Math.round(number * 10) / 10

const flat = (node: ElkNode): ReadonlyArray<ElkNode> => [node, ...(node.children ?? []).flatMap(flat)]
const states = (state: ChartState): ReadonlyArray<ChartState> => [state, ...state.children.flatMap(states)]
