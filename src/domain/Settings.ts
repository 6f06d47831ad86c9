/** The settings of a runtime and their defaults. `src/cli` reads them from flags, environment and file. */
import { Duration, Option, Schema } from "effect"
import type { Redacted } from "effect"
import type { McpServerSpec } from "./McpServer.ts"

/** The protocol of an agent; each has its entry in `src/agent/protocols.ts`. */
export const Protocol = Schema.Literals(["codex-app-server", "acp", "acpx"])
export type Protocol = typeof Protocol.Type

const said = <S extends Schema.Top>(schema: S, description: string) => schema.annotate({ description })

/** A program, and its arguments, which may be empty. */
const Command = Schema.TupleWithRest(Schema.Tuple([Schema.NonEmptyString]), [Schema.String])

/** The configuration of an agent. `command` or `registry` (a name in acpx's registry) says what to launch. */
export const AgentSpec = Schema.Struct({
  protocol: said(Protocol, "How Troupe speaks with the agent."),
  command: Schema.optionalKey(said(Command, "The program and its arguments. Say this or `registry`.")),
  registry: Schema.optionalKey(said(Schema.NonEmptyString, "The agent's name in acpx's registry, such as gemini.")),
  env: Schema.optionalKey(
    said(Schema.Record(Schema.String, Schema.String), "Variables that are set in the child, unchanged.")
  ),
  inheritEnv: Schema.optionalKey(
    said(
      Schema.Array(Schema.NonEmptyString),
      "Names of variables that the child inherits from Troupe's own environment. `NAME_*` names all that begin so."
    )
  ),
  sessionEnv: Schema.optionalKey(
    said(
      Schema.Array(Schema.NonEmptyString),
      "Names of variables that a session may set in its agent's environment. `NAME_*` names all that begin so."
    )
  ),
  authMethod: Schema.optionalKey(
    said(
      Schema.NonEmptyString,
      "For acp: the method to log in with, by its id. Without it only a method that needs no person is tried."
    )
  ),
  startTimeout: Schema.optionalKey(
    said(
      Schema.NonEmptyString,
      'For acp: how long the agent may take to get ready, such as "2 minutes"; 45 seconds where it is absent.'
    )
  ),
  trustedRoots: Schema.optionalKey(
    said(
      Schema.Array(Schema.NonEmptyString),
      "Absolute directories. Only below these the agent takes settings, hooks and MCP servers from a session's repository, as it would for a person who trusts it."
    )
  ),
  sandbox: Schema.optionalKey(
    said(
      Schema.Literals(["danger-full-access"]),
      "For codex, on a machine where its sandbox can't start, such as most containers: with `approve_all` it runs without one. The other words keep their sandbox; where it can't start, commands fail."
    )
  )
})
export type AgentSpec = typeof AgentSpec.Type

/** Agents answer within a second; one that `npx` downloads first takes as long as the download. */
const defaultStartMillis = 45_000
const [leastStartMillis, mostStartMillis] = [1_000, 3_600_000]

/** What a start may take where nothing is set: codex waits for its MCP servers, as long as they give signs. */
export const longestDefaultStartMillis = 105_000

const durationIn = Schema.decodeUnknownOption(Schema.DurationFromString)

/** How long an agent may take to get ready; `null`: `startTimeout` is no duration from a second to an hour. */
export const startMillisOf = ({ startTimeout }: Pick<AgentSpec, "startTimeout">): number | null => {
  if (startTimeout === undefined) return defaultStartMillis
  const millis = Option.getOrElse(Option.map(durationIn(startTimeout), Duration.toMillis), () => 0)
  return millis >= leastStartMillis && millis <= mostStartMillis ? millis : null
}

/** The program of `/run`: a `claude` that takes `-p`. */
export const RunSpec = Schema.Struct({
  command: Schema.optionalKey(Command),
  model: Schema.optionalKey(Schema.NonEmptyString),
  env: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  inheritEnv: Schema.optionalKey(Schema.Array(Schema.NonEmptyString))
})
export type RunSpec = typeof RunSpec.Type

