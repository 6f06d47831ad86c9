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
import type { ApprovalRecord } from "../domain/Approval.ts"
import type { Cost } from "../domain/Cost.ts"
import type { AppName, FileId, SessionId } from "../domain/Ids.ts"
import type { Memory, ReviewRecord, Skill } from "../domain/Review.ts"
import type { AuditRecord, SessionRecord, SessionState, StoredEvent } from "../domain/Session.ts"
import type { TurnRecord, Usage } from "../domain/Turn.ts"
import type {
  AppRecord,
  ArmedTimer,
  LedgerWrite,
  FileRecord,
  SessionSummary,
  LeaseRecord,
  NudgeRecord,
  OverviewQuery,
  OutboxCommand,
  Page,
  ReceiptRecord,
  SessionQuery,
  StepRecord,
  SweepBounds,
  TransitionCount
} from "./LedgerWrite.ts"
import type { LedgerError } from "./LedgerError.ts"

// The contract's words come with it: whoever has a ledger in hand needs one import.
export type * from "./LedgerWrite.ts"
export { LedgerError, LedgerUnusable } from "./LedgerError.ts"

type Read<A> = Effect.Effect<A, LedgerError>

export class Ledger extends Context.Service<
  Ledger,
  {
    /** Stored when it succeeds; nothing of it is written when it fails. Not interruptible: its caller knows which. */
    readonly write: (entries: ReadonlyArray<LedgerWrite>) => Read<void>
    /**
     * Written in order with whatever is written next, at the latest after 50 ms. For what a crash may repeat: where it
     * can't be written, the log tells. Waits only where a thousand callers are in line.
     */
    readonly writeLater: (entries: ReadonlyArray<LedgerWrite>) => Effect.Effect<void>
    /** A row can be written and read back. */
    readonly ping: Read<void>

    readonly session: (id: SessionId) => Read<Option.Option<SessionRecord>>
    /** `null` where there is no such session. */
    readonly snapshot: (id: SessionId) => Read<unknown>
    /** Newest first. Fails on a cursor that `parseCursor` (Cursor.ts) does not take: check what a caller sends. */
    readonly sessions: (query: SessionQuery) => Read<Page<SessionRecord>>
    /**
     * The last active first. By agent and text it looks through the last active 10,000 open and as many closed ones, and
     * `count` counts among those. Fails on a cursor that is none.
     */
    readonly overview: (query: OverviewQuery) => Read<Page<SessionSummary>>
    readonly glance: (id: SessionId) => Read<Option.Option<SessionSummary>>
    /** Constant time, as `openSessions`. */
    readonly stateCounts: (app: AppName | null) => Read<Readonly<Record<SessionState, number>>>
    /** Agents of the newest 5,000 sessions, and apps that have any. */
    readonly names: (
      app: AppName | null
    ) => Read<{ readonly agents: ReadonlyArray<string>; readonly apps: ReadonlyArray<string> }>
    /** Constant time, whatever the number of sessions. */
    readonly openSessions: (app: AppName | null) => Read<number>
    readonly due: (bounds: SweepBounds) => Read<{
      readonly close: ReadonlyArray<SessionRecord>
      readonly remove: ReadonlyArray<SessionRecord>
    }>
    /**
     * Deletes closed sessions (open ones stay) and all that belongs to them but their audit trail and what they used.
     * A lease that is still open stays too, without its session: it is a process that somebody must end.
     */
    readonly remove: (ids: ReadonlyArray<SessionId>) => Read<void>

    /**
     * Sessions with something to do at boot: an armed timer, an owed command, a turn without an outcome (closed ones
     * too: what their last step owed may be unpaid), and open ones in a state other than `idle.asleep`.
     */
    readonly restless: Read<ReadonlyArray<SessionId>>
    readonly outbox: (session: SessionId) => Read<ReadonlyArray<OutboxCommand>>
    readonly timers: (session: SessionId) => Read<ReadonlyArray<ArmedTimer>>
    /** 0 where there is none. */
    readonly lastStep: (session: SessionId) => Read<number>
    readonly steps: (session: SessionId, after: number, limit: number) => Read<ReadonlyArray<StepRecord>>
    /** Its last steps, at most `limit`, counted by kind. */
    readonly taken: (session: SessionId, limit: number) => Read<ReadonlyArray<TransitionCount>>
    /** Steps that start, end or begin to retire a process, the last of them, oldest first; of the last 5,000 steps. */
    readonly lifeSteps: (session: SessionId, limit: number) => Read<ReadonlyArray<StepRecord>>
    /** The agent's line behind a step, redacted and bounded by whoever stored it (`WireLine`). */
    readonly wire: (session: SessionId, seq: number) => Read<Option.Option<string>>

    /** Oldest first. */
    readonly turns: (session: SessionId, after: number, limit: number) => Read<ReadonlyArray<TurnRecord>>
    /** The same with at most 4 kB of what was asked, which may be a megabyte each. */
    readonly turnOutlines: (session: SessionId, after: number, limit: number) => Read<ReadonlyArray<TurnRecord>>
    readonly turn: (session: SessionId, index: number) => Read<Option.Option<TurnRecord>>
    /** `queued` and `running` ones, oldest first. */
    readonly openTurns: (session: SessionId) => Read<ReadonlyArray<TurnRecord>>

    /** 0 where there is none. */
    readonly lastEvent: (session: SessionId) => Read<number>
    /** In order, `seq > after`, at most `limit`. */
    readonly events: (session: SessionId, after: number, limit: number) => Read<ReadonlyArray<StoredEvent>>
    readonly eventsOfTurn: (session: SessionId, turn: number) => Read<ReadonlyArray<StoredEvent>>

    /** Oldest first; outlives its session. */
    readonly audit: (session: SessionId, limit: number) => Read<ReadonlyArray<AuditRecord>>
    /** The whole trails of at most so many sessions that were buried (`sweep_delete`) before then; how many lines. */
    readonly removeAudit: (buriedBefore: number, sessions: number) => Read<number>
    readonly leases: Read<ReadonlyArray<LeaseRecord>>

    readonly file: (app: AppName, id: FileId) => Read<Option.Option<FileRecord>>
    readonly filesBefore: (createdBefore: number, limit: number) => Read<ReadonlyArray<FileRecord>>
    readonly removeFiles: (ids: ReadonlyArray<FileId>) => Read<void>

    readonly apps: Read<ReadonlyArray<AppRecord>>
    /** The app whose live (not revoked) token has this hash, and the hash as stored: the caller compares in constant time. */
    readonly appByToken: (
      tokenHash: string
    ) => Read<Option.Option<{ readonly app: AppName; readonly tokenHash: string }>>

    readonly receipt: (app: AppName, key: string) => Read<Option.Option<ReceiptRecord>>
    readonly removeReceipts: (createdBefore: number) => Read<number>

    /** `None` also where it is another session's. */
    readonly approval: (session: SessionId, id: string) => Read<Option.Option<ApprovalRecord>>
    /** Oldest first. */
    readonly pendingApprovals: (session: SessionId) => Read<ReadonlyArray<ApprovalRecord>>
    /** Those of all sessions, oldest first. */
    readonly inbox: (
      app: AppName | null,
      limit: number
    ) => Read<ReadonlyArray<ApprovalRecord & { readonly app: AppName; readonly agent: string }>>
    /** All, settled ones too: the last of them, oldest first. */
    readonly lastApprovals: (session: SessionId, limit: number) => Read<ReadonlyArray<ApprovalRecord>>

    /** `None` before the session's first turn is counted. */
    readonly nudges: (session: SessionId) => Read<Option.Option<NudgeRecord>>
    /** Newest first. */
    readonly reviews: (session: SessionId, limit: number) => Read<ReadonlyArray<ReviewRecord>>
    /** What the reviews of each session have used in all; a session without any is not in it. */
    readonly reviewUsage: (sessions: ReadonlyArray<SessionId>) => Read<ReadonlyMap<SessionId, Usage>>
    /** Oldest first. */
    readonly memories: (app: AppName) => Read<ReadonlyArray<Memory>>
    /** By name. */
    readonly skills: (app: AppName) => Read<ReadonlyArray<Skill>>

    /**
     * Tokens and turns by day (UTC, `YYYY-MM-DD`), app and agent, also after their session is removed. A turn counts on
     * the day on which it ended, the tokens of a review on the day on which it began. Days count whole: from the one that
     * `from` falls on, up to the last that begins before `to` (milliseconds).
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
    /** What each session has cost so far; one whose agent tells nothing is not in it. */
    readonly costsOfSessions: (sessions: ReadonlyArray<SessionId>) => Read<ReadonlyMap<SessionId, Cost>>
    /** As `usage`, by currency too; a turn counts on the day on which its agent first told what it cost. */
    readonly costs: (query: {
      readonly app: AppName | null
      readonly from: number
      readonly to: number
    }) => Read<
      ReadonlyArray<{ readonly day: string; readonly app: AppName; readonly agent: string; readonly cost: Cost }>
    >
  }
>()("troupe/ledger/Ledger") {}
