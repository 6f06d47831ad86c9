/**
 * The configuration: flags, then environment variables, then `troupe.config.json`, then defaults.
 *
 * The sources are read in this order, each under its own spelling of a name, so that an error names what its author
 * wrote. Reading creates and changes nothing.
 */
import { Config, ConfigProvider, Effect, Option } from "effect"
import type { Redacted } from "effect"
import { hostname } from "node:os"
import { dirname, isAbsolute, resolve } from "node:path"
import { defaultReviewBounds } from "../../machines/review/machine.ts"
import { defaultIntervals, noReviews } from "../domain/Review.ts"
import { defaultLimits } from "../domain/Settings.ts"
import type { Settings } from "../domain/Settings.ts"
import type { ReviewOptions } from "../wiring.ts"
import { BadConfiguration, quoted } from "./BadConfiguration.ts"
import * as File from "./File.ts"
import { flagOf, keys, names, placeOf, variableOf } from "./keys.ts"
import type { Key, KeyName } from "./keys.ts"

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "none"

export interface ServerSettings {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** `null`: the loopback names. */
  readonly allowedHosts: ReadonlyArray<string> | null
  readonly allowedOrigins: ReadonlyArray<string>
  readonly logLevel: LogLevel
  readonly logFormat: "pretty" | "json"
  /** Whether OpenAI's Agents API is served. */
  readonly agentsApi: boolean
}

export interface NodeOptions {
  readonly name: string
  readonly url: string | null
  readonly secret: Redacted.Redacted<string> | undefined
  readonly leaseMillis: number
}

export interface Configuration {
  readonly settings: Settings
  readonly server: ServerSettings
  /** `undefined`: the ledger is a file in the data dir. Not among the settings, because it has a password. */
  readonly databaseUrl: Redacted.Redacted<string> | undefined
  /** What this machine is among others that work on the same ledger; for `serve --cluster`. */
  readonly node: NodeOptions
  /** `None`: the one that is stored in the data dir, made where there is none yet. */
  readonly adminToken: Option.Option<Redacted.Redacted<string>>
  /** Nothing says where the data dir is. */
  readonly isDataDirDefault: boolean
  /** Not among the settings, like the admin token, because it may hold a key. */
  readonly reviews: ReviewOptions
}

/** The sources of values. `env` is the whole environment; relative paths are resolved against `cwd`. */
export interface Sources {
  readonly flags: { readonly [K in KeyName]?: string | undefined }
  readonly config: Option.Option<string>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly isTerminal: boolean
}

export const load = Effect.fn("Configuration.load")(function* (sources: Sources) {
  return yield* configurationOf(sources, yield* File.read(Option.getOrNull(sources.config), sources.cwd))
})

/** Of a program that gives what a file would have as an object; neither a file nor the environment is read. */
export const fromOptions = Effect.fnUntraced(function* (options: object) {
  const cwd = process.cwd()
  const written = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const file = yield* File.check("the options", resolve(cwd, File.defaultName), written)
  return yield* configurationOf({ flags: {}, config: Option.none(), env: {}, cwd, isTerminal: false }, file)
})

const configurationOf = Effect.fnUntraced(function* (sources: Sources, file: File.ConfigurationFile) {
  const inOrder = sourcesInOrder(sources, file)
  const get = <K extends KeyName>(name: K) => find(inOrder, name, keys[name] as unknown as Key<ValueOf<K>>)
  const or = <K extends KeyName, const A>(name: K, fallback: A) =>
    Effect.map(get(name), (parsed) => parsed?.value ?? fallback)
  const orOff = (name: KeyOfLimit, fallback: number | null) =>
    Effect.map(get(name), (parsed) => (parsed === undefined ? fallback : parsed.value))

  const dataDir = yield* get("dataDir")
  const homes = yield* get("homes")
  const maxSessions = yield* or("maxSessions", defaultLimits.maxSessions)
  const configuration: Configuration = {
    settings: {
      dataDir: resolvedDataDir(dataDir, sources, file),
      limits: {
        maxSessions,
        maxSessionsPerApp: yield* or("maxSessionsPerApp", maxSessions),
        maxProcesses: yield* or("maxProcesses", defaultLimits.maxProcesses),
        warmSpares: yield* or("warmSpares", defaultLimits.warmSpares),
        poolWaitMillis: yield* or("poolWait", defaultLimits.poolWaitMillis),
        sessionTtlMillis: yield* orOff("sessionTtl", defaultLimits.sessionTtlMillis),
        sessionIdleTtlMillis: yield* orOff("sessionIdleTtl", defaultLimits.sessionIdleTtlMillis),
        sessionHardTtlMillis: yield* or("sessionHardTtl", defaultLimits.sessionHardTtlMillis),
        sweepIntervalMillis: yield* or("sweepInterval", defaultLimits.sweepIntervalMillis),
        hibernateAfterMillis: yield* or("hibernateAfter", defaultLimits.hibernateAfterMillis),
        turnTimeoutMillis: yield* or("turnTimeout", defaultLimits.turnTimeoutMillis),
        turnQuietMillis: yield* orOff("turnQuiet", defaultLimits.turnQuietMillis),
        postToolQuietMillis: yield* or("postToolQuiet", defaultLimits.postToolQuietMillis),
        approvalTimeoutMillis: yield* or("approvalTimeout", defaultLimits.approvalTimeoutMillis),
        attentionAskedMillis: yield* or("attentionAsked", defaultLimits.attentionAskedMillis),
        attentionQueuedMillis: yield* or("attentionQueued", defaultLimits.attentionQueuedMillis),
        attentionSilentMillis: yield* or("attentionSilent", defaultLimits.attentionSilentMillis),
        restartIntensity: yield* or("restartIntensity", defaultLimits.restartIntensity),
        restartPeriodMillis: yield* or("restartPeriod", defaultLimits.restartPeriodMillis),
        ledgerPatienceMillis: yield* or("ledgerPatience", defaultLimits.ledgerPatienceMillis),
        maxSessionRssBytes: yield* orOff("maxSessionRss", defaultLimits.maxSessionRssBytes),
        maxSessionDescendants: yield* orOff("maxSessionDescendants", defaultLimits.maxSessionDescendants),
        maxBodyBytes: yield* or("maxBody", defaultLimits.maxBodyBytes),
        maxFileBytes: yield* or("maxFile", defaultLimits.maxFileBytes),
        maxCapsuleBytes: yield* or("maxCapsule", defaultLimits.maxCapsuleBytes)
      },
      ...(homes === undefined ? {} : { homes: homes.value }),
      agents: file.agents,
      defaultAgent: yield* or("defaultAgent", null),
      mcpServers: file.mcpServers,
      run: file.run
    },
    server: {
      host: yield* or("host", "127.0.0.1"),
      port: yield* or("port", 8420),
      allowedHosts: yield* or("allowedHosts", null),
      allowedOrigins: yield* or("allowedOrigins", []),
      logLevel: yield* or("logLevel", "info"),
      logFormat: yield* or("logFormat", sources.isTerminal ? "pretty" : "json"),
      agentsApi: yield* or("agentsApi", false)
    },
    databaseUrl: (yield* get("databaseUrl"))?.value,
    node: {
      name: yield* or("node", hostname()),
      url: yield* or("nodeUrl", null),
      secret: (yield* get("clusterSecret"))?.value,
      leaseMillis: yield* or("nodeLease", 4_000)
    },
    adminToken: Option.fromUndefinedOr((yield* get("adminToken"))?.value),
    isDataDirDefault: dataDir === undefined,
    reviews: yield* reviews(inOrder)
  }
  return configuration
})

