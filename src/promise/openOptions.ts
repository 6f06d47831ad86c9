/**
 * The options of `openTroupe`, read as `troupe.config.json` is: by the same schemas, with the same bounds, and one sentence for
 * what is wrong. The library's own spelling (milliseconds, bytes) is translated here and nowhere else.
 */
import { Effect, Result } from "effect"
import type { BadConfiguration } from "../configuration/BadConfiguration.ts"
import * as Configuration from "../configuration/Configuration.ts"
import type { McpServerSpec } from "../domain/McpServer.ts"
import { AgentSpec, defaultLimits, RunSpec } from "../domain/Settings.ts"
import type { Limits } from "../domain/Settings.ts"
import { keysOf } from "./checkOptions.ts"
import type { NamesOf } from "./checkOptions.ts"
import { reviewingNames } from "./Reviewing.ts"
import type { Reviewing } from "./Reviewing.ts"
import { mcpServerNames } from "./sessionNames.ts"
import { TroupeError } from "../backend/TroupeError.ts"

export interface TroupeOptions {
  /** Where everything is stored, for one process at a time; `:memory:` is lost with the process. Default: `./.troupe`. */
  readonly dataDir?: string
  /** Agents by name, in addition to those that are found on this machine. */
  readonly agents?: Readonly<Record<string, AgentSpec>>
  /** Default: `codex` where it is found, else `claude`, else `demo`. */
  readonly defaultAgent?: string
  /** MCP servers that sessions may name. */
  readonly mcpServers?: Readonly<Record<string, McpServerSpec>>
  /** What `run` starts; default: `claude`. */
  readonly run?: RunSpec
  /** Limits that differ from the defaults, in milliseconds and bytes. */
  readonly limits?: Partial<Limits>
  /**
   * Background reviews, which learn from conversations. Off by default, because they call a model; `{}` turns them on: every
   * 10 turns, by Troupe itself, on the agent's account.
   */
  readonly reviews?: Reviewing
  /** The app that owns the sessions. Default: `embedded`. */
  readonly app?: string
  /** For requests to `handler` and logins to its dashboard: 16 printable characters or more. Default: nobody is the admin. */
  readonly adminToken?: string
  /** How long `close` lets running turns finish. Default: 5000. */
  readonly drainMillis?: number
  /** Receives each line that a server would log, as JSON. Default: nothing is logged. */
  readonly log?: (line: string) => void
}

export const optionNames: NamesOf<TroupeOptions> = {
  dataDir: true,
  agents: { each: keysOf(AgentSpec.fields) },
  defaultAgent: true,
  mcpServers: { each: mcpServerNames },
  run: keysOf(RunSpec.fields),
  limits: keysOf(defaultLimits),
  reviews: reviewingNames,
  app: true,
  adminToken: true,
  drainMillis: true,
  log: true
}

/** Throws a `TroupeError` with what is wrong with the first value that is no setting's. */
export const readOptions = (options: TroupeOptions): Configuration.Configuration => {
  const {
    adminToken,
    agents,
    dataDir,
    defaultAgent,
    drainMillis,
    limits = {},
    log,
    mcpServers,
    reviews = {},
    run
  } = options
  if (drainMillis !== undefined && !(drainMillis >= 0 && drainMillis <= longestDrainMillis)) {
    throw invalid(`drainMillis is ${shown(drainMillis)}: it takes milliseconds from 0 to ${longestDrainMillis}.`)
  }
  if (log !== undefined && typeof log !== "function") throw invalid(`log is ${shown(log)}: it takes a function.`)
  for (const [name, value] of Object.entries({ limits, reviews })) {
    if (typeof value !== "object" || value === null) throw invalid(`${name} is ${shown(value)}: it takes an object.`)
  }
  const written = {
    adminToken,
    agents,
    dataDir,
    defaultAgent,
    mcpServers,
    run,
    reviews: options.reviews === undefined ? {} : { enabled: true, ...reviewsOf(reviews) },
    ...Object.fromEntries(Object.entries(limits).flatMap(([name, value]) => settingOf(name, value)))
  }
  const read = Effect.runSync(Effect.result(Configuration.fromOptions(written)))
  if (Result.isSuccess(read)) return read.success
  throw invalid(inOwnWords(limits, read.failure))
}

/** A day, as a turn's deadline. */
const longestDrainMillis = 86_400_000

const unitOf = (name: string) => (name.endsWith("Millis") ? "millis" : name.endsWith("Bytes") ? "B" : "")
const keyOf = (name: string) => name.replace(/(Millis|Bytes)$/, "")

/** `poolWaitMillis: 5000` is `poolWait: "5000 millis"`. */
const settingOf = (name: string, value: unknown): ReadonlyArray<readonly [string, unknown]> => {
  if (value === undefined) return []
  const unit = unitOf(name)
  const inUnits = typeof value === "number" && unit !== "" ? `${value} ${unit}` : value
  return [[keyOf(name), value === null ? "off" : inUnits]]
}

const reviewsOf = ({ apiKey, baseUrl, bounds, intervals, model, skillTool }: Reviewing) =>
  Object.fromEntries(
    Object.entries({
      apiKey,
      baseUrl,
      model,
      skillTool,
      memoryInterval: intervals?.memory,
      skillInterval: intervals?.skills,
      iterations: bounds?.iterations,
      inputTokens: bounds?.inputTokens
    }).filter(([, value]) => value !== undefined)
  )

/** The sentence of the file, with the name and the value that the program has. */
const inOwnWords = (limits: Partial<Limits>, { message }: BadConfiguration): string => {
  for (const [name, value] of Object.entries(limits)) {
    const start = `${keyOf(name)} in the options is `
    if (!message.startsWith(start)) continue
    const takes = message.slice(message.indexOf(": it takes ", start.length))
    const unit = { millis: " milliseconds", B: " bytes", "": "" }[unitOf(name)]
    return `limits.${name} is ${shown(value)}${typeof value === "number" ? unit : ""}${takes}`
  }
  return message.replace(" in the options", "")
}

const shown = (value: unknown) => (typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value)))

const invalid = (message: string) => new TroupeError({ code: "invalid_request", status: 400, message })
