/** What the ledger is asked for besides single records: filters, pages, and the rows of lists. */
import type { AppName } from "../domain/Ids.ts"
import type { SessionRecord, SessionState } from "../domain/Session.ts"
import type { FailureClass, TurnStatus } from "../domain/Turn.ts"

/** What the sweeper looks for. A bound of `null` matches nothing. */
/** The turn of a submission (`TurnInserted`). */
export interface SubmittedTurn {
  readonly index: number
  readonly fingerprint: string | null
  /** It has no outcome yet. */
  readonly isOpen: boolean
}

export interface SweepBounds {
  readonly createdBefore: number | null
  readonly activeBefore: number | null
  readonly closedBefore: number
  /** At most so many sessions to close, and as many to remove, oldest first. */
  readonly limit: number
}

export interface SessionQuery {
  /** `null`: every app's. */
  readonly app: AppName | null
  readonly state: SessionState | "open" | null
  /** From the last page's `next`. */
  readonly cursor: string | null
  readonly limit: number
}

/** The filters of the dashboard's table; `null` matches any. */
export interface OverviewQuery {
  readonly app: AppName | null
  readonly state: SessionState | null
  readonly agent: string | null
  /** The name of the node that owns it. */
  readonly node: string | null
  /** Part of the id, of the name of the app, agent, state or model, or of the working directory. */
  readonly search: string | null
  /** From the last page's `next`. */
  readonly cursor: string | null
  readonly limit: number
}

/** A session as the dashboard's table shows it, and what it waits for. */
export interface SessionSummary extends Pick<
  SessionRecord,
  | "id"
  | "app"
  | "agent"
  | "state"
  | "substate"
  | "createdAt"
  | "lastActivityAt"
  | "closedAt"
  | "turnCount"
  | "restarts"
  | "lastOutcome"
> {
  /** Of its turns, without its reviews. */
  readonly totalTokens: number
  /** The turn that is running, or else ran last. */
  readonly turn: number
  readonly process: boolean
  /** When it entered its substate. */
  readonly since: number
  /** The title of its oldest open approval. */
  readonly asks: string | null
  /** The name of the node that owns it, unless that has left; `null` where one Troupe works on the ledger alone. */
  readonly node: string | null
  /** The timer that is due first. */
  readonly next: { readonly timer: string; readonly dueAt: number } | null
}

/** A session that is in one of some states. */
export interface WaitingSession extends Pick<SessionRecord, "id" | "app" | "agent" | "substate"> {
  /** The turn that is open, or ran last. */
  readonly turn: number
  /** When it entered its substate. */
  readonly since: number
  /** Why it is parked, as its machine has it; empty where it is not. */
  readonly reason: string
  /** When the first of its timers is due; `null`: none is armed. */
  readonly nextDueAt: number | null
}

/** A failed turn that is its session's last one. */
export interface FailedTurn extends Pick<SessionRecord, "id" | "app" | "agent"> {
  readonly turn: number
  readonly status: TurnStatus
  readonly class: FailureClass | null
  readonly message: string
  readonly endedAt: number
}

/** How often a session took one transition of its machine. */
export interface TransitionCount {
  readonly from: string
  readonly event: string
  readonly to: string
  readonly n: number
}

export interface Page<A> {
  readonly items: ReadonlyArray<A>
  /** The number of matches on all pages. */
  readonly count: number
  readonly next: string | null
}
