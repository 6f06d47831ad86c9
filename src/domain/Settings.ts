/** What can be set, and what it is when nobody sets it. Reading it from flags, environment and file is `src/cli`'s. */
import { Schema } from "effect"

/** In which protocol an agent is spoken to. What each one means is in `src/agent/protocols.ts`. */
export const Protocol = Schema.Literals(["codex-app-server", "acp", "acpx"])
export type Protocol = typeof Protocol.Type

/** How an agent is spoken to. `command` or `registry` (a name that acpx's registry knows) tells what to launch. */
export const AgentSpec = Schema.Struct({
  protocol: Protocol,
  command: Schema.optionalKey(Schema.NonEmptyArray(Schema.NonEmptyString)),
  registry: Schema.optionalKey(Schema.NonEmptyString),
  /** Set in the child as they stand. */
  env: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  /** Names of variables that the child gets from Troupe's own environment. */
  inheritEnv: Schema.optionalKey(Schema.Array(Schema.NonEmptyString))
})
export type AgentSpec = typeof AgentSpec.Type

/** What `/run` starts: a `claude` that takes `-p`. */
export const RunSpec = Schema.Struct({
  command: Schema.optionalKey(Schema.NonEmptyArray(Schema.NonEmptyString)),
  model: Schema.optionalKey(Schema.NonEmptyString),
  env: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  inheritEnv: Schema.optionalKey(Schema.Array(Schema.NonEmptyString))
})
export type RunSpec = typeof RunSpec.Type

/** Every bound an operator can move. `null` turns a limit off where that is allowed. */
export interface Limits {
  readonly maxSessions: number
  readonly maxSessionsPerApp: number
  readonly maxProcesses: number
  readonly poolWaitMillis: number
  readonly sessionTtlMillis: number | null
  readonly sessionIdleTtlMillis: number | null
  readonly sessionHardTtlMillis: number
  readonly sweepIntervalMillis: number
  readonly hibernateAfterMillis: number
  readonly turnTimeoutMillis: number
  readonly postToolQuietMillis: number
  readonly approvalTimeoutMillis: number
  readonly restartIntensity: number
  readonly restartPeriodMillis: number
  readonly maxBodyBytes: number
  readonly maxFileBytes: number
}

export const defaultLimits: Limits = {
  maxSessions: 1000,
  maxSessionsPerApp: 1000,
  maxProcesses: 8,
  poolWaitMillis: 30_000,
  sessionTtlMillis: 24 * 3_600_000,
  sessionIdleTtlMillis: null,
  sessionHardTtlMillis: 7 * 24 * 3_600_000,
  sweepIntervalMillis: 60_000,
  hibernateAfterMillis: 5 * 60_000,
  turnTimeoutMillis: 10 * 60_000,
  postToolQuietMillis: 90_000,
  approvalTimeoutMillis: 5 * 60_000,
  restartIntensity: 3,
  restartPeriodMillis: 60_000,
  maxBodyBytes: 1024 * 1024,
  maxFileBytes: 32 * 1024 * 1024
}

/** What the runtime itself needs; the server's own (host, port, origins, logging) stay with `src/cli` and `src/http`. */
export interface Settings {
  /** `:memory:` keeps the ledger in memory and everything else in a temporary directory. */
  readonly dataDir: string
  readonly limits: Limits
  /** The configured agents; the built-in ones are added by `src/agent`. */
  readonly agents: Readonly<Record<string, AgentSpec>>
  /** `null`: `codex` where it is found, else `claude`, else `demo`. */
  readonly defaultAgent: string | null
  readonly run: RunSpec
}

/** The configuration of the agents can't work. `key` is the one to change. */
export class AgentsMisconfigured extends Schema.TaggedError<AgentsMisconfigured>()("AgentsMisconfigured", {
  key: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `${this.key} ${this.problem}`
  }
}
