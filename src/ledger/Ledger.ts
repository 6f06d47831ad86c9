/**
 * The contract of the ledger, the durable record of all sessions: whatever a session has decided, must do, waits for or
 * said is here before anybody acts on it. A driver keeps it; `src/wiring.ts` chooses which.
 *
 * Writing is a list of entries, all or nothing. Concurrent writers share one transaction where that costs none of them
 * time; each still learns of its own failure only. Reading is by the row; nothing is cached, so a second process that
 * reads the same database sees what was committed. What was acknowledged outlives this process.
 */
import { Context } from "effect"
import type { Effect, Option } from "effect"
import type { AppBounds } from "../domain/appBounds.ts"
import type { ApprovalRecord } from "../domain/Approval.ts"
import type { Cost } from "../domain/Cost.ts"
import type { AppName, FileId, LeaseId, NodeToken, SessionId } from "../domain/Ids.ts"
import type { Memory, OwedReview, ReviewRecord, Skill } from "../domain/Review.ts"
import type { AuditRecord, SessionRecord, SessionState, StoredEvent } from "../domain/Session.ts"
import type { TallyRecord } from "../domain/Tally.ts"
import type { TurnRecord, Usage } from "../domain/Turn.ts"
import type { WebhookDelivery, WebhookState } from "../domain/Webhook.ts"
import type {
  FailedTurn,
  NamedSession,
  OverviewPage,
  OverviewQuery,
  Page,
  SessionQuery,
  SessionSummary,
  SubmittedTurn,
  SweepBounds,
  TransitionCount,
  WaitingSession
} from "./LedgerQuery.ts"
import type {
  AppRecord,
  ArmedTimer,
  CapsuleRecord,
  Claim,
  ClaimRecord,
  LedgerWrite,
  FileRecord,
  LeaseRecord,
  NodePlace,
  NodeRecord,
  NodeStatus,
  NudgeRecord,
  OutboxCommand,
  ReceiptRecord,
  StepRecord
} from "./LedgerWrite.ts"
import type { Announcements } from "./Announcements.ts"
import type { LedgerAway } from "./Availability.ts"
import type { LedgerError } from "./LedgerError.ts"

// Re-exported, so that a user of the ledger needs one import.
export type * from "./LedgerQuery.ts"
export { anySession, sessionsSearched } from "./LedgerQuery.ts"
export type * from "./LedgerWrite.ts"
export type { Announcements } from "./Announcements.ts"
export type { LedgerAway } from "./Availability.ts"
export { LedgerError, LedgerUnusable } from "./LedgerError.ts"
export type { LedgerErrorKind } from "./LedgerError.ts"

export interface LedgerSize {
  readonly bytes: number
  readonly walBytes: number
}

type Read<A> = Effect.Effect<A, LedgerError>