/** The limits that an operator can set. `null` turns a limit off, where that is allowed. */
export interface Limits {
  readonly maxSessions: number
  readonly maxSessionsPerApp: number
  readonly maxProcesses: number
  /** How many processes without a session wait for each way in which agents were started lately. */
  readonly warmSpares: number
  readonly poolWaitMillis: number
  readonly sessionTtlMillis: number | null
  readonly sessionIdleTtlMillis: number | null
  readonly sessionHardTtlMillis: number
  readonly sweepIntervalMillis: number
  readonly hibernateAfterMillis: number
  readonly turnTimeoutMillis: number
  readonly postToolQuietMillis: number
  /** How long an agent may be silent anywhere in a turn before it is asked for a sign of life; `null`: for ever. */
  readonly turnQuietMillis: number | null
  readonly approvalTimeoutMillis: number
  /** After how long an unanswered question, a turn in line and an agent's silence need somebody (`domain/attention.ts`). */
  readonly attentionAskedMillis: number
  readonly attentionQueuedMillis: number
  readonly attentionSilentMillis: number
  readonly restartIntensity: number
  readonly restartPeriodMillis: number
  /** How long commits are held while the ledger can't be written; then turns that run are ended. */
  readonly ledgerPatienceMillis: number
  /** How much memory (resident, summed up) all processes of a session may use together; `null`: as much as there is. */
  readonly maxSessionRssBytes: number | null
  /** How many processes a session may have, its agent and all descendants; `null`: as many as it likes. */
  readonly maxSessionDescendants: number | null
  readonly maxBodyBytes: number
  readonly maxFileBytes: number
  /** How large an agent's own conversation may be where it is stored to go along to other nodes. */
  readonly maxCapsuleBytes: number
}

export const defaultLimits: Limits = {
  maxSessions: 1000,
  maxSessionsPerApp: 1000,
  maxProcesses: 8,
  warmSpares: 1,
  poolWaitMillis: 30_000,
  sessionTtlMillis: 24 * 3_600_000,
  sessionIdleTtlMillis: null,
  sessionHardTtlMillis: 7 * 24 * 3_600_000,
  sweepIntervalMillis: 60_000,
  hibernateAfterMillis: 5 * 60_000,
  turnTimeoutMillis: 10 * 60_000,
  postToolQuietMillis: 90_000,
  turnQuietMillis: null,
  approvalTimeoutMillis: 5 * 60_000,
  attentionAskedMillis: 60_000,
  attentionQueuedMillis: 15_000,
  attentionSilentMillis: 60_000,
  restartIntensity: 3,
  restartPeriodMillis: 60_000,
  ledgerPatienceMillis: 60_000,
  // Off: what a build or a test run of a repository needs is not known here, and a limit that is too low fails turns.
  maxSessionRssBytes: null,
  maxSessionDescendants: null,
  maxBodyBytes: 1024 * 1024,
  maxFileBytes: 32 * 1024 * 1024,
  maxCapsuleBytes: 32 * 1024 * 1024
}

/**
 * What becomes of an agent's own conversation where another node goes on with its session. `local`: it stays behind.
 * `shared`: the agents' homes are the same on all nodes. `capsule`: it is stored in the ledger and brought along.
 */
export const Homes = Schema.Literals(["local", "shared", "capsule"])
export type Homes = typeof Homes.Type

/** This Troupe among those that work on the same ledger. */
export interface NodeSettings {
  /** Of the machine or container, and of no other node: it stays when Troupe is started again. */
  readonly name: string
  /** Where other nodes reach it; `null`: nowhere. */
  readonly url: string | null
  readonly version: string
  /** How long others leave its sessions alone without a sign of life; `null`: there are no others. */
  readonly leaseMillis: number | null
  /** What nodes sign their calls with; absent: it calls no other node. */
  readonly secret?: Redacted.Redacted<string>
  /** The data dir that it holds, by a name that no other one has; absent: it is not known. */
  readonly place?: string
}

/** The settings of the runtime. Those of the server (host, port, origins, logging) are in `src/cli` and `src/http`. */
export interface Settings {
  /** With `:memory:` the ledger is in memory and everything else in a temporary directory. */
  readonly dataDir: string
  readonly limits: Limits
  /** Absent: it works on its ledger alone. */
  readonly node?: NodeSettings
  /** Absent: `local`. */
  readonly homes?: Homes
  /** The configured agents. `src/agent` adds the built-in ones. */
  readonly agents: Readonly<Record<string, AgentSpec>>
  /** `null`: `codex` if it is installed, else `claude`, else `demo`. */
  readonly defaultAgent: string | null
  /** MCP servers that sessions may name, so that an app needs to know neither their addresses nor their secrets. */
  readonly mcpServers?: Readonly<Record<string, McpServerSpec>>
  readonly run: RunSpec
}

/** The configuration of the agents is invalid. `key` is the setting to change. */
export class AgentsMisconfigured extends Schema.TaggedError<AgentsMisconfigured>()("AgentsMisconfigured", {
  key: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `${this.key} ${this.problem}`
  }
}