const reviews = Effect.fnUntraced(function* (sources: ReadonlyArray<Source>) {
  const get = <K extends KeyName>(name: K) =>
    Effect.map(find(sources, name, keys[name] as unknown as Key<ValueOf<K>>), (parsed) => parsed?.value)
  const apiKey = yield* get("reviewApiKey")
  const baseUrl = yield* get("reviewBaseUrl")
  const model = yield* get("reviewModel")
  const isOn = (yield* get("reviews")) ?? false
  // Read in any case, so that a wrong value is an error.
  const intervals = {
    memory: (yield* get("reviewMemoryInterval")) ?? defaultIntervals.memory,
    skills: (yield* get("reviewSkillInterval")) ?? defaultIntervals.skills
  }
  const options: ReviewOptions = {
    intervals: isOn ? intervals : noReviews,
    skillTool: (yield* get("reviewSkillTool")) ?? false,
    bounds: {
      iterations: (yield* get("reviewIterations")) ?? defaultReviewBounds.iterations,
      inputTokens: (yield* get("reviewInputTokens")) ?? defaultReviewBounds.inputTokens
    },
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(model === undefined ? {} : { model })
  }
  return options
})

/** The limits that can be turned off. */
type KeyOfLimit = "sessionTtl" | "sessionIdleTtl" | "turnQuiet" | "maxSessionRss" | "maxSessionDescendants"

type ValueOf<K extends KeyName> = (typeof keys)[K] extends Key<infer A> ? A : never

interface Source {
  readonly kind: "flag" | "env" | "file"
  readonly provider: ConfigProvider.ConfigProvider
  readonly raw: (name: KeyName) => unknown
  /** "TROUPE_PORT is", "port in troupe.config.json is" */
  readonly nameOf: (name: KeyName) => string
}

const sourcesInOrder = ({ env, flags }: Sources, file: File.ConfigurationFile): ReadonlyArray<Source> => [
  { kind: "flag", ...values(flags), nameOf: flagOf },
  {
    kind: "env",
    ...values(Object.fromEntries(names.map((name) => [name, env[variableOf(name)]]))),
    nameOf: variableOf
  },
  { kind: "file", ...values(file.values), nameOf: (name) => `${placeOf(name).join(".")} in ${file.displayName}` }
]

/** An empty value counts as none: that is how a compose file leaves a variable out. */
const values = (record: Readonly<Record<string, unknown>>) => ({
  provider: ConfigProvider.fromUnknown(record),
  raw: (name: KeyName) => record[name]
})

const find = Effect.fnUntraced(function* <A>(sources: ReadonlyArray<Source>, name: KeyName, key: Key<A>) {
  const config = Config.option(key.config(name))
  for (const { kind, nameOf, provider, raw } of sources) {
    const value = raw(name)
    if (value === undefined || value === "") continue
    const parsed = yield* config.parse(provider).pipe(Effect.orElseSucceed(() => Option.none<A>()))
    if (Option.isSome(parsed)) return { value: parsed.value, kind }
    const problem = `${nameOf(name)} is ${key.secret ? "not usable" : quoted(value)}: it takes ${key.takes}.`
    return yield* new BadConfiguration({ problem })
  }
  return undefined
})

/** A path in the file is relative to the file; any other is relative to the working directory. */
const resolvedDataDir = (
  dataDir: { readonly value: string; readonly kind: Source["kind"] } | undefined,
  { cwd }: Sources,
  file: File.ConfigurationFile
): string => {
  if (dataDir === undefined) return resolve(cwd, ".troupe")
  const { kind, value } = dataDir
  if (value === ":memory:" || isAbsolute(value)) return value
  return resolve(kind === "file" ? dirname(file.path) : cwd, value)
}
