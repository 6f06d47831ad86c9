/** A session: the request that creates it, and its record. */
import { Schema } from "effect"
import type { AcpMessage } from "./Acp.ts"
import type { Cost } from "./Cost.ts"
import type { AppName, SessionId } from "./Ids.ts"
import type { JsonRecord } from "./json.ts"
import type { McpServerOrName } from "./McpServer.ts"
import { Permissions, policyOf, rulesOf } from "./Permissions.ts"
import type { LastOutcome, Usage } from "./Turn.ts"

export const SessionState = Schema.Literals(["idle", "turning", "retiring", "closed"])
export type SessionState = typeof SessionState.Type

/** Data of the app that is stored with its session and returned unchanged. */
export const Meta = Schema.Record(Schema.String, Schema.Json)
export type Meta = typeof Meta.Type

/** Whether questions of the agent (`Question.ts`) go to a person, or are declined at once because nobody may be there. */
export const Questions = Schema.Literals(["ask", "decline"])
export type Questions = typeof Questions.Type

/** Where nothing else is asked for: they go to a person where permissions may go to one, too. */
export const questionsUnder = (permissions: Permissions): Questions =>
  policyOf(permissions) === "ask" ||
  policyOf(permissions) === "approve_edits" ||
  rulesOf(permissions).some(({ then }) => then === "ask")
    ? "ask"
    : "decline"

/** The conversation that a session begins with a copy of. */
export interface Fork {
  readonly threadId: string
  /** The agent's id of the last turn that is copied; `null`: all turns are. */
  readonly agentTurnId: string | null
}

/** What a session was created with beyond its first needs; fixed for its life. What is absent was not asked for. */
export interface SessionSetup {
  readonly mcpServers?: ReadonlyArray<McpServerOrName>
  /** Absolute directories that the agent may use like `cwd`. */
  readonly additionalDirectories?: ReadonlyArray<string>
  /** Variables of the agent's environment, of the names that the operator allows. */
  readonly env?: Readonly<Record<string, string>>
  readonly questions?: Questions
  readonly fork?: Fork
}

const hidden = "[redacted]"

const hiddenIn = (values: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.keys(values).map((name) => [name, hidden]))

/** As people and programs may see it: of variables and headers the names alone. */
export const withoutSecrets = (setup: SessionSetup): SessionSetup => ({
  ...setup,
  ...(setup.env === undefined ? {} : { env: hiddenIn(setup.env) }),
  ...(setup.mcpServers === undefined ? {} : { mcpServers: setup.mcpServers.map(serverWithoutSecrets) })
})

const serverWithoutSecrets = (server: McpServerOrName): McpServerOrName => {
  if (typeof server === "string") return server
  if ("command" in server) return server.env === undefined ? server : { ...server, env: hiddenIn(server.env) }
  return server.headers === undefined ? server : { ...server, headers: hiddenIn(server.headers) }
}

export interface CreateSession extends Omit<SessionSetup, "fork"> {
  /** A name from the configuration; absent: the default agent. */
  readonly agent?: string | undefined
  /** An existing directory; absent: a fresh one under the data dir, removed with the session. */
  readonly cwd?: string | undefined
  readonly model?: string | undefined
  /** One of the agent's own modes that widens no permission, such as Claude's `plan`. */
  readonly mode?: string | undefined
  /** How much the model thinks, in the agent's words, such as `low` or `high`. */
  readonly effort?: string | undefined
  /** A conversation that the agent has already, by the agent's own id: the session goes on with it. */
  readonly threadId?: string | undefined
  readonly systemPrompt?: string | undefined
  readonly permissions?: Permissions | undefined
  readonly meta?: Meta | undefined
}

export interface ForkSession extends Pick<CreateSession, "effort" | "meta" | "mode" | "model" | "permissions"> {
  /** The last turn that the new session's agent knows; absent: all of them. */
  readonly turnIndex?: number | undefined
}

/** What may be changed of a session while it lives; what is absent stays as it is. `null`: the agent's own. */
export const SessionSettings = Schema.Struct({
  permissions: Schema.optional(Permissions),
  model: Schema.optional(Schema.NullOr(Schema.String)),
  mode: Schema.optional(Schema.NullOr(Schema.String)),
  effort: Schema.optional(Schema.NullOr(Schema.String))
})
export type SessionSettings = typeof SessionSettings.Type

