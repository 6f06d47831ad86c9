/**
 * What Troupe is told to be: flags, then environment, then `troupe.config.json`, then defaults.
 *
 * The sources are asked one after the other, each by the name that its author used, so that a bad value is refused in
 * their words. Nothing is created or changed by reading it.
 */
import { Config, ConfigProvider, Effect, Option } from "effect"
import type { Redacted } from "effect"
import { dirname, isAbsolute, resolve } from "node:path"
import { defaultReviewBounds } from "../../../machines/review/machine.ts"
import { defaultIntervals } from "../../domain/Review.ts"
import { defaultLimits } from "../../domain/Settings.ts"
import type { Settings } from "../../domain/Settings.ts"
import type { ReviewOptions } from "../../wiring.ts"
import { BadConfiguration, quoted } from "./BadConfiguration.ts"
import * as File from "./File.ts"
import { flagOf, keys, names, placeOf, variableOf } from "./keys.ts"
import type { Key, KeyName } from "./keys.ts"

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "none"

export interface ServerSettings {
  readonly host: string
  /** 0 = whichever is free. */
  readonly port: number
  /** `null`: the loopback names. */
  readonly allowedHosts: ReadonlyArray<string> | null
  readonly allowedOrigins: ReadonlyArray<string>
  readonly logLevel: LogLevel
  readonly logFormat: "pretty" | "json"
}

export interface Configuration {
  readonly settings: Settings
  readonly server: ServerSettings
  /** `None`: the one that is kept in the data dir, made where there is none yet. */
  readonly adminToken: Option.Option<Redacted.Redacted<string>>
  /** Apart from the settings, like the admin token: it may hold a key. */
  readonly reviews: ReviewOptions
}

/** Where values may come from. `env` is the whole environment; `cwd` is what relative paths are relative to. */
export interface Sources {
  readonly flags: { readonly [K in KeyName]?: string | undefined }
  readonly config: Option.Option<string>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly isTerminal: boolean
}

export const load = Effect.fn("Configuration.load")(function* (sources: Sources) {
  const file = yield* File.read(Option.getOrNull(sources.config), sources.cwd)
  const asked = inOrder(sources, file)
  const get = <K extends KeyName>(name: K) => find(asked, name, keys[name] as unknown as Key<ValueOf<K>>)
  const or = <K extends KeyName, const A>(name: K, fallback: A) =>
    Effect.map(get(name), (found) => found?.value ?? fallback)
  const orOff = (name: "sessionTtl" | "sessionIdleTtl", fallback: number | null) =>
    Effect.map(get(name), (found) => (found === undefined ? fallback : found.value))

  const dataDir = yield* get("dataDir")
  const maxSessions = yield* or("maxSessions", defaultLimits.maxSessions)
  const configuration: Configuration = {
    settings: {
      dataDir: placed(dataDir, sources, file),
      limits: {
        maxSessions,
        maxSessionsPerApp: yield* or("maxSessionsPerApp", maxSessions),
        maxProcesses: yield* or("maxProcesses", defaultLimits.maxProcesses),
        poolWaitMillis: yield* or("poolWait", defaultLimits.poolWaitMillis),
        sessionTtlMillis: yield* orOff("sessionTtl", defaultLimits.sessionTtlMillis),
        sessionIdleTtlMillis: yield* orOff("sessionIdleTtl", defaultLimits.sessionIdleTtlMillis),
        sessionHardTtlMillis: yield* or("sessionHardTtl", defaultLimits.sessionHardTtlMillis),
        sweepIntervalMillis: yield* or("sweepInterval", defaultLimits.sweepIntervalMillis),
        hibernateAfterMillis: yield* or("hibernateAfter", defaultLimits.hibernateAfterMillis),
        turnTimeoutMillis: yield* or("turnTimeout", defaultLimits.turnTimeoutMillis),
        postToolQuietMillis: yield* or("postToolQuiet", defaultLimits.postToolQuietMillis),
        approvalTimeoutMillis: yield* or("approvalTimeout", defaultLimits.approvalTimeoutMillis),
        restartIntensity: yield* or("restartIntensity", defaultLimits.restartIntensity),
        restartPeriodMillis: yield* or("restartPeriod", defaultLimits.restartPeriodMillis),
        maxBodyBytes: yield* or("maxBody", defaultLimits.maxBodyBytes),
        maxFileBytes: yield* or("maxFile", defaultLimits.maxFileBytes)
      },
      agents: file.agents,
      defaultAgent: yield* or("defaultAgent", null),
      run: file.run
    },
    server: {
      host: yield* or("host", "127.0.0.1"),
      port: yield* or("port", 8420),
      allowedHosts: yield* or("allowedHosts", null),
      allowedOrigins: yield* or("allowedOrigins", []),
      logLevel: yield* or("logLevel", "info"),
      logFormat: yield* or("logFormat", sources.isTerminal ? "pretty" : "json")
    },
    adminToken: Option.fromUndefinedOr((yield* get("adminToken"))?.value),
    reviews: yield* reviews(asked)
  }
  return configuration
})

