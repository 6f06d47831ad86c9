/** A session: the request that creates it, and its record. */
import { Schema } from "effect"
import type { AcpMessage } from "./Acp.ts"
import type { Cost } from "./Cost.ts"
import type { AppName, SessionId } from "./Ids.ts"
import type { JsonRecord } from "./json.ts"
import type { Permissions } from "./Permissions.ts"
import type { Usage } from "./Turn.ts"

export const SessionState = Schema.Literals(["idle", "turning", "retiring", "closed"])
export type SessionState = typeof SessionState.Type

/** Data of the app that is stored with its session and returned unchanged. */
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

/** What may be changed of a session while it lives; what is absent stays as it is. `model`: `null` for the agent's own. */
export interface SessionSettings {
  readonly permissions?: Permissions | undefined
  readonly model?: string | null | undefined
}

/** A session as the ledger stores it. Times are milliseconds since 1970. */
export interface SessionRecord {
  readonly id: SessionId
  readonly app: AppName
  readonly agent: string
  readonly cwd: string
  /** The directory is Troupe's own and is deleted with the session. */
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
  /** How many times its process was started again after an exit, since the session was created. */
  readonly restarts: number
  readonly usage: Usage
}

/** The fields of a session that may change after it was created. A commit writes those of them that its step changed. */
export const sessionPatchKeys = [
  "permissions",
  "model",
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

/** The state of the session's process, and its pid while there is one. */
export interface ProcessView {
  readonly state: "none" | "starting" | "up" | "backing_off" | "parked" | "stopping"
  readonly pid: number | null
  readonly restarts: number
  /** How its agent was configured for the session, in the words of its protocol; `null` while it is not up. */
  readonly configured: JsonRecord | null
}

export interface SessionView extends SessionRecord {
  readonly process: ProcessView
  /** The reason and the end of the pause, while the session is parked. `until` is in milliseconds since 1970. */
  readonly parked: { readonly reason: string; readonly until: number } | null
  /** `null`: its agent does not report costs. The costs of its reviews are not reported. */
  readonly cost: Cost | null
}

/** An event as stored and streamed: `seq` counts from 1 in each session without a gap. */
export interface StoredEvent {
  readonly session: SessionId
  readonly seq: number
  /** The turn that the event belongs to, also where it comes after the turn's end; `null`: it belongs to no turn. */
  readonly turn: number | null
  readonly at: number
  readonly message: AcpMessage
}

/** One entry of the audit trail. `at` is in milliseconds since 1970. */
export interface AuditRecord {
  readonly at: number
  readonly session: SessionId | null
  readonly app: AppName | null
  /** `create`, `turn_start`, `turn_end`, `retire`, `restart`, `hibernate`, `wake`, `close`, `sweep_close`, … */
  readonly action: string
  /** An app's name, `admin`, or `troupe` itself. */
  readonly actor: string
  readonly detail: Readonly<Record<string, unknown>>
}
