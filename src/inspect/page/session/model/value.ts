/** A machine's snapshot in the words of the chart and of the wire: `turning.asking`, and what changed in its context. */

/** `{ turning: "asking" }` is `turning.asking`. */
export const pathOf = (value: unknown): string => {
  if (typeof value === "string") return value
  if (typeof value !== "object" || value === null) return ""
  const [[key, inner] = ["", ""]] = Object.entries(value)
  const rest = pathOf(inner)
  return rest === "" ? key : `${key}.${rest}`
}

/** The other way round, as a machine takes it. */
export const valueOf = (path: string): string | Readonly<Record<string, unknown>> => {
  const [key = "", ...rest] = path.split(".")
  return rest.length === 0 ? key : { [key]: valueOf(rest.join(".")) }
}

/** `turning.asking` with the states around it: `turning`, `turning.asking`. */
export const lineage = (path: string): ReadonlyArray<string> => {
  const keys = path.split(".")
  return keys.map((_, n) => keys.slice(0, n + 1).join("."))
}

export interface Change {
  /** Such as `restarts.attempt`. */
  readonly path: string
  /** `undefined` where there was nothing. */
  readonly before: unknown
  readonly after: unknown
}

/** What differs, leaf by leaf; lists are leaves. What was redacted on one side says nothing. */
export const changes = (before: unknown, after: unknown, path = ""): ReadonlyArray<Change> => {
  if (Object.is(before, after) || isRedacted(before) || isRedacted(after)) return []
  if (isRecord(before) && isRecord(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)])
    return [...keys].flatMap((key) => changes(before[key], after[key], path === "" ? key : `${path}.${key}`))
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }]
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isRedacted = (value: unknown): boolean => typeof value === "string" && value.startsWith("[redacted")