const reviews = Effect.fnUntraced(function* (asked: ReadonlyArray<Source>) {
  const get = <K extends KeyName>(name: K) =>
    Effect.map(find(asked, name, keys[name] as unknown as Key<ValueOf<K>>), (found) => found?.value)
  const apiKey = yield* get("reviewApiKey")
  const baseUrl = yield* get("reviewBaseUrl")
  const model = yield* get("reviewModel")
  const options: ReviewOptions = {
    intervals: {
      memory: (yield* get("reviewMemoryInterval")) ?? defaultIntervals.memory,
      skills: (yield* get("reviewSkillInterval")) ?? defaultIntervals.skills
    },
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

type ValueOf<K extends KeyName> = (typeof keys)[K] extends Key<infer A> ? A : never

interface Source {
  readonly kind: "flag" | "env" | "file"
  readonly provider: ConfigProvider.ConfigProvider
  readonly raw: (name: KeyName) => unknown
  /** "TROUPE_PORT is", "port in troupe.config.json is" */
  readonly called: (name: KeyName) => string
}

const inOrder = ({ env, flags }: Sources, file: File.ConfigurationFile): ReadonlyArray<Source> => [
  { kind: "flag", ...values(flags), called: flagOf },
  {
    kind: "env",
    ...values(Object.fromEntries(names.map((name) => [name, env[variableOf(name)]]))),
    called: variableOf
  },
  { kind: "file", ...values(file.values), called: (name) => `${placeOf(name).join(".")} in ${file.shown}` }
]

/** An empty value is no value: that is how a compose file leaves one out. */
const values = (record: Readonly<Record<string, unknown>>) => ({
  provider: ConfigProvider.fromUnknown(record),
  raw: (name: KeyName) => record[name]
})

const find = Effect.fnUntraced(function* <A>(sources: ReadonlyArray<Source>, name: KeyName, key: Key<A>) {
  const config = Config.option(key.config(name))
  for (const { called, kind, provider, raw } of sources) {
    const given = raw(name)
    if (given === undefined || given === "") continue
    const found = yield* config.parse(provider).pipe(Effect.orElseSucceed(() => Option.none<A>()))
    if (Option.isSome(found)) return { value: found.value, kind }
    const problem = `${called(name)} is ${key.secret ? "not usable" : quoted(given)}: it takes ${key.takes}.`
    return yield* new BadConfiguration({ problem })
  }
  return undefined
})

/** A path in the file is relative to the file, as its author sees it; any other to where the command was given. */
const placed = (
  dataDir: { readonly value: string; readonly kind: Source["kind"] } | undefined,
  { cwd }: Sources,
  file: File.ConfigurationFile
): string => {
  if (dataDir === undefined) return resolve(cwd, ".troupe")
  const { kind, value } = dataDir
  if (value === ":memory:" || isAbsolute(value)) return value
  return resolve(kind === "file" ? dirname(file.path) : cwd, value)
}
