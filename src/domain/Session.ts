/** A session: what an app asks for, and what is known of it. */
import { Schema } from "effect"
import type { AcpMessage } from "./Acp.ts"
import type { Cost } from "./Cost.ts"
import type { AppName, SessionId } from "./Ids.ts"
import type { Usage } from "./Turn.ts"

export const SessionState = Schema.Literals(["idle", "turning", "retiring", "closed"])
export type SessionState = typeof SessionState.Type

/** Who may do what without being asked. `deny` is the default: no one is listening, so no. */
export const PermissionPolicy = Schema.Literals(["deny", "ask", "approve_reads", "approve_all"])
export type PermissionPolicy = typeof PermissionPolicy.Type

/** All that is named must be so; what is not named may be anything. */
export const PermissionMatch = Schema.Struct({
  /** ACP's tool kind. */
  kind: Schema.optionalKey(Schema.NonEmptyString),
  titlePrefix: Schema.optionalKey(Schema.NonEmptyString)
})
export type PermissionMatch = typeof PermissionMatch.Type

export const RuleOutcome = Schema.Literals(["approve", "deny", "ask"])
export type RuleOutcome = typeof RuleOutcome.Type

/** The first rule that matches decides; where none does, `default`. */
export interface PermissionRules {
  readonly default: PermissionPolicy
  readonly rules: ReadonlyArray<{ readonly match: PermissionMatch; readonly then: RuleOutcome }>
}

export type Permissions = PermissionPolicy | PermissionRules

/** Looked through for every request of an agent. */
export const mostRules = 64

/** What holds where no rule does: all that an agent itself has to know. */
export const policyOf = (permissions: Permissions): PermissionPolicy =>
  typeof permissions === "string" ? permissions : permissions.default

/** What the app wants kept with its session, returned as it came. */
export const Meta = Schema.Record(Schema.String, Schema.Json)
export type Meta = typeof Meta.Type

export interface CreateSession {
  /** A name from the configuration; absent: the default agent. */
  readonly agent?: string | undefined
  /** An existing directory; absent: a fresh one under the data dir, removed with the session. */
  readonly cwd?: string | undefined
  readonly model?: string | undefined
  readonly systemPrompt?: string | undefined
  readonly permissions?: Permissions | undefined
  readonly meta?: Meta | undefined
}

/** A session as the ledger keeps it. Times are milliseconds since 1970. */
export interface SessionRecord {
  readonly id: SessionId
  readonly app: AppName
  readonly agent: string
  readonly cwd: string
  /** The directory is Troupe's own and goes with the session. */
  readonly ownsCwd: boolean
  readonly model: string | null
  readonly systemPrompt: string | null
  readonly permissions: Permissions
  readonly meta: Meta
  readonly state: SessionState
  /** The machine's whole state value as a path, such as `idle.asleep` or `turning.running`. */
  readonly substate: string
  readonly turnCount: number
  readonly createdAt: number
  readonly lastActivityAt: number
  readonly lastTurnAt: number | null
  readonly closedAt: number | null
  readonly threadId: string | null
  /** Exits of its process that were followed by another start, over its whole life. */
  readonly restarts: number
  readonly usage: Usage
}

/** The fields of a session that may change after it was created. A commit writes those of them that its step changed. */
export const sessionPatchKeys = [
  "state",
  "substate",
  "turnCount",
  "lastActivityAt",
  "lastTurnAt",
  "closedAt",
  "threadId",
  "restarts",
  "usage"
] as const satisfies ReadonlyArray<keyof SessionRecord>

/** The session's process: what it is doing, and its pid while it has one. */
export interface ProcessView {
  readonly state: "none" | "starting" | "up" | "backing_off" | "parked" | "stopping"
  readonly pid: number | null
  readonly restarts: number
}

export interface SessionView extends SessionRecord {
  readonly process: ProcessView
  /** Why it is parked and until when, while it is. */
  readonly parked: { readonly reason: string; readonly until: number } | null
  /** `null` where its agent does not tell. What its reviews cost nobody tells. */
  readonly cost: Cost | null
}

/** An event as stored and streamed: `seq` counts from 1 in each session without a gap. */
export interface StoredEvent {
  readonly session: SessionId
  readonly seq: number
  /** The turn it belongs to; a late one names the turn that caused it. `null`: outside any turn. */
  readonly turn: number | null
  readonly at: number
  readonly message: AcpMessage
}

/** One line of the audit trail. */
export interface AuditRecord {
  readonly at: number
  readonly session: SessionId | null
  readonly app: AppName | null
  /** `create`, `turn_start`, `turn_end`, `retire`, `restart`, `hibernate`, `wake`, `close`, `sweep_close`, … */
  readonly action: string
  /** Who caused it: an app's name, `admin`, or `troupe` itself. */
  readonly actor: string
  readonly detail: Readonly<Record<string, unknown>>
}
