/**
 * Every setting that is one value: how it is read, and what it takes, in the words of the error that refuses another.
 *
 * Named as in `troupe.config.json`. Its environment variable is the same in capitals with `TROUPE_` in front, so
 * `poolWait` is `TROUPE_POOL_WAIT`. Durations and sizes carry their unit: a bare `30` would be 30 of what?
 */
import { ByteSize, Config, Duration, Schema } from "effect"
import type { Redacted } from "effect"

export interface Key<A> {
  /** Completes "it takes …". */
  readonly takes: string
  readonly config: (name: string) => Config.Config<A>
  /** Its value is never shown, not even where it is wrong. */
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

/** Node's own timers end after 24.8 days; ours are re-armed, but nobody means more than ten years. */
const longestMillis = 3_650 * 86_400_000

const span = (least: number) =>
  Schema.DurationFromString.check(
    Schema.makeFilter((duration) => {
      const millis = Duration.toMillis(duration)
      return Number.isInteger(millis) && millis >= least && millis <= longestMillis
    })
  )

const units = `(a number and millis, seconds, minutes, hours, days or weeks)`

/** In milliseconds. */
const duration = (example: string, least = 1): Key<number> => ({
  takes: `a duration such as "${example}" ${units}${least === 0 ? "" : ", and not zero"}`,
  config: (name) => Config.schema(span(least), name).pipe(Config.map(Duration.toMillis))
})

const durationOrOff = (example: string): Key<number | null> => ({
  takes: `a duration such as "${example}" ${units}, or "off"`,
  config: (name) =>
    Config.schema(Schema.Union([Schema.Literal("off"), span(1)]), name).pipe(
      Config.map((given) => (given === "off" ? null : Duration.toMillis(given)))
    )
})

/** A body or a file is held, or counted, in a number of JavaScript's. */
const size = (example: string): Key<number> => ({
  takes: `a size from 1 KiB to 1 TiB such as "${example}" (a number and B, kB, MB, GB, KiB, MiB or GiB)`,
  config: (name) =>
    Config.schema(
      Schema.ByteSizeFromString.check(
        Schema.makeFilter((bytes) => bytes >= ByteSize.kibibytes(1) && bytes <= ByteSize.tebibytes(1))
      ),
      name
    ).pipe(Config.map(ByteSize.toNumberUnsafe))
})

const list = (takes: string, item: RegExp): Key<ReadonlyArray<string>> => ({
  takes: `${takes} (in the file also as an array)`,
  config: (name) =>
    Config.Array(Schema.Trim.check(Schema.isPattern(item)), name).pipe(
      Config.map((items) => items.map((each) => each.toLowerCase()))
    )
})

/** Long enough not to be guessed, and of characters that a header carries as they are. */
const token: Key<Redacted.Redacted<string>> = {
  takes: "at least 16 printable characters without spaces",
  secret: true,
  config: (name) => Config.schema(Schema.Redacted(Schema.String.check(Schema.isPattern(/^[!-~]{16,512}$/))), name)
}

const hostOfRequest = /^(\*|[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/
const originOfPage = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^\s/,]+$/

export const keys = {
  host: text("an address or a name of this machine, such as 127.0.0.1"),
  port: whole(0, 65_535, " (0 picks a free one)"),
  dataDir: text("a directory, or :memory:"),
  adminToken: token,
  maxSessions: whole(1, 1_000_000),
  maxSessionsPerApp: whole(1, 1_000_000),
  maxProcesses: whole(1, 10_000),
  poolWait: duration("30 seconds", 0),
  sessionTtl: durationOrOff("24 hours"),
  sessionIdleTtl: durationOrOff("2 hours"),
  sessionHardTtl: duration("7 days", 0),
  sweepInterval: duration("60 seconds"),
  hibernateAfter: duration("5 minutes"),
  turnTimeout: duration("10 minutes"),
  postToolQuiet: duration("90 seconds"),
  approvalTimeout: duration("5 minutes"),
  restartIntensity: whole(0, 1_000),
  restartPeriod: duration("60 seconds"),
  allowedHosts: list("host names separated by commas, such as troupe.example.org,localhost:8420", hostOfRequest),
  allowedOrigins: list("origins separated by commas, such as https://app.example.org", originOfPage),
  maxBody: size("1 MiB"),
  maxFile: size("32 MiB"),
  logLevel: oneOf(["trace", "debug", "info", "warn", "error", "none"]),
  logFormat: oneOf(["pretty", "json"]),
  defaultAgent: text("the name of an agent")
} satisfies Record<string, Key<unknown>>

export type KeyName = keyof typeof keys

export const names = Object.keys(keys) as ReadonlyArray<KeyName>

/** `poolWait` is set by `TROUPE_POOL_WAIT`. */
export const variableOf = (name: KeyName): string => `TROUPE_${name.replace(/[A-Z]/g, "_$&").toUpperCase()}`

/** `dataDir` is set by `--data-dir`. */
export const flagOf = (name: KeyName): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
