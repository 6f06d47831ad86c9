/** Which arrows of the chart a step went along: the one that its event took, then those that need no event. */
import type { AnyStateMachine, AnyStateNode } from "xstate"
import type { SessionEvent, SessionMachine, SessionSnapshot } from "../../../../../machines/session/machine.ts"
import { eventName } from "../../../chart/eventName.ts"
import { nameOf } from "../../../chart/read.ts"
import type { ChartWay } from "../../../chart/read.ts"
import { lineage } from "./value.ts"

/** One way along one arrow, in the chart's own words. */
export interface TakenWay extends Omit<ChartWay, "description"> {
  readonly from: string
  readonly to: string
}

export const keyOf = ({ from, to }: { readonly from: string; readonly to: string }): string => `${from} ${to}`

export const takenWays = (
  machine: SessionMachine,
  before: SessionSnapshot,
  event: SessionEvent,
  to: string
): ReadonlyArray<TakenWay> => {
  const ways: Array<TakenWay> = []
  let reached = ""
  for (const { eventType, guard, source, target } of machine.getTransitionData(before, event)) {
    const end = (target as ReadonlyArray<AnyStateNode> | undefined)?.[0] ?? (source as AnyStateNode)
    ways.push({ from: path(source), to: path(end), event: eventName(eventType), guard: guardOf(guard) })
    reached = target === undefined ? to : path(leafOf(end))
  }
  // At most as many as there are states: a machine that goes round without an event never ends in production either.
  while (reached !== "" && reached !== to && ways.length < 8) {
    const next = alwaysTowards(machine, reached, to)
    if (next === undefined) break
    ways.push(next.way)
    reached = next.leaf
  }
  return ways
}

const alwaysTowards = (machine: AnyStateMachine, reached: string, to: string) => {
  for (const at of lineage(reached).toReversed()) {
    const node = nodeAt(machine, at)
    for (const { guard, target } of node?.always ?? []) {
      const end = target?.[0]
      if (end === undefined) continue
      const leaf = path(leafOf(end))
      if (leaf === to) return { way: { from: at, to: path(end), event: "always", guard: guardOf(guard) }, leaf }
    }
  }
  return undefined
}

const nodeAt = (machine: AnyStateMachine, at: string): AnyStateNode | undefined =>
  at.split(".").reduce<AnyStateNode | undefined>((node, key) => node?.states[key], machine.root)

/** The leaf that is entered with this state. */
const leafOf = (node: AnyStateNode): AnyStateNode => {
  const [first] = node.type === "compound" ? node.initial.target : []
  return first === undefined ? node : leafOf(first)
}

const path = (node: { readonly path: ReadonlyArray<string> }): string => node.path.join(".")

const guardOf = (guard: unknown): string | null => (guard === undefined ? null : nameOf(guard))
