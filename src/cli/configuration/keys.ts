/**
 * Every setting that is a single value: how it is read, and what it takes, in the words of the error for another value.
 *
 * Named as in `troupe.config.json`, where those of reviews are in an object: `reviewModel` is `model` in `reviews`. The
 * environment variable is the name in capitals with the prefix `TROUPE_`, so `poolWait` is `TROUPE_POOL_WAIT`. Durations
 * and sizes must have a unit, because a bare `30` would be ambiguous.
 */
import { ByteSize, Config, Duration, Schema } from "effect"
import type { Redacted } from "effect"
import { Homes } from "../../domain/Settings.ts"

export interface Key<A> {
  /** Completes "it takes …". */
  readonly takes: string
  readonly config: (name: string) => Config.Config<A>
  /** The value is never printed, not even in an error. */
  readonly secret?: true
}

const text = (takes: string): Key<string> => ({
  takes,
  config: (name) => Config.schema(Schema.String.check(Schema.isPattern(/^\S(.*\S)?$/)), name)
})

const whole = (minimum: number, maximum: number, note = ""): Key<number> => ({
  takes: `a whole number from ${minimum} to ${maximum}${note}`,
  config: (name) => Config.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })), name)
})

const oneOf = <const L extends ReadonlyArray<string>>(literals: L): Key<L[number]> => ({
  takes: literals.slice(0, -1).join(", ") + ` or ${literals.at(-1)}`,
  config: (name) => Config.Literals(literals, name)
})

/** Ten years. Longer durations would work (timers beyond Node's 24.8 days are re-armed), but are certainly a mistake. */
const longestMillis = 3_650 * 86_400_000

const span = (least: number) =>
  Schema.DurationFromString.check(
    Schema.makeFilter((duration) => {
      const millis = Duration.toMillis(duration)
      return Number.isInteger(millis) && millis >= least && millis <= longestMillis
    })
  )

const units = `(a number and millis, seconds, minutes, hours, days or weeks)`

/** In milliseconds, as `least` is: 0, 1 or whole seconds. */
const duration = (example: string, least = 1): Key<number> => ({
  takes: `a duration such as "${example}" ${units}${["", ", and not zero"][least] ?? `, and not less than ${least / 1_000} seconds`}`,
  config: (name) => Config.schema(span(least), name).pipe(Config.map(Duration.toMillis))
})

const durationOrOff = (example: string): Key<number | null> => ({
  takes: `a duration such as "${example}" ${units}, or "off"`,
  config: (name) =>
    Config.schema(Schema.Union([Schema.Literal("off"), span(1)]), name).pipe(
      Config.map((value) => (value === "off" ? null : Duration.toMillis(value)))
    )
})

const sizes = Schema.ByteSizeFromString.check(
  Schema.makeFilter((bytes) => bytes >= ByteSize.kibibytes(1) && bytes <= ByteSize.tebibytes(1))
)

const takesSize = (example: string) =>
  `a size from 1 KiB to 1 TiB such as "${example}" (a number and B, kB, MB, GB, KiB, MiB or GiB)`

const sizeOrOff = (example: string): Key<number | null> => ({
  takes: `${takesSize(example)}, or "off"`,
  config: (name) =>
    Config.schema(Schema.Union([Schema.Literal("off"), sizes]), name).pipe(
      Config.map((value) => (value === "off" ? null : ByteSize.toNumberUnsafe(value)))
    )
})

const wholeOrOff = (minimum: number, maximum: number, note = ""): Key<number | null> => ({
  takes: `a whole number from ${minimum} to ${maximum}${note}, or "off"`,
  config: (name) =>
    Config.schema(
      Schema.Union([Schema.Literal("off"), Schema.Int.check(Schema.isBetween({ minimum, maximum }))]),
      name
    ).pipe(Config.map((value) => (value === "off" ? null : value)))
})

/** In bytes, as a JavaScript number. */
const size = (example: string): Key<number> => ({
  takes: takesSize(example),
  config: (name) => Config.schema(sizes, name).pipe(Config.map(ByteSize.toNumberUnsafe))
})

const list = (takes: string, item: RegExp): Key<ReadonlyArray<string>> => ({
  takes: `${takes} (in the file also as an array)`,
  config: (name) =>
    Config.Array(Schema.Trim.check(Schema.isPattern(item)), name).pipe(
      Config.map((items) => items.map((each) => each.toLowerCase()))
    )
})

/** Too long to be guessed, and of characters that are valid in a header. */
const token: Key<Redacted.Redacted<string>> = {
  takes: "at least 16 printable characters without spaces",
  secret: true,
  config: (name) => Config.schema(Schema.Redacted(Schema.String.check(Schema.isPattern(/^[!-~]{16,512}$/))), name)
}

/** What all nodes sign their calls with. */
const secretOfNodes: Key<Redacted.Redacted<string>> = {
  takes: "at least 32 printable characters without spaces, the same on every node",
  secret: true,
  config: (name) => Config.schema(Schema.Redacted(Schema.String.check(Schema.isPattern(/^[!-~]{32,512}$/))), name)
}

