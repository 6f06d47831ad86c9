/** One step of a session: what was decided, on what, when and by whom. */
import type { Decision } from "../../machines/decide.ts"
import type { SessionEvent, SessionMachine, SessionSnapshot } from "../../machines/session/machine.ts"
import type { ApprovalRecord, Resolution } from "../domain/Approval.ts"
import type { SessionState } from "../domain/Session.ts"
import type { Usage } from "../domain/Turn.ts"
import type { Submission } from "./Envelope.ts"

export interface Step {
  readonly seq: number
  readonly at: number
  readonly by: string
  readonly event: SessionEvent
  readonly before: SessionSnapshot
  readonly decision: Decision<SessionMachine>
  readonly persisted: unknown
  readonly submission: Submission | null
  readonly usage: Usage | null
  readonly contextLost: string | null
  readonly approval: ApprovalRecord | null
  readonly resolution: Resolution | null
  /** The line of the agent that it came of. */
  readonly wire: string | null
  /** Timers that are over with this step, the one that rang included. */
  readonly disarmed: ReadonlyArray<string>
}

/** `idle.asleep`, `turning.running`, `closed`. */
export const nameOf = ({ value }: { readonly value: unknown }): string =>
  typeof value === "string"
    ? value
    : Object.entries(value as object)
        .flat()
        .join(".")
export const stateOf = (name: string): SessionState => name.split(".")[0] as SessionState
