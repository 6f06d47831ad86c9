/** What the ledger keeps: its records, and the entries that are written to it. */
import type { AppBounds } from "../domain/appBounds.ts"
import type { ApprovalRecord, Resolution } from "../domain/Approval.ts"
import type { AppName, FileId, LeaseId, NodeToken, SessionId } from "../domain/Ids.ts"
import type { Memory, OwedReview, ReviewEnding, ReviewRecord, Skill } from "../domain/Review.ts"
import type { AuditRecord, SessionRecord, StoredEvent, sessionPatchKeys } from "../domain/Session.ts"
import type { SupervisorProcess } from "../domain/SupervisorProcess.ts"
import type { TallyRecord } from "../domain/Tally.ts"
import type { TurnRecord, turnPatchKeys } from "../domain/Turn.ts"
import type { WebhookDelivery, WebhookRecord } from "../domain/Webhook.ts"

/** One decision of a session's machine. `seq` counts from 1 in each session. */
export interface StepRecord {
  readonly session: SessionId
  readonly seq: number
  readonly at: number
  /** The event that the machine decided on, without secrets and prompt texts. */
  readonly event: { readonly type: string; readonly [key: string]: unknown }
  readonly from: string
  readonly to: string
  readonly commands: ReadonlyArray<string>
  /** A wire line of the agent caused it and is stored with it: `Ledger.wireLine` reads it. */
  readonly hasWire?: true
}

/** A command that a step decided on and that is still to be performed. */
export interface OutboxCommand {
  readonly session: SessionId
  readonly step: number
  readonly nth: number
  readonly type: string
  readonly params: unknown
  /** At most once: it is never performed again after it was claimed. */
  readonly once: boolean
  /** Somebody has begun to perform it. */
  readonly claimed: boolean
}

/** A timer of a session that survives a restart: when it is due, the session's machine gets the event. */
export interface ArmedTimer {
  readonly session: SessionId
  readonly timer: string
  readonly dueAt: number
  readonly event: { readonly type: string }
}

/** An agent process that runs or may run. `session` is `null` for a one-shot run, and after its session was deleted. */
export interface LeaseRecord {
  readonly id: LeaseId
  readonly session: SessionId | null
  /** The number of the process among those of its session; one holds a lease at a time. */
  readonly generation: number
  /** The boot of the machine that it was opened on. */
  readonly bootId: string
  /** Who opened it; `null` for leases of 0.1.0. */
  readonly supervisor: SupervisorProcess | null
  readonly openedAt: number
  /** The name of the node that it was opened on; `null` for leases of a Troupe that had no nodes. */
  readonly node: string | null
  /** `null` until the process is spawned. */
  readonly pid: number | null
  readonly startTime: string | null
}

/**
 * The right to write for a session, as it was when the session was claimed. Every commit for the session is refused
 * (`fenced`) once another node has claimed it: its epoch is a higher one then.
 */
export interface Claim {
  readonly session: SessionId
  readonly owner: NodeToken
  readonly epoch: number
}

/** A start of Troupe that works, or worked, on the ledger. Times are the database's, in milliseconds since 1970. */
export interface NodeRecord {
  readonly token: NodeToken
  /** Of the machine or container; it stays when the node is started again. */
  readonly name: string
  /** Where other nodes reach it; `null`: nowhere. */
  readonly url: string | null
  readonly version: string
  /** The version of the sessions' chart that it knows: it takes no session that a later one has had. */
  readonly chart: number
  readonly joinedAt: number
  /** Others may declare it dead from then on; `null`: not before it has left, as long as it holds the ledger's lock. */
  readonly leaseUntil: number | null
  /** Another node has declared it dead since its last renewal, so that its sessions can be claimed. */
  readonly isDead: boolean
  /** The nodes that it asks before its agents go on beyond its lease. */
  readonly asks: ReadonlyArray<NodeToken>
  /** A node that it does not ask may declare it dead from then on; `null`: as soon as its lease is over. */
  readonly asksUntil: number | null
  /** It takes no further sessions, and lets go of those that it has. */
  readonly draining: boolean
  /** An operator wants it to drain. It hears that with the next renewal of its lease. */
  readonly drainAsked: boolean
  /** As it told it last; `null`: it did not yet, or is of a version that does not. */
  readonly load: NodeLoad | null
}

