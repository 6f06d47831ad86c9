/**
 * What the contract of `/inspect/api` (`contract.ts`, with its requests and units) has of all sessions together: what needs a
 * person, what became of turns, the nodes and the agents.
 */
import type { AttentionKind } from "../domain/attention.ts"
import type { Circuit } from "./contract.ts"

/** Something that needs a person, and what can be done about it with one press. */
export interface AttentionItem {
  /** The same as long as it lasts: what was seen once is recognised by it. */
  readonly key: string
  readonly kind: AttentionKind
  /** `null` of a kind of agent that is not started. */
  readonly session_id: string | null
  /** What the session is called by. */
  readonly name: string | null
  readonly app: string | null
  readonly agent: string
  readonly turn: number | null
  /** `null`: not known. */
  readonly since: number | null
  readonly what: string
  /** Until when it is left alone, where that is known. */
  readonly until: number | null
  /** The question that waits, where it is answered with yes or no. */
  readonly approval_id: string | null
  /** What the caller can do at once; everything else is in the session. */
  readonly actions: ReadonlyArray<AttentionAction>
}

export type AttentionAction = "allow" | "deny" | "answer" | "unpark" | "interrupt" | "close"

export interface Attentions {
  readonly ok: true
  /** Kinds of agents that are not started first, then the oldest first. At most 500. */
  readonly items: ReadonlyArray<AttentionItem>
  /** There are more. */
  readonly is_cut: boolean
}

/** Turns that ended within a step of the window, by outcome. */
export interface FleetBar {
  readonly at: number
  readonly outcomes: Readonly<Record<string, number>>
}

/** In seconds, to within a fifth; `null`: there was none. */
export interface Quantiles {
  readonly p50: number | null
  readonly p95: number | null
}

export interface FleetNumbers {
  readonly outcomes: Readonly<Record<string, number>>
  /** Failed turns by class, and deaths of processes by class. */
  readonly failures: Readonly<Record<string, number>>
  readonly deaths: Readonly<Record<string, number>>
  readonly restarts: number
  readonly tokens: number
  /** From submission to end, and from submission until there is a process. */
  readonly duration: Quantiles
  readonly wait: Quantiles
  readonly start: Quantiles
}

export interface FleetPlace {
  /** `null`: it is another app's. */
  readonly session_id: string | null
  readonly name: string | null
  readonly app: string | null
  readonly agent: string | null
  readonly substate: string | null
  readonly since: number
}

export interface Fleet {
  readonly ok: true
  readonly from: number
  readonly to: number
  /** Of a bar. */
  readonly step_seconds: number
  readonly bars: ReadonlyArray<FleetBar>
  readonly all: FleetNumbers
  /** By agent and version; the version is empty where it is not known. */
  readonly agents: ReadonlyArray<{ readonly agent: string; readonly version: string } & FleetNumbers>
  /** The last seven days (UTC), by app; the last day first. */
  readonly days: ReadonlyArray<{
    readonly day: string
    readonly app: string
    readonly turns: number
    readonly tokens: number
    readonly costs: ReadonlyArray<{ readonly amount: number; readonly currency: string }>
  }>
  /** Of the node that answers; `node` `null`: this Troupe is alone. */
  readonly pool: {
    readonly node: string | null
    readonly size: number
    readonly held: ReadonlyArray<FleetPlace>
    readonly waiting: ReadonlyArray<FleetPlace>
  }
}

export interface FleetSessions {
  readonly ok: true
  /** At most 200. */
  readonly sessions: ReadonlyArray<{
    readonly session_id: string
    readonly name: string
    readonly app: string
    readonly agent: string
    /** When the turn failed, or the session was active last. */
    readonly at: number
    readonly what: string
  }>
}

/** How a node is, by what it says of itself. */
export interface NodeState {
  /** Agents that it runs, how many it may, and turns that wait for a slot. Spares are agents beside those that it runs. */
  readonly processes: number
  readonly spares: number
  readonly processes_limit: number
  readonly waiting: number
  /** Of its Troupe, and of all its agents' processes together. */
  readonly rss_bytes: number
  readonly agents_rss_bytes: number
  /** Agents that it does not start for a while, because their starts kept failing, with the last failure. */
  readonly circuits: ReadonlyArray<{ readonly agent: string; readonly until: number; readonly reason: string }>
  /** How long the database takes to read one row; `null`: it does not answer this node. */
  readonly database_seconds: number | null
}

export interface Node {
  readonly name: string
  readonly url: string | null
  readonly version: string
  /** It is the one that answers. */
  readonly is_this: boolean
  readonly joined_at: number
  readonly draining: boolean
  /** When it last renewed its lease, and until when others leave its sessions to it. */
  readonly renewed_at: number | null
  readonly lease_until: number | null
  /** Open sessions that it owns. */
  readonly sessions: number
  /** `null`: it does not answer, and its last sign of life was at `renewed_at`. */
  readonly state: NodeState | null
}

/** Nodes that live, and those that died since yesterday, oldest first. It may be some seconds old. */
export interface Nodes {
  readonly ok: true
  /** `null`: this Troupe is alone, and `nodes` is empty. */
  readonly lease_seconds: number | null
  readonly nodes: ReadonlyArray<Node>
}

export interface Agents {
  readonly ok: true
  readonly default_agent: string | null
  readonly agents: ReadonlyArray<{
    readonly name: string
    readonly available: boolean
    /** The one thing to do where it is not available. */
    readonly hint: string | null
    readonly protocol: string
    /** `null`: it does not say. */
    readonly version: string | null
    /** It is left alone until then, because its starts kept failing; `null`: it may be started. */
    readonly circuit: Circuit | null
    /** At this Troupe, since it was started. */
    readonly starts: {
      readonly succeeded: number
      readonly failed: number
      /** In seconds, of the last 200 good ones; `null`: there was none. */
      readonly p50: number | null
      readonly p95: number | null
      readonly last_failure: { readonly at: number; readonly class: string; readonly message: string } | null
    }
    readonly can: Readonly<Record<"model" | "mode" | "effort" | "threads", boolean>>
  }>
  /** The permission words and what each means. */
  readonly permissions: ReadonlyArray<{ readonly word: string; readonly meaning: string }>
  /** Those that a session can be started for: the caller's own, or all where the caller is the admin. */
  readonly apps: ReadonlyArray<string>
}

/** `problem`: what keeps it from working, or will go wrong in turns, such as a login that is over; `null`: nothing was found. */
export interface Checked {
  readonly ok: true
  readonly problem: string | null
  /** How long it took to get ready; `null`: it did not. */
  readonly seconds: number | null
}