export class Ledger extends Context.Service<
  Ledger,
  {
    /**
     * All entries are stored when it succeeds, none when it fails. Uninterruptible, so that the caller learns which. While
     * the ledger is away it waits, at most as long as patience lasts.
     */
    readonly write: (entries: ReadonlyArray<LedgerWrite>) => Read<void>
    /**
     * Stores the entries in order with the next write, at the latest after 50 ms, or when the ledger is back, however long
     * that takes. For what may be lost in a crash of this process and is then repeated. Only an entry that the ledger
     * refuses is lost, with a line in the log. Waits only where a thousand callers are queued.
     */
    readonly writeLater: (entries: ReadonlyArray<LedgerWrite>) => Effect.Effect<void>
    /** Succeeds where a row can be written and read back. Fails at once while the ledger is away. */
    readonly ping: Read<void>
    /** `null` while the ledger takes writes. */
    readonly away: () => LedgerAway | null
    /** Waits until the ledger takes writes again; at once where it does. */
    readonly available: Effect.Effect<void>

    /** `null` where no other Troupe can work on the database. */
    readonly announcements: Announcements | null

    /** Gives the space of what was removed back to the machine, a bounded part of it a call; how many pages. */
    readonly giveBackSpace: Read<number>
    /** How large the database is; `walBytes`: the write-ahead log beside its file, 0 where that is not Troupe's to watch. */
    readonly size: Read<LedgerSize>

    readonly session: (id: SessionId) => Read<Option.Option<SessionRecord>>
    /** The machine's persisted snapshot; `null` where there is no such session. */
    readonly snapshot: (id: SessionId) => Read<unknown>
    /** Newest first. Fails on a cursor that `parseCursor` (Cursor.ts) refuses: check what a client sends. */
    readonly sessions: (query: SessionQuery) => Read<Page<SessionRecord>>
    /**
     * Sorted by the last activity, and filtered by app, state and substate alone, it has all sessions, and so by creation without a
     * state. Every other filter, and what sorts by anything else, looks at the 10,000 open and the 10,000 closed sessions that
     * were active last, and `count` counts matches among those. Fails on a cursor that was made for another sort.
     */
    readonly overview: (query: OverviewQuery) => Read<OverviewPage>
    readonly summary: (id: SessionId) => Read<Option.Option<SessionSummary>>
    /** Those of them that there are, in no order. */
    readonly summaries: (ids: ReadonlyArray<SessionId>) => Read<ReadonlyArray<SessionSummary>>
    /** What they are called by; in no order. */
    readonly namedSessions: (ids: ReadonlyArray<SessionId>) => Read<ReadonlyArray<NamedSession>>
    /**
     * Open sessions in these states, none of which may be `idle.asleep`, oldest first. Only sessions that do not sleep are
     * looked at.
     */
    readonly waitingSessions: (
      app: AppName | null,
      substates: ReadonlyArray<string>,
      limit: number
    ) => Read<ReadonlyArray<WaitingSession>>
    /**
     * Open sessions whose last turn failed since then, the last that failed first, and no other is open; among the last
     * 10,000 failed turns.
     */
    readonly failedLastTurns: (app: AppName | null, since: number, limit: number) => Read<ReadonlyArray<FailedTurn>>
    /** Whatever the number of sessions: only those at work are counted, the others are known. */
    readonly stateCounts: (app: AppName | null) => Read<Readonly<Record<SessionState, number>>>
    /** Failed turns that ended from `from` on and before `to`, the last first; those of deleted sessions are gone. */
    readonly failedTurns: (
      app: AppName | null,
      from: number,
      to: number,
      limit: number
    ) => Read<ReadonlyArray<FailedTurn>>
    /** What was counted of the fleet since then, the last first. */
    readonly tallies: (app: AppName | null, since: number, limit: number) => Read<ReadonlyArray<TallyRecord>>
    /** Of the open sessions, by substate: those that do not sleep are counted, the others are known. */
    readonly substateCounts: (app: AppName | null) => Read<Readonly<Record<string, number>>>
    /** The agents of the newest 5,000 sessions, and the apps that have sessions. */
    readonly agentsAndApps: (
      app: AppName | null
    ) => Read<{ readonly agents: ReadonlyArray<string>; readonly apps: ReadonlyArray<string> }>
    /** Those that have had this conversation of an agent's, open or not. */
    readonly sessionsOfThread: (thread: string) => Read<ReadonlyArray<SessionRecord>>
    /** In constant time, whatever the number of sessions. */
    readonly openSessions: (app: AppName | null) => Read<number>
    /** Open sessions that the sweeper has to close, and closed ones that it has to remove. */
    readonly dueForSweep: (bounds: SweepBounds) => Read<{
      readonly close: ReadonlyArray<SessionRecord>
      readonly remove: ReadonlyArray<SessionRecord>
    }>
    /**
     * Deletes closed sessions (open ones stay) and all that belongs to them except their audit trail and their usage. An
     * open lease stays too, without its session: its process still has to be ended. `lines` are the sessions' last: each
     * joins its trail in the same commit, where the session is gone then and has no such line yet. A session that somebody
     * writes for at this moment stays. Fails as `unmet` while another node removes.
     */
    readonly remove: (ids: ReadonlyArray<SessionId>, lines: ReadonlyArray<AuditRecord>) => Read<void>

    /** The nodes that have not left, and whose lease is not over. */
    readonly nodes: Read<ReadonlyArray<NodeRecord>>
    /** This node, and all others that have not left and were not declared dead; with the database's time. */
    readonly nodesBeside: (token: NodeToken) => Read<ReadonlyArray<{ readonly node: NodeRecord; readonly at: number }>>
    /**
     * The same with what they own, oldest first, and those whose lease is over, which are kept for about a day; of a node
     * that was started again, the last start. Every session is looked at: for people, not for each request.
     */
    readonly nodeStatuses: Read<ReadonlyArray<NodeStatus>>
    /** Of those that have not left, for about a day after their lease. None where one Troupe works on it alone. */
    readonly nodeNames: Read<ReadonlyArray<string>>
    /** Also one that has left, for a day. */
    readonly node: (token: NodeToken) => Read<Option.Option<NodeRecord>>
    /** The living node that owns the session. */
    readonly placeOf: (session: SessionId) => Read<Option.Option<NodePlace>>
    readonly ownerOf: (session: SessionId) => Read<Option.Option<NodeRecord>>
    /**
     * The nodes that own these sessions, whether they live or not. Absent are sessions that nobody has claimed, and those of
     * a node that has left: it ended all that ran for them.
     */
    readonly ownersOf: (sessions: ReadonlyArray<SessionId>) => Read<ReadonlyMap<SessionId, NodeRecord>>
    /** The session's last claim, whether its owner lives or not; `null`: nobody has claimed it yet. */
    readonly claimOf: (session: SessionId) => Read<Option.Option<Claim | null>>
    /** At most `limit` open sessions of the node, and none of `except`. */
    readonly claimsOf: (owner: NodeToken, except: ReadonlyArray<SessionId>, limit: number) => Read<ReadonlyArray<Claim>>
    /** The last `limit` changes of owner, oldest first. */
    readonly claims: (session: SessionId, limit: number) => Read<ReadonlyArray<ClaimRecord>>
    /**
     * Sessions that need an actor, and that no living node owns: those with an armed timer, a command in the outbox or a turn without
     * an outcome (closed ones too: the commands of their last step may not be done), and open ones in a state other than
     * `idle.asleep`.
     */
    readonly sessionsToRecover: (chart: number) => Read<ReadonlyArray<SessionId>>
    readonly outbox: (session: SessionId) => Read<ReadonlyArray<OutboxCommand>>
    readonly timers: (session: SessionId) => Read<ReadonlyArray<ArmedTimer>>
    /** The number of the last step; 0 where there is none. */
    readonly lastStep: (session: SessionId) => Read<number>
    readonly steps: (session: SessionId, after: number, limit: number) => Read<ReadonlyArray<StepRecord>>
    /** Counts the transitions among the session's last `limit` steps. */
    readonly transitionCounts: (session: SessionId, limit: number) => Read<ReadonlyArray<TransitionCount>>
    /** The last `limit` steps that start, end or begin to retire a process, oldest first; of the last 5,000 steps. */
    readonly processSteps: (session: SessionId, limit: number) => Read<ReadonlyArray<StepRecord>>
    /** The wire line that caused a step, redacted and bounded before it was stored (`WireLine`). */
    readonly wireLine: (session: SessionId, seq: number) => Read<Option.Option<string>>

    /** Oldest first. */
    readonly turns: (session: SessionId, after: number, limit: number) => Read<ReadonlyArray<TurnRecord>>
    /** The same with at most the first 4,096 characters of each prompt, which may be a megabyte. */
    readonly turnOutlines: (session: SessionId, after: number, limit: number) => Read<ReadonlyArray<TurnRecord>>
    readonly turn: (session: SessionId, index: number) => Read<Option.Option<TurnRecord>>
    readonly turnOfSubmission: (session: SessionId, submission: string) => Read<Option.Option<SubmittedTurn>>
    /** By their names, those of them that there are. */
    readonly turnsOfSubmissions: (
      session: SessionId,
      submissions: ReadonlyArray<string>
    ) => Read<ReadonlyMap<string, SubmittedTurn>>

    /** The number of the last event; 0 where there is none. */
    readonly lastEvent: (session: SessionId) => Read<number>
    /** In order, `seq > after`, at most `limit`. */
    readonly events: (session: SessionId, after: number, limit: number) => Read<ReadonlyArray<StoredEvent>>
    readonly eventsOfTurn: (session: SessionId, turn: number) => Read<ReadonlyArray<StoredEvent>>

    /** Oldest first. It outlives its session. */
    readonly audit: (session: SessionId, limit: number) => Read<ReadonlyArray<AuditRecord>>
    /** Those of them that were deleted (`sweep_delete`), as long as their trails are kept. */
    readonly deletedSessions: (ids: ReadonlyArray<SessionId>) => Read<ReadonlyArray<SessionId>>
    /** Removes the whole trails of at most so many sessions that were deleted (`sweep_delete`) before then; how many rows. */
    readonly removeAudit: (deletedBefore: number, sessions: number) => Read<number>
    readonly leases: Read<ReadonlyArray<LeaseRecord>>
    readonly lease: (id: LeaseId) => Read<Option.Option<LeaseRecord>>

    /** Of the app's sessions that have, or had, this conversation of an agent's; what was stored last comes first. */
    readonly capsules: (app: AppName, thread: string) => Read<ReadonlyArray<CapsuleRecord>>
    /** `None`: it was replaced meanwhile. */
    readonly capsulePart: (session: SessionId, series: number, nth: number) => Read<Option.Option<string>>

    readonly file: (app: AppName, id: FileId) => Read<Option.Option<FileRecord>>
    /** Oldest first. With `node`, those that are on its disk, or may be. */
    readonly filesBefore: (createdBefore: number, limit: number, node?: string) => Read<ReadonlyArray<FileRecord>>
    /** Those of them that have a record. */
    readonly knownFiles: (ids: ReadonlyArray<FileId>) => Read<ReadonlyArray<FileId>>
    readonly removeFiles: (ids: ReadonlyArray<FileId>) => Read<void>

    readonly apps: Read<ReadonlyArray<AppRecord>>
    /** What the app may ask for, also a revoked one, whose sessions go on; `null`: anything, as a name may that no app has. */
    readonly appBounds: (app: AppName) => Read<AppBounds | null>
    /** The app whose token has this hash and is not revoked, and the stored hash: the caller compares in constant time. */
    readonly appByToken: (
      tokenHash: string
    ) => Read<Option.Option<{ readonly app: AppName; readonly tokenHash: string; readonly createdAt: number }>>

    /** With its effect; without a response where its request was accepted and is not answered yet. */
    readonly receipt: (app: AppName, key: string) => Read<Option.Option<ReceiptRecord>>
    readonly removeReceipts: (createdBefore: number) => Read<number>

    /** `None` also where it belongs to another session. */
    readonly approval: (session: SessionId, id: string) => Read<Option.Option<ApprovalRecord>>
    /** Oldest first. */
    readonly pendingApprovals: (session: SessionId) => Read<ReadonlyArray<ApprovalRecord>>
    /** The pending approvals of all sessions, oldest first. */
    readonly inbox: (
      app: AppName | null,
      limit: number
    ) => Read<ReadonlyArray<ApprovalRecord & { readonly app: AppName; readonly agent: string }>>
    /** The last `limit` approvals, settled ones too, oldest first. */
    readonly lastApprovals: (session: SessionId, limit: number) => Read<ReadonlyArray<ApprovalRecord>>

    /** Oldest first, with what is owed to each. */
    readonly webhooks: Read<ReadonlyArray<WebhookState>>
    /** What was due first comes first. */
    readonly dueDeliveries: (webhook: string, limit: number) => Read<ReadonlyArray<WebhookDelivery>>
    /** For so long nobody else takes it. 0: another node has taken it since it was read. */
    readonly takeDelivery: (delivery: WebhookDelivery, forMillis: number) => Read<number>
    /** What was given up of events from before then, and what was owed to webhooks that are gone; how many. */
    readonly removeDeliveries: (createdBefore: number) => Read<number>

    /** `None` before the session's first turn is counted. */
    readonly nudgeCounters: (session: SessionId) => Read<Option.Option<NudgeRecord>>
    /**
     * At most `limit` reviews that are due and have not begun, oldest first within each session: those of sessions that the
     * node owns, or no living one does.
     */
    readonly owedReviews: (node: NodeToken, limit: number) => Read<ReadonlyArray<OwedReview>>
    /** Newest first. */
    readonly reviews: (session: SessionId, limit: number) => Read<ReadonlyArray<ReviewRecord>>
    /** The tokens that the reviews of each session used in all. Sessions without reviews are absent. */
    readonly reviewUsage: (sessions: ReadonlyArray<SessionId>) => Read<ReadonlyMap<SessionId, Usage>>
    /** Oldest first. */
    readonly memories: (app: AppName) => Read<ReadonlyArray<Memory>>
    /** By name. */
    readonly skills: (app: AppName) => Read<ReadonlyArray<Skill>>

    /**
     * Tokens and turns by day (UTC, `YYYY-MM-DD`), app and agent, also after their session is removed. A turn counts on
     * the day on which it ended, the tokens of a review on the day on which it began. Whole days are reported: from the day
     * of `from` to the last that begins before `to` (both in milliseconds since 1970).
     */
    readonly usage: (query: { readonly app: AppName | null; readonly from: number; readonly to: number }) => Read<
      ReadonlyArray<{
        readonly day: string
        readonly app: AppName
        readonly agent: string
        readonly turns: number
        readonly usage: Usage
      }>
    >
    /** What each session has cost so far. Sessions whose agents report no cost are absent. */
    readonly costsOfSessions: (sessions: ReadonlyArray<SessionId>) => Read<ReadonlyMap<SessionId, Cost>>
    /** As `usage`, by currency too. A turn counts on the day on which its agent first reported its cost. */
    readonly costs: (query: {
      readonly app: AppName | null
      readonly from: number
      readonly to: number
    }) => Read<
      ReadonlyArray<{ readonly day: string; readonly app: AppName; readonly agent: string; readonly cost: Cost }>
    >
  }
>()("troupe/ledger/Ledger") {}
