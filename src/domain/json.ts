/**
 * Readers for JSON that somebody else wrote: an agent of any version and make. They never throw.
 *
 * A field that is missing or of the wrong kind reads as absent, so that one odd message costs that message and nothing
 * else. Written by hand, not as schemas: an agent's deltas come by the thousand.
 */
import type { Schema } from "effect"

/** An object of which nothing is known. */
export type JsonObject = Readonly<Record<string, unknown>>

/** An object all of whose values are JSON. */
export type JsonRecord = Readonly<Record<string, Schema.Json>>

const empty: JsonObject = {}

/** The object, or an empty one. */
export const objectIn = (value: unknown): JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : empty

export const listIn = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

export const textIn = (value: unknown): string | null => (typeof value === "string" ? value : null)

/** For a sentence: what is no text by its type. `String` throws at an object of JSON that has a member `toString`. */
export const shownIn = (value: unknown): string =>
  typeof value === "object" && value !== null ? (Array.isArray(value) ? "a list" : "an object") : String(value)

/** For names and titles: an empty one is as good as none. */
export const nonEmptyTextIn = (value: unknown): string | null => (value === "" ? null : textIn(value))

export const numberIn = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null

export const integerIn = (value: unknown): number | null => (Number.isSafeInteger(value) ? (value as number) : null)

/** A count: a whole number that is not negative. Anything else counts nothing. */
export const countIn = (value: unknown): number => Math.max(0, integerIn(value) ?? 0)

/** What stands at the end of a path of fields. */
export const at = (value: unknown, ...path: ReadonlyArray<string>): unknown => {
  let inner = value
  for (const field of path) inner = objectIn(inner)[field]
  return inner
}
