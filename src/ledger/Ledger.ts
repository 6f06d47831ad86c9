/**
 * The book of record. Whatever a session has decided, owes, awaits or said is here before anybody acts on it.
 *
 * Writing is a list of entries, all or nothing. Concurrent writers share one transaction where that costs none of them
 * time; each still learns of its own failure only. Reading is by the row; nothing is cached, so a second process
 * reading the same file sees the truth.
 */
import { Context, Schema } from "effect"
import type { Effect, Option } from "effect"
import type { AppName, FileId, LeaseId, SessionId } from "../domain/Ids.ts"
import type { AuditRecord, SessionRecord, SessionState, StoredEvent } from "../domain/Session.ts"
import type { TurnRecord, Usage } from "../domain/Turn.ts"

/** The ledger could not do it. `operation` completes "could not …". */
export class LedgerError extends Schema.TaggedError<LedgerError>()("LedgerError", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {}

/** One decision of a session's machine. `seq` counts from 1 in each session. */
export interface StepRecord {
  readonly session: SessionId
  readonly seq: number
  readonly at: number
  /** The event as decided on, secrets and prompt texts left out. */
  readonly event: { readonly type: string; readonly [key: string]: unknown }
  readonly from: string
  readonly to: string
  readonly commands: ReadonlyArray<string>
}

/** A command that a step owes the world. */
export interface OwedCommand {
  readonly session: SessionId
  readonly step: number
  readonly nth: number
  readonly type: string
  readonly params: unknown
  /** Never performed again once attempted. */
  readonly once: boolean
  readonly attempted: boolean
}

export interface ArmedTimer {
  readonly session: SessionId
  readonly timer: string
  readonly dueAt: number
  readonly event: { readonly type: string }
}

export interface LeaseRecord {
  readonly id: LeaseId
  readonly session: SessionId | null
  /** Counts the processes of a session: one holder at a time. */
  readonly generation: number
  readonly bootId: string
  readonly openedAt: number
  /** `null` until the process is spawned. */
  readonly pid: number | null
  readonly startTime: string | null
}

export interface FileRecord {
  readonly id: FileId
  readonly app: AppName
  readonly name: string
  readonly size: number
  readonly path: string
  readonly createdAt: number
}

export interface AppRecord {
  readonly name: AppName
  readonly createdAt: number
  readonly revokedAt: number | null
  readonly openSessions: number
}

/** The answer that an Idempotency-Key has got, or that it is still being worked on (`response` null). */
export interface ReceiptRecord {
  readonly app: AppName
  readonly key: string
  /** SHA-256 of method, path and body. */
  readonly fingerprint: string
  readonly createdAt: number
  readonly response: { readonly status: number; readonly body: string } | null
}

/** What may change of a session's row. The snapshot is the machine's persisted state. */
export type SessionPatch = Partial<
  Pick<
    SessionRecord,
    | "state"
    | "substate"
    | "turnCount"
    | "lastActivityAt"
    | "lastTurnAt"
    | "closedAt"
    | "threadId"
    | "restarts"
    | "usage"
  >
> & { readonly snapshot?: unknown }

export type TurnPatch = Partial<
  Pick<
    TurnRecord,
    | "status"
    | "endedAt"
    | "stopReason"
    | "finalText"
    | "usage"
    | "failure"
    | "interrupted"
    | "toolIterations"
    | "threadId"
    | "agentTurnId"
    | "contextLost"
  >
>

export type Entry =
  | { readonly _tag: "SessionInserted"; readonly record: SessionRecord; readonly snapshot: unknown }
  | { readonly _tag: "SessionPatched"; readonly session: SessionId; readonly patch: SessionPatch }
  | { readonly _tag: "StepAppended"; readonly step: StepRecord }
  | { readonly _tag: "CommandOwed"; readonly command: OwedCommand }
  | { readonly _tag: "CommandAttempted"; readonly session: SessionId; readonly step: number; readonly nth: number }
  | { readonly _tag: "CommandSettled"; readonly session: SessionId; readonly step: number; readonly nth: number }
  | { readonly _tag: "TimerArmed"; readonly timer: ArmedTimer }
  | { readonly _tag: "TimerDisarmed"; readonly session: SessionId; readonly timer: string }
  | { readonly _tag: "TurnInserted"; readonly record: TurnRecord }
  | { readonly _tag: "TurnPatched"; readonly session: SessionId; readonly index: number; readonly patch: TurnPatch }
  | { readonly _tag: "EventAppended"; readonly event: StoredEvent }
  | { readonly _tag: "Audited"; readonly record: AuditRecord }
  | { readonly _tag: "LeaseOpened"; readonly lease: LeaseRecord }
  | { readonly _tag: "LeaseSpawned"; readonly lease: LeaseId; readonly pid: number; readonly startTime: string | null }
  | { readonly _tag: "LeaseClosed"; readonly lease: LeaseId }
  | { readonly _tag: "FileInserted"; readonly record: FileRecord }
  | { readonly _tag: "AppInserted"; readonly name: AppName; readonly at: number; readonly tokenHash: string }
  | { readonly _tag: "AppTokenReplaced"; readonly name: AppName; readonly at: number; readonly tokenHash: string }
  | { readonly _tag: "AppRevoked"; readonly name: AppName; readonly at: number }
  | { readonly _tag: "ReceiptOpened"; readonly receipt: ReceiptRecord }
  | {
      readonly _tag: "ReceiptAnswered"
      readonly app: AppName
      readonly key: string
      readonly response: { readonly status: number; readonly body: string }
    }
  | { readonly _tag: "ReceiptForgotten"; readonly app: AppName; readonly key: string }

/** What the sweeper looks for: `null` bounds match nothing. */
export interface SweepBounds {
  readonly createdBefore: number | null
  readonly activeBefore: number | null
  readonly closedBefore: number
  /** At most so many of each kind at once, oldest first. */
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

export interface Page<A> {
  readonly items: ReadonlyArray<A>
  /** How many match in all. */
  readonly count: number
  readonly next: string | null
}

type Read<A> = Effect.Effect<A, LedgerError>

export class Ledger extends Context.Service<
  Ledger,
  {
    /** Durable when it succeeds; nothing of it is written when it fails. */
    readonly write: (entries: ReadonlyArray<Entry>) => Read<void>
    /** Written in order with whatever is written next, at the latest after 50 ms. For what a crash may repeat. */
    readonly writeLater: (entries: ReadonlyArray<Entry>) => Effect.Effect<void>
    /** A row can be written and read back. */
    readonly ping: Read<void>

    readonly session: (id: SessionId) => Read<Option.Option<SessionRecord>>
    readonly snapshot: (id: SessionId) => Read<unknown>
    /** Newest first. */
    readonly sessions: (query: SessionQuery) => Read<Page<SessionRecord>>
    /** Constant time, whatever the number of sessions. */
    readonly openSessions: (app: AppName | null) => Read<number>
    readonly due: (bounds: SweepBounds) => Read<{
      readonly close: ReadonlyArray<SessionRecord>
      readonly remove: ReadonlyArray<SessionRecord>
    }>
    /** Deletes closed sessions and all that belongs to them but their audit trail. */
    readonly remove: (ids: ReadonlyArray<SessionId>) => Read<void>

    /** Open sessions with something to do at boot: an armed timer, an owed command, a turn without an outcome, or a state other than `idle.asleep`. */
    readonly restless: Read<ReadonlyArray<SessionId>>
    readonly owed: (session: SessionId) => Read<ReadonlyArray<OwedCommand>>
    readonly timers: (session: SessionId) => Read<ReadonlyArray<ArmedTimer>>
    /** 0 where there is none. */
    readonly lastStep: (session: SessionId) => Read<number>
    readonly steps: (session: SessionId, after: number, limit: number) => Read<ReadonlyArray<StepRecord>>

    /** Oldest first. */
    readonly turns: (session: SessionId, after: number, limit: number) => Read<ReadonlyArray<TurnRecord>>
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
    readonly leases: Read<ReadonlyArray<LeaseRecord>>

    readonly file: (app: AppName, id: FileId) => Read<Option.Option<FileRecord>>
    readonly filesBefore: (createdBefore: number, limit: number) => Read<ReadonlyArray<FileRecord>>
    readonly removeFiles: (ids: ReadonlyArray<FileId>) => Read<void>

    readonly apps: Read<ReadonlyArray<AppRecord>>
    /** Live (not revoked) tokens, hashed: the caller compares in constant time. */
    readonly tokenHashes: Read<ReadonlyArray<{ readonly app: AppName; readonly tokenHash: string }>>

    readonly receipt: (app: AppName, key: string) => Read<Option.Option<ReceiptRecord>>
    readonly removeReceipts: (createdBefore: number) => Read<number>

    /** Tokens and turns by day (UTC, `YYYY-MM-DD`), app and agent; `from` inclusive, `to` exclusive, in milliseconds. */
    readonly usage: (query: { readonly app: AppName | null; readonly from: number; readonly to: number }) => Read<
      ReadonlyArray<{
        readonly day: string
        readonly app: AppName
        readonly agent: string
        readonly turns: number
        readonly usage: Usage
      }>
    >
  }
>()("troupe/ledger/Ledger") {}
