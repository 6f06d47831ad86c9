/** What is told of sessions: `News` tells it. */
import type { SessionEvent, SessionSnapshot } from "../../machines/session/machine.ts"
import type { ApprovalRecord } from "../domain/Approval.ts"
import type { SessionId } from "../domain/Ids.ts"
import type { SessionRecord, StoredEvent } from "../domain/Session.ts"
import type { TurnRecord } from "../domain/Turn.ts"

export interface SessionNews {
  readonly session: SessionId
  /** The numbers of its last stored step and event; 0: none, or not known. */
  readonly step: number
  readonly event: number
  /** There is a new step, and not only events. */
  readonly stepped: boolean
  /** The turns whose outcome was stored. */
  readonly settled: ReadonlyArray<number>
  /** The session is closed: this is its last step. */
  readonly closed: boolean
  /** `null`: the ledger has it, and maybe more than the other fields say. */
  readonly stored: Stored | null
}

/** What one commit of this process stored. */
export interface Stored {
  /** In order of `seq`. */
  readonly events: ReadonlyArray<StoredEvent>
  /** The length of their messages as JSON. */
  readonly characters: number
  /** `null` where it held only events. */
  readonly step: Committed | null
}

export interface Committed {
  readonly record: SessionRecord
  readonly seq: number
  readonly at: number
  readonly event: SessionEvent
  readonly before: SessionSnapshot
  readonly snapshot: SessionSnapshot
  /** When the session entered its present state. */
  readonly since: number
  readonly next: NextTimer | null
  /** The approval that this step requested. */
  readonly newApproval: Pick<ApprovalRecord, "id" | "title"> | null
  /** Turns that have ended with it, as they are stored, but for their cost; not those that another actor accepted. */
  readonly ended: ReadonlyArray<TurnRecord>
}

/** A timer of a session that is stored in the ledger, and when it is due, in milliseconds since 1970. */
export interface NextTimer {
  readonly timer: string
  readonly dueAt: number
}

/** What is left of a deleted session: enough to tell who saw it. */
export type RemovedSession = Pick<SessionRecord, "id" | "app" | "createdAt">

/**
 * A session was created or deleted, which is no step of its machine; so many have another owner, or none, that each is not
 * named; or anything may have happened to any of them.
 */
export type SessionLifecycle =
  | { readonly what: "created"; readonly record: SessionRecord }
  | { readonly what: "removed"; readonly record: RemovedSession }
  | { readonly what: "moved" }
  | { readonly what: "missed" }
