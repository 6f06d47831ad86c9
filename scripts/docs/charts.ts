/** docs/images/*.svg: the machines as they run, whole and in the parts that docs/concepts.md speaks of. */
import { reviewMachine } from "../../machines/review/machine.ts"
import { afterDeath, noRestarts } from "../../machines/session/restarts.ts"
import { sessionMachine } from "../../machines/session/machine.ts"
import { stateInfo } from "../../machines/session/stateInfo.ts"
import type { Party, WaitsFor } from "../../machines/session/states.ts"
import { readChart } from "../../src/inspect/chart/read.ts"
import type { Chart, ChartState } from "../../src/inspect/chart/read.ts"
import { toSvg } from "../../src/inspect/chart/svg.ts"
import { placed } from "../chartLayout.ts"
import { code, table } from "./blocks.ts"

const session = readChart(sessionMachine)
const review = readChart(reviewMachine)

/** Some states and the arrows from one to another. */
const part = (chart: Chart, paths: ReadonlyArray<string>): Chart => {
  const kept = new Set(paths)
  for (const path of paths)
    if (!flat(chart.root).some((state) => state.path === path)) throw new Error(`No state ${path}`)
  const within = (state: ChartState): ChartState => {
    const children = state.children.flatMap((child) => {
      const cut = within(child)
      return kept.has(child.path) || cut.children.length > 0 ? [cut] : []
    })
    const start = children.some(({ path }) => path === state.initial) ? state.initial : null
    return { ...state, initial: start, children }
  }
  const between = chart.arrows.filter(({ from, to }) => from !== to && kept.has(from) && kept.has(to))
  return { ...chart, root: { ...within(chart.root), initial: null }, arrows: between }
}

/** The states at the top alone, with an arrow where there is one between their parts. */
const top = (chart: Chart): Chart => {
  const topOf = (path: string) => path.split(".", 1)[0] ?? path
  const pairs = new Set(
    chart.arrows
      .map(({ from, to }) => `${topOf(from)} ${topOf(to)}`)
      .filter((pair) => new Set(pair.split(" ")).size === 2)
  )
  return {
    ...chart,
    root: { ...chart.root, children: chart.root.children.map((child) => ({ ...child, initial: null, children: [] })) },
    arrows: [...pairs].map((pair) => {
      const [from = "", to = ""] = pair.split(" ")
      return { from, to, labels: [], ways: [] }
    })
  }
}

const flat = (state: ChartState): ReadonlyArray<ChartState> => [state, ...state.children.flatMap(flat)]

/** Placed and drawn as on the page; parts of a machine have room for all of their words. */
const drawn = async (chart: Chart): Promise<string> =>
  toSvg(chart, await placed(chart, chart === session || chart === review ? undefined : roomy))

const roomy = {
  "elk.spacing.nodeNode": "90",
  "elk.spacing.edgeNode": "40",
  "elk.spacing.edgeEdge": "30",
  "elk.layered.spacing.nodeNodeBetweenLayers": "70",
  "elk.layered.spacing.edgeEdgeBetweenLayers": "24"
}

const charts: Readonly<Record<string, Chart>> = {
  "machine-session": session,
  "machine-review": review,
  "machine-overview": top(session),
  "machine-turn": part(session, [
    "turning.queued",
    "turning.starting",
    "turning.running",
    "turning.interrupting",
    "idle.awake"
  ]),
  "machine-approval": part(session, ["turning.running", "turning.asking", "idle.awake"]),
  "machine-restarts": part(session, [
    "turning.running",
    "retiring.killing",
    "idle.backingOff",
    "idle.waking",
    "idle.parked",
    "idle.asleep"
  ])
}

/** The texts of the images, by their names in docs/images. */
export const images: Readonly<Record<string, string>> = Object.fromEntries(
  await Promise.all(Object.entries(charts).map(async ([name, chart]) => [`${name}.svg`, await drawn(chart)] as const))
)

const waits: Readonly<Record<WaitsFor, string>> = {
  turn: "a turn",
  slot: "a free process slot",
  agentStart: "its agent to get ready",
  agentReturn: "its process to come back",
  turnEnd: "the end of the turn",
  interruptedEnd: "the end of the turn, which is interrupted",
  lifeSign: "a sign of life from its agent",
  answer: "an answer to its agent's question",
  backoff: "the end of its pause",
  unpark: "its time, or an operator's `unpark`",
  exit: "its process to exit, as it was asked to",
  termination: "its process to end on SIGTERM",
  kernel: "the kernel to say that no process of it is left",
  nothing: "nothing"
}

const parties: Readonly<Record<Party, string>> = {
  app: "the app",
  agent: "the agent",
  troupe: "Troupe",
  operator: "the operator, or time",
  person: "a person",
  kernel: "the kernel",
  nobody: "–"
}

const meanings = new Map(flat(session.root).map(({ description, path }) => [path, description] as const))

const pauses = () => {
  const budget = { intensity: Number.MAX_SAFE_INTEGER, periodMillis: 60_000 }
  let restarts = noRestarts
  return Array.from({ length: 9 }, (_, index) => {
    restarts = afterDeath(restarts, budget, { at: index, jitter: 0, upSince: null })
    return `${restarts.backoffMillis / 1000} s`
  })
}

export const conceptBlocks = {
  states: table(
    ["state", "what it means", "its process", "it waits for", "who can bring that about"],
    Object.values(stateInfo).map(({ name, owedBy, process, waitsFor }) => [
      code(name),
      meanings.get(name) ?? "",
      process.replaceAll("_", " "),
      waits[waitsFor],
      parties[owedBy]
    ])
  ),
  pauses: `Pauses before the next start: ${pauses().join(", ")}, and no longer. Up to a fifth is added by chance.`
}
