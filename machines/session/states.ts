/**
 * The vocabulary in which a state of the session machine says what it means: XState `tags` and `meta`.
 *
 * Code that needs to know whether a turn can be steered, or what a session waits for, asks `hasTag` or `stateInfo`
 * (`stateInfo.ts`) and spells no state's name.
 */
/** For code that decides by a state. */
export type StateTag =
  /** A turn is open: accepted, numbered and without an outcome. */
  | "turnOpen"
  /** The open turn's prompt was not handed to an agent yet. */
  | "promptPending"
  /** An agent is at the turn and nobody has asked it to stop: what it has said can decide how the turn ends. */
  | "agentAtWork"
  /** Words can be added to the turn. */
  | "steerable"
  /** Approvals are open: the agent waits for a person. */
  | "approvalsOpen"
  /** The agent was asked to stop the turn. */
  | "interrupting"
  /** It has a process and nothing to do: it may be asked to hibernate for another session's sake. */
  | "evictable"
  /** Its process is on its way out, so its slot will be free soon. */
  | "retiring"
  /** Nothing is kept in memory but what a read of the ledger brings back: its actor may be unloaded. */
  | "unloadable"

/** What a session waits for. */
export type WaitsFor =
  | "turn"
  | "slot"
  | "agentStart"
  | "agentReturn"
  | "turnEnd"
  | "interruptedEnd"
  | "lifeSign"
  | "answer"
  | "backoff"
  | "unpark"
  | "exit"
  | "termination"
  | "kernel"
  | "nothing"

/** Who can bring it about. */
export type Party = "app" | "agent" | "troupe" | "operator" | "person" | "kernel" | "nobody"

export interface StateMeta {
  /** What the session's process is doing, in the words of the API. */
  readonly process: "none" | "starting" | "up" | "backing_off" | "parked" | "stopping"
  readonly waitsFor: WaitsFor
  readonly owedBy: Party
}