/** Process slots of a node, and the kinds of agents that it does not start at the moment. */
export interface NodeLoad {
  readonly held: number
  readonly waiting: number
  readonly size: number
  readonly broken: ReadonlyArray<string>
}

/** What decides which node is to have a session that nobody owns. */
export interface NodePlace {
  readonly agent: string
  /** The name of the node that has its work directory; `null`: none has, or any. */
  readonly home: string | null
  /** The latest version of the chart that has had it. */
  readonly chart: number
}

/** A node as the database sees it. */
export interface NodeStatus {
  readonly node: NodeRecord
  /** Its lease is not over. */
  readonly lives: boolean
  /** The open sessions that it owns. */
  readonly sessions: number
  /** The database's time, which all of the node's times are of. */
  readonly at: number
}

/** What had become of a session's owner when another node claimed it. */
export type OwnerBefore =
  /** It had left. */
  | "left"
  /** It was declared dead. */
  | "silent"
  /** It lives, and had let go of the session. */
  | "released"

/** A session's change of owner. */
export interface ClaimRecord {
  readonly session: SessionId
  readonly epoch: number
  readonly owner: NodeToken
  /** The name of the owner's node. */
  readonly node: string
  /** By the database's clock, in milliseconds since 1970. */
  readonly at: number
  /** Every step with a higher number is of this epoch or a later one. */
  readonly afterStep: number
  /** `null`: there was none, or it is not known. */
  readonly ownerBefore: OwnerBefore | null
}

/**
 * What is stored of an agent's own conversation, so that the agent can go on with it on another node. The parts behind it
 * are what was said: nothing but the agent's own directory gets them.
 */
export interface CapsuleRecord {
  readonly session: SessionId
  /** The agent's own id of the conversation. */
  readonly thread: string
  /** The last turn of the session that is in it. */
  readonly turn: number
  /** The name of the node whose file it is a copy of, and the epoch in which that owned the session. */
  readonly node: string
  readonly epoch: number
  /** The file's, below its agent's home. */
  readonly path: string
  /** So much of the file is stored. */
  readonly bytes: number
  /** SHA-256 of that, in hex. */
  readonly hash: string
  /** The parts that belong together; `parts` of them, numbered from 0. Others of the session are of no use. */
  readonly series: number
  readonly parts: number
  readonly storedAt: number
}

export interface FileRecord {
  readonly id: FileId
  readonly app: AppName
  readonly name: string
  readonly size: number
  readonly path: string
  readonly createdAt: number
  /** The name of the node on whose disk it is; `null`: it was stored by a Troupe that was alone. */
  readonly node: string | null
}

export interface AppRecord {
  readonly name: AppName
  readonly createdAt: number
  readonly revokedAt: number | null
  readonly openSessions: number
  /** `null`: it may ask for anything. */
  readonly bounds: AppBounds | null
}

/** The Idempotency-Key of a request, and the SHA-256 of the request's method, path and body. */
export interface KeyedRequest {
  readonly app: AppName
  readonly key: string
  readonly fingerprint: string
}

/** What a request brought about: the session it created, or the lease of its one-shot run. A turn has its key itself. */
export type ReceiptEffect =
  | { readonly _tag: "SessionCreated"; readonly session: SessionId }
  | { readonly _tag: "RunStarted"; readonly lease: LeaseId }

/** The effect of the request of an Idempotency-Key, and its response. `null`: the request is still being handled. */
export interface ReceiptRecord extends KeyedRequest {
  readonly createdAt: number
  /** `null` only in a receipt of Troupe 0.1.0 whose request was cut off: whether it took effect is not known. */
  readonly effect: ReceiptEffect | null
  readonly response: { readonly status: number; readonly body: string } | null
}

