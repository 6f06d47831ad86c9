/** What a machine draws, read off the machine: its nodes, its arrows, its timers. */
import type { AnyStateMachine } from "xstate"
import { toDirectedGraph } from "xstate/graph"

export const nodesOf = (machine: AnyStateMachine) => {
  const walk = (node: AnyStateMachine["root"]): ReadonlyArray<AnyStateMachine["root"]> => [
    node,
    ...Object.values(node.states).flatMap(walk)
  ]
  return walk(machine.root)
}

/** `<state> <event> <n>`: the nth arrow of a state for an event, eventless ones left out. */
export const drawnBy = (machine: AnyStateMachine): ReadonlyArray<string> =>
  nodesOf(machine).flatMap((node) =>
    [...node.transitions.entries()].flatMap(([event, arrows]) =>
      arrows.map((_, n) => `${node.path.join(".")} ${event} ${n}`)
    )
  )

type Graph = ReturnType<typeof toDirectedGraph>

export const edgesOf = (machine: AnyStateMachine) => {
  const walk = (node: Graph): ReadonlyArray<{ readonly from: string; readonly event: string }> => [
    ...node.edges.map((edge) => ({ from: edge.source.id, event: edge.label.text })),
    ...node.children.flatMap(walk)
  ]
  return walk(toDirectedGraph(machine))
}

export const leavesOf = (machine: AnyStateMachine): ReadonlySet<string> =>
  new Set(
    nodesOf(machine)
      .filter((node) => Object.keys(node.states).length === 0)
      .map((node) => node.path.join("."))
  )

/** The timers that a machine declares about itself, as events. */
export const timersOf = (machine: AnyStateMachine): ReadonlyArray<{ readonly type: string }> => {
  const timers = edgesOf(machine).map(({ event }) => event)
  return [...new Set(timers.filter((event) => event.startsWith("xstate.after.")))].map((type) => ({ type }))
}
