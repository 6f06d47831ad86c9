/**
 * Every setting that is a single value: how it is read, and what it takes, in the words of the error for another value.
 *
 * Named as in `troupe.config.json`, where those of reviews are in an object: `reviewModel` is `model` in `reviews`. The
 * environment variable is the name in capitals with the prefix `TROUPE_`, so `poolWait` is `TROUPE_POOL_WAIT`. Durations
 * and sizes must have a unit, because a bare `30` would be ambiguous.
 */
import { ByteSize, Config, Duration, Schema } from "effect"
import type { Redacted } from "effect"
import { Homes } from "../domain/Settings.ts"

export interface Key<A> {
  /** Completes "it takes …". */
  readonly takes: string
  readonly config: (name: string) => Config.Config<A>
  /** What an author may write in the file, by the schema that decodes it. */
  readonly schema: Schema.Top
  /** The value is never printed, not even in an error. */
  readonly secret?: true
}

const keyOf = <A, E>(takes: string, schema: Schema.Codec<A, E>): Key<A> => ({
  takes,
  schema,
  config: (name) => Config.schema(schema, name)
})

/** The same, and what is made of the value. */
const mapped = <A, E, B>(takes: string, schema: Schema.Codec<A, E>, map: (value: A) => B): Key<B> => ({
  takes,
  schema,
  config: (name) => Config.schema(schema, name).pipe(Config.map(map))
})

/** Never printed. */
const secret = <E>(takes: string, schema: Schema.Codec<string, E>): Key<Redacted.Redacted<string>> => ({
  ...keyOf(takes, Schema.Redacted(schema)),
  secret: true
})

const text = (takes: string) => keyOf(takes, Schema.String.check(Schema.isPattern(/^\S(.*\S)?$/)))

const whole = (minimum: number, maximum: number, note = "") =>
  keyOf(`a whole number from ${minimum} to ${maximum}${note}`, Schema.Int.check(Schema.isBetween({ minimum, maximum })))

const oneOf = <const L extends ReadonlyArray<string>>(literals: L): Key<L[number]> =>
  keyOf(literals.slice(0, -1).join(", ") + ` or ${literals.at(-1)}`, Schema.Literals(literals))

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
const duration = (example: string, least = 1) =>
  mapped(
    `a duration such as "${example}" ${units}${["", ", and not zero"][least] ?? `, and not less than ${least / 1_000} seconds`}`,
    span(least),
    Duration.toMillis
  )

/** `null` for "off". */
const orOff = <A, E, B>(takes: string, schema: Schema.Codec<A, E>, map: (value: A) => B): Key<B | null> =>
  mapped(`${takes}, or "off"`, Schema.Union([Schema.Literal("off"), schema]), (value) =>
    value === "off" ? null : map(value as A)
  )

const durationOrOff = (example: string) => orOff(`a duration such as "${example}" ${units}`, span(1), Duration.toMillis)

const sizes = Schema.ByteSizeFromString.check(
  Schema.makeFilter((bytes) => bytes >= ByteSize.kibibytes(1) && bytes <= ByteSize.tebibytes(1))
)

const takesSize = (example: string) =>
  `a size from 1 KiB to 1 TiB such as "${example}" (a number and B, kB, MB, GB, KiB, MiB or GiB)`

const sizeOrOff = (example: string) => orOff(takesSize(example), sizes, ByteSize.toNumberUnsafe)

const wholeOrOff = (minimum: number, maximum: number, note = "") =>
  orOff(
    `a whole number from ${minimum} to ${maximum}${note}`,
    Schema.Int.check(Schema.isBetween({ minimum, maximum })),
    (value) => value
  )

/** In bytes, as a JavaScript number. */
const size = (example: string) => mapped(takesSize(example), sizes, ByteSize.toNumberUnsafe)

const list = (takes: string, item: RegExp): Key<ReadonlyArray<string>> => {
  const items = Schema.Trim.check(Schema.isPattern(item))
  return {
    takes: `${takes} (in the file also as an array)`,
    schema: Schema.Union([Schema.String, Schema.Array(items)]),
    config: (name) => Config.Array(items, name).pipe(Config.map((all) => all.map((each) => each.toLowerCase())))
  }
}

/** Too long to be guessed, and of characters that are valid in a header. */
const token = secret(
  "at least 16 printable characters without spaces",
  Schema.String.check(Schema.isPattern(/^[!-~]{16,512}$/))
)

/** What all nodes sign their calls with. */
const secretOfNodes = secret(
  "at least 32 printable characters without spaces, the same on every node",
  Schema.String.check(Schema.isPattern(/^[!-~]{32,512}$/))
)

/** The key of a model provider, which has no blanks. */
const apiKey = secret(
  "the key as its provider gave it out, without spaces",
  Schema.String.check(Schema.isPattern(/^[!-~]{1,4096}$/))
)

const database = secret(
  "an address such as postgres://user:password@host:5432/troupe",
  Schema.String.check(Schema.makeFilter((value) => /^postgres(ql)?:\/\/\S+$/.test(value) && URL.canParse(value)))
)

const address = (example: string) =>
  keyOf(
    `an http or https address such as ${example}`,
    Schema.String.check(Schema.makeFilter((value) => /^https?:\/\/[^\s?#]+$/.test(value) && URL.canParse(value)))
  )

const boolean: Key<boolean> = {
  takes: "true or false",
  schema: Schema.Boolean,
  config: (name) => Config.Boolean(name)
}

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
  attentionAsked: duration("60 seconds", 0),
  attentionQueued: duration("15 seconds", 0),
  attentionSilent: duration("60 seconds"),
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
  agentsApi: boolean,
  defaultAgent: text("the name of an agent"),
  reviews: boolean,
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

/** `poolWait` has the same name in the file, `reviewModel` is `reviews.model`, and `reviews` is `reviews.enabled`. */
export const placeOf = (name: KeyName): readonly [string] | readonly ["reviews", string] => {
  if (name === "reviews") return ["reviews", "enabled"]
  if (!ofReviews.test(name)) return [name]
  const rest = name.replace(ofReviews, "")
  return ["reviews", rest.charAt(0).toLowerCase() + rest.slice(1)]
}

/** `poolWait` is set by `TROUPE_POOL_WAIT`. */
export const variableOf = (name: KeyName): string => `TROUPE_${name.replace(/[A-Z]/g, "_$&").toUpperCase()}`

/** `dataDir` is set by `--data-dir`. */
export const flagOf = (name: KeyName): string => `--${name.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`