/** Which receipt is meant: a key may have another one by now. */
export type ForgottenReceipt = Pick<ReceiptRecord, "app" | "key" | "createdAt" | "effect">

/** New values of a session's fields, and of its snapshot: the machine's persisted state. */
export type SessionPatch = Partial<Pick<SessionRecord, (typeof sessionPatchKeys)[number]>> & {
  readonly snapshot?: unknown
}

export type TurnPatch = Partial<Pick<TurnRecord, (typeof turnPatchKeys)[number]>>

/** How far a session has counted towards its next reviews; `turn` is the last turn that was counted. */
export interface NudgeRecord {
  readonly session: SessionId
  readonly turn: number
  readonly userTurns: number
  readonly toolIterations: number
}

/** The progress of a review; the last patch has `ended`. */
export interface ReviewPatch extends Pick<ReviewRecord, "iterations" | "wrote" | "usage"> {
  readonly ended?: { readonly at: number; readonly ending: ReviewEnding; readonly reason: string | null }
}

export type LedgerWrite =
  /**
   * Before a session is inserted, and in the same commit: fails as `unmet` where `atMost` sessions are open, or another
   * session has the agent's conversation, also one that another node has just made.
   */
  | {
      readonly _tag: "SessionAdmitted"
      readonly app: AppName
      readonly atMost: { readonly all: number; readonly ofApp: number } | null
      readonly threadId: string | null
    }
  /** With an owner it is claimed from the beginning, in epoch 1; else by whoever gets its first request. */
  | {
      readonly _tag: "SessionInserted"
      readonly record: SessionRecord
      readonly snapshot: unknown
      readonly owner?: NodeToken
      /** The version of the chart that the snapshot is of; absent: the first. */
      readonly chart?: number
      /** As `SessionHoused`. */
      readonly home?: string
    }
  /** The node of this name has its work directory from now on. */
  | { readonly _tag: "SessionHoused"; readonly session: SessionId; readonly node: string }
  /**
   * Fails as `fenced` while a node owns the session that has not left and was not declared dead, and where a later version
   * of the chart than `chart` has had the session; absent: the first.
   */
  | {
      readonly _tag: "SessionClaimed"
      readonly session: SessionId
      readonly owner: NodeToken
      readonly chart?: number
    }
  /** Nobody owns the session from then on: it is its last commit by this claim. Fails as `fenced`, as `ClaimChecked` does. */
  | { readonly _tag: "SessionReleased"; readonly claim: Claim }
  /** Part of each commit for a session, and its first: fails as `fenced` where the claim is not the session's last. */
  | { readonly _tag: "ClaimChecked"; readonly claim: Claim }
  /**
   * `leaseMillis`: how long others leave its sessions alone without news of it; `null`: it works on the ledger alone, and
   * all others are gone. Fails as `busy` while a living node has its name.
   */
  | {
      readonly _tag: "NodeJoined"
      readonly node: Pick<NodeRecord, "token" | "name" | "url" | "version"> & Partial<Pick<NodeRecord, "chart">>
      readonly leaseMillis: number | null
      /**
       * The data dir that it holds: an earlier start of its name there is gone, and asks nobody any more. Absent: it is not
       * known whether that is gone.
       */
      readonly place?: string
    }
  /** Fails as `unmet` where it has left. It is not dead any more. */
  | {
      readonly _tag: "NodeRenewed"
      readonly token: NodeToken
      readonly leaseMillis: number
      readonly draining: boolean
      /** Absent: as it was told before. */
      readonly load?: NodeLoad
      /**
       * Whom it asks before its agents go on beyond its lease, and for how long beyond it a node that it does not ask leaves
       * it alone. Absent: as it was told before.
       */
      readonly beyond?: { readonly asks: ReadonlyArray<NodeToken>; readonly millis: number }
    }
  /** Has no effect where it has renewed its lease since it was seen to end at `leaseUntil`, or does so at the moment. */
  | { readonly _tag: "NodeDeclaredDead"; readonly token: NodeToken; readonly leaseUntil: number }
  | { readonly _tag: "NodeLeft"; readonly token: NodeToken }
  /** Fails as `unmet` where there is no such node; of `asked`, also where no other living one takes sessions then. */
  | { readonly _tag: "NodeDrainAsked"; readonly token: NodeToken; readonly asked: boolean }
  | { readonly _tag: "SessionPatched"; readonly session: SessionId; readonly patch: SessionPatch }
  | { readonly _tag: "StepAppended"; readonly step: StepRecord; readonly wire?: string | null }
  | { readonly _tag: "CommandQueued"; readonly command: OutboxCommand }
  | { readonly _tag: "CommandClaimed"; readonly session: SessionId; readonly step: number; readonly nth: number }
  | { readonly _tag: "CommandDone"; readonly session: SessionId; readonly step: number; readonly nth: number }
  | { readonly _tag: "TimerArmed"; readonly timer: ArmedTimer }
  | { readonly _tag: "TimerDisarmed"; readonly session: SessionId; readonly timer: string }
  | {
      readonly _tag: "TurnInserted"
      readonly record: TurnRecord
      /** Fails where a turn of the session has it already. Absent: the turn has none. */
      readonly submission?: { readonly id: string; readonly fingerprint: string | null }
      /** Each of its events has a higher number. Absent: that is not known. */
      readonly after?: number
    }
  /** The turn came to nothing, and its submission may be sent again. */
  | { readonly _tag: "SubmissionFreed"; readonly session: SessionId; readonly index: number }
  | {
      readonly _tag: "TurnPatched"
      readonly session: SessionId
      readonly index: number
      readonly patch: TurnPatch
      /** Of a turn that has ended: none of its events has a higher number. Each later one says so anew. */
      readonly last?: number
    }
  | { readonly _tag: "EventAppended"; readonly event: StoredEvent }
  /** Events of one turn that follow each other without a gap, in the row of the first, or in one that has what is before them. */
  | {
      readonly _tag: "EventsAppended"
      readonly session: SessionId
      readonly events: ReadonlyArray<StoredEvent>
      /** The number of the row's first event. */
      readonly row: number
      /** The text of that event's message, where the row begins with these events; `null`: the row is stored. */
      readonly first: string | null
      /** The pieces of all others (`eventPieces.ts`). */
      readonly more: string
    }
  | { readonly _tag: "Audited"; readonly record: AuditRecord }
  | { readonly _tag: "LeaseOpened"; readonly lease: LeaseRecord }
  | { readonly _tag: "LeaseSpawned"; readonly lease: LeaseId; readonly pid: number; readonly startTime: string | null }
  /** The processes of a lease that no session had are a session's from now on. */
  | {
      readonly _tag: "LeaseTaken"
      readonly lease: LeaseId
      readonly session: SessionId
      readonly generation: number
    }
  | { readonly _tag: "LeaseClosed"; readonly lease: LeaseId }
  /** A piece of the file behind the pieces before it, compressed, as base64. It counts once a record counts it. */
  | {
      readonly _tag: "CapsulePartStored"
      readonly session: SessionId
      readonly series: number
      readonly nth: number
      readonly data: string
    }
  /** In place of the session's record before, whose parts go where they are not of this one. */
  | { readonly _tag: "CapsuleStored"; readonly capsule: CapsuleRecord }
  | { readonly _tag: "FileInserted"; readonly record: FileRecord }
  | {
      readonly _tag: "AppInserted"
      readonly name: AppName
      readonly at: number
      readonly tokenHash: string
      /**
       * The name that a revoked app of this name has from now on, with all that it owns but its audit trail. Absent: the
       * new app is the revoked one again, as old as that was.
       */
      readonly predecessor?: AppName
      /** Absent, or `null`: it may ask for anything, or, of a revoked app again, for what that might. */
      readonly bounds?: AppBounds | null
    }
  | { readonly _tag: "AppTokenReplaced"; readonly name: AppName; readonly at: number; readonly tokenHash: string }
  | { readonly _tag: "AppBounded"; readonly name: AppName; readonly at: number; readonly bounds: AppBounds | null }
  | { readonly _tag: "AppRevoked"; readonly name: AppName; readonly at: number }
  /** Fails as `unmet` where the key has a receipt already: another request with it was accepted. */
  | { readonly _tag: "ReceiptOpened"; readonly receipt: ReceiptRecord }
  /** Fails as `unmet` where the receipt is answered already. */
  | {
      readonly _tag: "ReceiptAnswered"
      readonly request: KeyedRequest
      readonly at: number
      readonly response: { readonly status: number; readonly body: string }
    }
  | { readonly _tag: "ReceiptForgotten"; readonly receipt: ForgottenReceipt }
  | { readonly _tag: "NudgesCounted"; readonly nudges: NudgeRecord }
  /** The review is due and has not begun. Written with the count that made it due. */
  | { readonly _tag: "ReviewOwed"; readonly review: OwedReview }
  /** Its reviews up to this turn have begun, or are cancelled; `null`: all that it owes. */
  | { readonly _tag: "ReviewsNotOwed"; readonly session: SessionId; readonly upToTurn: number | null }
  /** The same of a review that begins: fails as `unmet` where it has begun before, or was cancelled. */
  | { readonly _tag: "ReviewsBegun"; readonly session: SessionId; readonly upToTurn: number }
  /** `owner`: the node that runs it. */
  | { readonly _tag: "ReviewStarted"; readonly record: ReviewRecord; readonly owner: NodeToken }
  | { readonly _tag: "ReviewPatched"; readonly id: string; readonly patch: ReviewPatch }
  /** Ends those that no living node runs. */
  | { readonly _tag: "ReviewsAbandoned"; readonly at: number; readonly reason: string }
  | { readonly _tag: "MemoryAdded"; readonly memory: Memory; readonly atMost: number }
  | {
      readonly _tag: "MemoryReplaced"
      readonly app: AppName
      readonly id: string
      readonly text: string
      readonly at: number
    }
  | { readonly _tag: "MemoryRemoved"; readonly app: AppName; readonly id: string }
  | { readonly _tag: "SkillAdded"; readonly skill: Skill; readonly atMost: number }
  | { readonly _tag: "SkillReplaced"; readonly skill: Omit<Skill, "createdAt"> }
  | { readonly _tag: "SkillRemoved"; readonly app: AppName; readonly name: string }
  | { readonly _tag: "WebhookAdded"; readonly webhook: WebhookRecord }
  /** With all that is owed to it. Fails as `unmet` where there is none of this id. */
  | { readonly _tag: "WebhookRemoved"; readonly id: string }
  /** Nothing is sent to it any more. */
  | { readonly _tag: "WebhookDisabled"; readonly id: string; readonly at: number }
  /** Written with the step that the event is of. Never fails for the webhook's sake: it may be gone by now. */
  /** In place of what the same run has counted of the same before. */
  | { readonly _tag: "FleetTallied"; readonly record: TallyRecord }
  | { readonly _tag: "FleetForgotten"; readonly before: number }
  | {
      readonly _tag: "WebhookOwed"
      readonly delivery: Omit<WebhookDelivery, "attempts" | "dueAt" | "error">
    }
  | { readonly _tag: "WebhookDelivered"; readonly webhook: string; readonly event: string }
  /** Tried again after so long; `null`: given up. */
  | {
      readonly _tag: "WebhookFailed"
      readonly webhook: string
      readonly event: string
      readonly error: string
      readonly inMillis: number | null
    }
  | { readonly _tag: "ApprovalAsked"; readonly record: ApprovalRecord }
  | {
      readonly _tag: "ApprovalSettled"
      readonly session: SessionId
      readonly id: string
      readonly resolution: Resolution
      readonly by: string
      readonly at: number
    }
