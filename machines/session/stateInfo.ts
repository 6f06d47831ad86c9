/**
 * What each state of the session machine means, read off the machine once.
 *
 * A state without `meta` throws on import, so that no state can be added without its meaning.
 */
import type { StateValueFrom } from "xstate"
import type { SessionState } from "../../src/domain/Session.ts"
import { sessionMachine } from "./machine.ts"
import type { SessionMachine } from "./machine.ts"
import type { StateMeta, StateTag } from "./states.ts"

/** `idle.asleep`, `turning.running`, `closed`: a leaf of the chart, as a path. */
export type StateName = PathOf<StateValueFrom<SessionMachine>>
type PathOf<V> = V extends string
  ? V
  : V extends object
    ? { [K in keyof V & string]: `${K}.${V[K] & string}` }[keyof V & string]
    : never

export interface StateInfo extends StateMeta {
  readonly name: StateName
  /** The top-level state: what the API and the ledger call a session's state. */
  readonly state: SessionState
  readonly tags: ReadonlySet<StateTag>
}

/** The path of a snapshot's state value. */
export const stateName = ({ value }: { readonly value: unknown }): StateName =>
  (typeof value === "string"
    ? value
    : Object.entries(value as object)
        .flat()
        .join(".")) as StateName

/** `turning` of `turning.running`. */
export const topState = (name: string): SessionState => name.split(".", 1)[0] as SessionState

type StateNode = SessionMachine["root"]

const leavesOf = (node: StateNode): ReadonlyArray<StateNode> => {
  const children = Object.values(node.states) as ReadonlyArray<StateNode>
  return children.length === 0 ? [node] : children.flatMap(leavesOf)
}

const leafInfo = (leaf: StateNode): StateInfo => {
  const name = leaf.path.join(".") as StateName
  if (leaf.meta === undefined)
    throw new Error(`The state ${name} has no meta: say what its process does and what it waits for`)
  const tags = new Set<StateTag>()
  for (let node: StateNode | undefined = leaf; node !== undefined; node = node.parent as StateNode | undefined) {
    for (const tag of node.tags) tags.add(tag as StateTag)
  }
  return { ...leaf.meta, name, state: topState(name), tags }
}

/**
 * The delay that a timer of the machine measures: `hibernateAfter` of `xstate.after.hibernateAfter.session.idle.awake`.
 * `null` for any other event or timer.
 */
export const delayName = (timer: string): string | null => /^xstate\.after\.([^.]+)\./.exec(timer)?.[1] ?? null

/** By the path of the state. */
export const stateInfo = Object.fromEntries(
  leavesOf(sessionMachine.root).map((leaf) => [leaf.path.join("."), leafInfo(leaf)])
) as Readonly<Record<StateName, StateInfo>>

/** For a name that was stored, perhaps by another version; `undefined` where this chart has no such state. */
export const infoOf = (name: string): StateInfo | undefined => stateInfo[name as StateName]
