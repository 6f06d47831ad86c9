/** What the ledger is asked for besides single records: filters, pages, and the rows of lists. */
import type { AppName } from "../domain/Ids.ts"
import type { SessionRecord, SessionState } from "../domain/Session.ts"
import type { FailureClass, LastOutcome, TurnStatus } from "../domain/Turn.ts"

/** The turn of a submission (`TurnInserted`). */
export interface SubmittedTurn {
  readonly index: number
  readonly fingerprint: string | null
  /** It has no outcome yet. */
  readonly isOpen: boolean
}

/** What the sweeper looks for. A bound of `null` matches nothing. */
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

/**
 * What a list is sorted by: the last activity, the time of creation, the time in the present substate, the end of the last turn,
 * what its turns cost, or their number.
 */
export type SessionSort = "activity" | "created" | "state" | "outcome" | "cost" | "turns"

/** The filters of the dashboard's table; `null` matches any. */
export interface OverviewQuery {
  readonly app: AppName | null
  readonly state: SessionState | null
  /** Such as `turning.asking`. */
  readonly substate: string | null
  readonly agent: string | null
  /** The name of the node that owns it. */
  readonly node: string | null
  /** How the last turn ended that has. */
  readonly outcome: LastOutcome["status"] | null
  /** A member of its metadata that has this value; numbers and flags as JSON has them. */
  readonly meta: { readonly key: string; readonly value: string } | null
  /** Part of the id, of the name, of the app, agent, state or model, or of the working directory. */
  readonly search: string | null
  readonly sort: SessionSort
  /** The newest, longest, dearest or most first; else the other way around. Those without a value are last in both. */
  readonly descending: boolean
  /** From the last page's `next`, of the same sort. */
  readonly cursor: string | null
  readonly limit: number
}

/** How many open sessions, and how many closed ones, are looked at where no index has what is asked: those that were active last. */
export const sessionsSearched = 10_000

/** All sessions, the last active first. */
export const anySession: Omit<OverviewQuery, "limit"> = {
  app: null,
  state: null,
  substate: null,
  agent: null,
  node: null,
  outcome: null,
  meta: null,
  search: null,
  sort: "activity",
  descending: true,
  cursor: null
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
  /** Why it is parked, as its machine has it; empty where it is not. */
  readonly reason: string
  /** That its app gave it, and how its first prompt begins: what it is called by (`sessionName.ts`). */
  readonly title: string | null
  readonly opening: string | null
  /** Of its metadata what fits into columns of a list. */
  readonly meta: Readonly<Record<string, string>>
}

/** What a session is called by. */
export type NamedSession = Pick<SessionSummary, "id" | "title" | "opening">

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

export interface OverviewPage extends Page<SessionSummary> {
  /** No index has what was asked, and only `sessionsSearched` were looked at. */
  readonly isSearched: boolean
}
