/** A machine as a drawing needs it: states in a tree, and one arrow for all events that lead from here to there. */
import type { AnyStateMachine, AnyStateNode } from "xstate"
import { eventName } from "./eventName.ts"

export interface ChartState {
  /** The path of its keys, joined by dots; the machine itself is "". */
  readonly path: string
  readonly key: string
  /** What it means, in a sentence; empty where the machine says none. */
  readonly description: string
  readonly kind: "atomic" | "compound" | "parallel" | "final"
  /** The paths that a compound state, or a parallel one, is entered by. */
  readonly initial: string | null
  readonly children: ReadonlyArray<ChartState>
}

/** One way along an arrow. `event` is `always` where it needs none, `after` and the delay's name where that is it. */
export interface ChartWay {
  readonly event: string
  readonly guard: string | null
  /** What it means, in a sentence; empty where the machine says none. */
  readonly description: string
}

export interface ChartArrow {
  readonly from: string
  readonly to: string
  /** `event [guard]`, in the order of the machine. */
  readonly labels: ReadonlyArray<string>
  /** The same, label by label. */
  readonly ways: ReadonlyArray<ChartWay>
}

export interface Chart {
  readonly id: string
  readonly root: ChartState
  readonly arrows: ReadonlyArray<ChartArrow>
}

export const readChart = (machine: AnyStateMachine): Chart => {
  const arrows = new Map<string, { from: string; to: string; labels: Array<string>; ways: Array<ChartWay> }>()
  for (const node of nodesOf(machine.root)) {
    for (const { from, to, way } of arrowsOf(node)) {
      const key = `${from} ${to}`
      const arrow = arrows.get(key) ?? { from, to, labels: [], ways: [] }
      const label = labelOf(way)
      if (!arrow.labels.includes(label)) {
        arrow.labels.push(label)
        arrow.ways.push(way)
      }
      arrows.set(key, arrow)
    }
  }
  return { id: machine.id, root: stateOf(machine.root), arrows: [...arrows.values()] }
}

const childrenOf = (node: AnyStateNode): ReadonlyArray<AnyStateNode> => Object.values(node.states)

const nodesOf = (node: AnyStateNode): ReadonlyArray<AnyStateNode> => [node, ...childrenOf(node).flatMap(nodesOf)]

const pathOf = (node: AnyStateNode): string => node.path.join(".")

const stateOf = (node: AnyStateNode): ChartState => ({
  path: pathOf(node),
  key: node.key,
  description: node.description ?? "",
  kind: node.type === "history" ? "atomic" : node.type,
  initial: node.type === "compound" ? (node.initial.target.map(pathOf)[0] ?? null) : null,
  children: childrenOf(node).map(stateOf)
})

interface TransitionOf {
  readonly target: ReadonlyArray<AnyStateNode> | undefined
  readonly guard?: unknown
  readonly actions: ReadonlyArray<unknown>
  readonly description?: string | undefined
}

const arrowsOf = (node: AnyStateNode) => {
  const drawn: ReadonlyArray<readonly [event: string, TransitionOf]> = [
    ...(node.always ?? []).map((each) => ["always", each] as const),
    ...[...node.transitions].flatMap(([event, each]) => each.map((one) => [eventName(event), one] as const))
  ]
  return drawn.flatMap(([event, { actions, description = "", guard, target }]) => {
    // "Known, and ignored": an arrow of the machine, but nothing to see.
    if (target === undefined && actions.length === 0) return []
    const way: ChartWay = { event, guard: guard === undefined ? null : nameOf(guard), description }
    return (target ?? [node]).map((to) => ({ from: pathOf(node), to: pathOf(to), way }))
  })
}

const labelOf = ({ event, guard }: Pick<ChartWay, "event" | "guard">): string =>
  guard === null ? event : `${event} [${guard}]`

export const nameOf = (guard: unknown): string =>
  typeof guard === "string"
    ? guard
    : typeof guard === "object" && guard !== null && "type" in guard
      ? String(guard.type)
      : "a condition"
