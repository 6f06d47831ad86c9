/**
 * A line of the log: flat fields, so that a log store needs no rules for Troupe's. `time`, `level` (lower case) and
 * `message` come first, then what the line is about (`session`, `turn`, `request_id`, …), then `error`, the cause.
 */
import { Cause, References } from "effect"
import type { LogLevel, Logger } from "effect"

/** A cause that repeats itself, or quotes what was sent, makes no endless line. */
const longestError = 16_384

export type LogFields = Readonly<Record<string, string | number | boolean | null>>

/** As JSON. */
export const jsonLine = (entry: Logger.Options<unknown>): string => {
  const { error, fields, level, message } = partsOf(entry)
  const own = { time: entry.date.toISOString(), level, message }
  return JSON.stringify({ ...own, ...fields, ...own, ...(error === null ? {} : { error }) })
}

/** For a person at a terminal: `key=value` behind the message, and the error below. `paint` colours a level. */
export const textLine = (
  entry: Logger.Options<unknown>,
  paint: (level: string, text: string) => string = (_, text) => text
): string => {
  const { error, fields, level, message } = partsOf(entry)
  const time = entry.date.toISOString().slice(11, 23)
  const known = Object.entries(fields).flatMap(([name, value]) =>
    value === null
      ? []
      : [`${name}=${typeof value === "string" && /[\s"=]/.test(value) ? JSON.stringify(value) : value}`]
  )
  const line = [time, paint(level, level.padEnd(5)), message, ...known].join(" ")
  return error === null ? line : `${line}\n${error.replace(/^/gm, "  ")}`
}

const partsOf = ({ cause, fiber, logLevel, message }: Logger.Options<unknown>) => {
  const words: Array<string> = []
  const errors: Array<string> = []
  for (const part of Array.isArray(message) ? message : [message]) {
    if (part instanceof Error) errors.push(Cause.pretty(Cause.die(part)))
    else words.push(typeof part === "string" ? part : textOf(part))
  }
  if (cause.reasons.length > 0) errors.push(Cause.pretty(cause))
  const error = errors.length === 0 ? null : errors.join("\n").slice(0, longestError)
  return { level: wordOf(logLevel), message: words.join(" "), fields: fieldsOf(fiber), error }
}

const fieldsOf = (fiber: Logger.Options<unknown>["fiber"]): LogFields =>
  Object.fromEntries(
    Object.entries(fiber.getRef(References.CurrentLogAnnotations)).map(([name, value]) => [
      name,
      typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null
        ? value
        : textOf(value)
    ])
  )

/** `Warn` is `warn`. */
const wordOf = (level: LogLevel.LogLevel): string => level.toLowerCase()

const textOf = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}
