/**
 * Readers for what an agent sent: never throw, never trust.
 *
 * An agent may be of any version and make. A field that is missing or of the wrong kind reads as absent, so that one
 * odd message costs that message and nothing else.
 */

export type Json = Readonly<Record<string, unknown>>

/** The object, or an empty one. */
export const record = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {}

export const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

export const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null)

/** A count: a whole number that is not negative. Anything else counts nothing. */
export const count = (value: unknown): number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0

/** What stands at the end of a path of fields. */
export const at = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((inner, field) => record(inner)[field], value)

/** On one line and no longer than `length`, for titles and errors. */
export const line = (value: string, length = 300): string => {
  const flat = value.replaceAll(/\s+/g, " ").trim()
  return flat.length > length ? `${flat.slice(0, length - 1)}…` : flat
}

/** The same, with an end, so that another sentence can follow. */
export const sentence = (value: string): string => {
  const flat = line(value)
  return flat === "" || /[.!?…]$/.test(flat) ? flat : `${flat}.`
}