/** The key of a model provider, which has no blanks. */
const apiKey: Key<Redacted.Redacted<string>> = {
  takes: "the key as its provider gave it out, without spaces",
  secret: true,
  config: (name) => Config.schema(Schema.Redacted(Schema.String.check(Schema.isPattern(/^[!-~]{1,4096}$/))), name)
}

const database: Key<Redacted.Redacted<string>> = {
  takes: "an address such as postgres://user:password@host:5432/troupe",
  secret: true,
  config: (name) =>
    Config.schema(
      Schema.Redacted(
        Schema.String.check(Schema.makeFilter((value) => /^postgres(ql)?:\/\/\S+$/.test(value) && URL.canParse(value)))
      ),
      name
    )
}

const address = (example: string): Key<string> => ({
  takes: `an http or https address such as ${example}`,
  config: (name) =>
    Config.schema(
      Schema.String.check(Schema.makeFilter((value) => /^https?:\/\/[^\s?#]+$/.test(value) && URL.canParse(value))),
      name
    )
})

const boolean: Key<boolean> = { takes: "true or false", config: (name) => Config.Boolean(name) }

const hostOfRequest = /^(\*|[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/
const originOfPage = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^\s/,]+$/

export const keys = {
  host: text("an address or a name of this machine, such as 127.0.0.1"),
  port: whole(0, 65_535, " (0 picks a free one)"),
  dataDir: text("a directory, or :memory:"),
  databaseUrl: database,
  adminToken: token,
  node: text("a name for this machine that no other node has"),
  nodeUrl: address("http://10.0.0.5:8420"),
  clusterSecret: secretOfNodes,
  // A node's agents must be ended within a part of it.
  nodeLease: duration("4 seconds", 3_000),
  homes: oneOf(Homes.literals),
  maxSessions: whole(1, 1_000_000),
  maxSessionsPerApp: whole(1, 1_000_000),
  maxProcesses: whole(1, 10_000),
  warmSpares: whole(0, 100),
  poolWait: duration("30 seconds", 0),
  sessionTtl: durationOrOff("24 hours"),
  sessionIdleTtl: durationOrOff("2 hours"),
  sessionHardTtl: duration("7 days", 0),
  sweepInterval: duration("60 seconds"),
  hibernateAfter: duration("5 minutes"),
  turnTimeout: duration("10 minutes"),
  postToolQuiet: duration("90 seconds"),
  turnQuiet: durationOrOff("10 minutes"),
  approvalTimeout: duration("5 minutes"),
  restartIntensity: whole(0, 1_000),
  restartPeriod: duration("60 seconds"),
  ledgerPatience: duration("60 seconds", 0),
  maxSessionRss: sizeOrOff("4 GiB"),
  maxSessionDescendants: wholeOrOff(1, 100_000, " processes"),
  allowedHosts: list("host names separated by commas, such as troupe.example.org,localhost:8420", hostOfRequest),
  allowedOrigins: list("origins separated by commas, such as https://app.example.org", originOfPage),
  maxBody: size("1 MiB"),
  maxFile: size("32 MiB"),
  maxCapsule: size("32 MiB"),
  logLevel: oneOf(["trace", "debug", "info", "warn", "error", "none"]),
  logFormat: oneOf(["pretty", "json"]),
  defaultAgent: text("the name of an agent"),
  reviewMemoryInterval: whole(0, 1_000_000, " user turns (0 turns memory reviews off)"),
  reviewSkillInterval: whole(0, 1_000_000, " tool iterations (0 turns skill reviews off)"),
  reviewSkillTool: boolean,
  reviewApiKey: apiKey,
  reviewBaseUrl: address("https://api.openai.com/v1"),
  reviewModel: text("the name of a model"),
  reviewIterations: whole(1, 1_000, " calls of the model"),
  reviewInputTokens: whole(1_000, 1_000_000_000, " tokens")
} satisfies Record<string, Key<unknown>>

export type KeyName = keyof typeof keys

export const names = Object.keys(keys) as ReadonlyArray<KeyName>

/** Settings of reviews are in an object of their own in the file. */
const ofReviews = /^review(?=[A-Z])/

/** `poolWait` has the same name in the file, and `reviewModel` is `reviews.model`. */
export const placeOf = (name: KeyName): readonly [string] | readonly ["reviews", string] => {
  if (!ofReviews.test(name)) return [name]
  const rest = name.replace(ofReviews, "")
  return ["reviews", rest.charAt(0).toLowerCase() + rest.slice(1)]
}

/** `poolWait` is set by `TROUPE_POOL_WAIT`. */
export const variableOf = (name: KeyName): string => `TROUPE_${name.replace(/[A-Z]/g, "_$&").toUpperCase()}`

/** `dataDir` is set by `--data-dir`. */
export const flagOf = (name: KeyName): string => `--${name.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`