/** A change of them, and of the agent until the session's first turn (`canChooseAgent`). */
export interface ChangeSession extends SessionSettings {
  /** With another agent, its own model, mode and effort, where the change has none. */
  readonly agent?: string | undefined
}

/** Nothing was said to its agent, and nothing is to go on: no turn ever came, and there is no conversation to take up. */
export const canChooseAgent = ({
  closedAt,
  threadId,
  turnCount
}: Pick<SessionRecord, "closedAt" | "threadId" | "turnCount">): boolean =>
  closedAt === null && threadId === null && turnCount === 0

/** A session as the ledger stores it. Times are milliseconds since 1970. */
export interface SessionRecord {
  readonly id: SessionId
  readonly app: AppName
  readonly agent: string
  readonly cwd: string
  /** The directory is Troupe's own and is deleted with the session. */
  readonly ownsCwd: boolean
  readonly model: string | null
  readonly mode: string | null
  readonly effort: string | null
  readonly systemPrompt: string | null
  readonly permissions: Permissions
  /** Holds secrets: nothing but the agent's driver reads values of `mcpServers` and `env`. */
  readonly setup: SessionSetup
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
  /** How its last turn ended that has ended; `null`: none has. */
  readonly lastOutcome: LastOutcome | null
  /** How its first prompt begins (`sessionName.ts`); `null`: it had none with a text yet. */
  readonly opening: string | null
}

/** The fields of a session that may change after it was created. A commit writes those of them that its step changed. */
export const sessionPatchKeys = [
  "agent",
  "permissions",
  "model",
  "mode",
  "effort",
  "state",
  "substate",
  "turnCount",
  "lastActivityAt",
  "lastTurnAt",
  "closedAt",
  "threadId",
  "restarts",
  "usage",
  "lastOutcome",
  "opening"
] as const satisfies ReadonlyArray<keyof SessionRecord>

/** The node that owns a session does not answer. `null`: it is not known which, or since when (milliseconds since 1970). */
export const Unseen = Schema.Struct({
  node: Schema.NullOr(Schema.String),
  since: Schema.NullOr(Schema.Finite)
})
export type Unseen = typeof Unseen.Type

/** The state of the session's process, and its pid while there is one. */
export interface ProcessView {
  readonly state: "none" | "starting" | "up" | "backing_off" | "parked" | "stopping"
  readonly pid: number | null
  /** The name of the node that it runs on, since a pid is of one machine; absent: there is none, or Troupe is alone. */
  readonly node?: string
  readonly restarts: number
  /** How its agent was configured for the session, in the words of its protocol; `null` while it is not up. */
  readonly configured: JsonRecord | null
  /** Absent while it is not up, and where its operator limits neither. */
  readonly use?: ProcessUse
  /** The operator's limit that it has exceeded last, since Troupe was started; absent: none. */
  readonly exceeded?: ExceededLimit
  /** Of all this, only what is stored is known: the state and the restarts. Absent: it is as it says. */
  readonly unseen?: Unseen
}

/** What the processes of a session use together, and when that was measured. */
export const ProcessUse = Schema.Struct({ rssBytes: Schema.Finite, processes: Schema.Int, at: Schema.Finite })
export type ProcessUse = typeof ProcessUse.Type

/** Which of the operator's limits the processes of a session have exceeded, and when. */
export const ExceededLimit = Schema.Struct({
  limit: Schema.Literals(["rss", "descendants"]),
  message: Schema.String,
  at: Schema.Finite,
  /** Of the process, among those of its session. */
  generation: Schema.Int
})
export type ExceededLimit = typeof ExceededLimit.Type

/** What there is to choose from for a setting; empty where the agent offers nothing. */
export const Choice = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  description: Schema.optionalKey(Schema.String)
})
export type Choice = typeof Choice.Type

export const Choices = Schema.Struct({
  models: Schema.Array(Choice),
  modes: Schema.Array(Choice),
  efforts: Schema.Array(Choice)
})
export type Choices = typeof Choices.Type

export const noChoices: Choices = { models: [], modes: [], efforts: [] }

export interface SessionView extends SessionRecord {
  readonly process: ProcessView
  /** As the agent's process says; `null` while it is not up. */
  readonly choices: Choices | null
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
  /** The message as JSON, where that was made already: it is most of what an event costs. */
  readonly json?: string
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
