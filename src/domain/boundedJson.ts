/**
 * Writers for what an agent sent, whatever it is: they never throw, and what they write is bounded.
 */
import type { JsonObject } from "./json.ts"

/** Of one tool's output, or of one payload, this many characters go into a message. All of it stays in the events. */
export const longestContent = 32 * 1024

/** Of one text within a payload; so that no long one takes the room of all others. */
const longestText = 8 * 1024
const deepest = 32

/** Its beginning and its end, with the number of characters left out between them. */
export const clipped = (value: string, limit = longestContent): string => {
  if (value.length <= limit) return value
  const half = Math.floor(limit / 2)
  // Half of a surrogate pair is no text.
  const [head, tail] = [value.slice(0, half).toWellFormed(), value.slice(-half).toWellFormed()]
  return `${head}\n… ${value.length - 2 * half} characters left out …\n${tail}`
}

/**
 * JSON with sorted keys that is always whole: where it would get longer than `limit` (more or less), long texts are
 * clipped and the members that find no room are counted instead.
 */
export const boundedJson = (value: unknown, limit = longestContent): string => write(value, { left: limit }, 0)

const write = (value: unknown, budget: { left: number }, depth: number): string => {
  if (typeof value === "object" && value !== null) {
    if (depth >= deepest) return '"…"'
    return Array.isArray(value) ? writeList(value, budget, depth) : writeRecord(value as JsonObject, budget, depth)
  }
  const plain = typeof value === "string" ? clipped(value, longestText) : value
  const written = typeof plain === "bigint" ? `"${plain}"` : (JSON.stringify(plain) ?? "null")
  budget.left -= written.length
  return written
}

const writeList = (values: ReadonlyArray<unknown>, budget: { left: number }, depth: number): string => {
  const members: Array<string> = []
  for (const value of values) {
    if (budget.left <= 0) {
      members.push(`"… ${values.length - members.length} more"`)
      break
    }
    members.push(write(value, budget, depth + 1))
    budget.left -= 1
  }
  return `[${members.join(",")}]`
}

const writeRecord = (of: JsonObject, budget: { left: number }, depth: number): string => {
  const keys = Object.keys(of)
    .filter((key) => of[key] !== undefined)
    .sort()
  const members: Array<string> = []
  for (const key of keys) {
    if (budget.left <= 0) {
      members.push(`"…":"${keys.length - members.length} more"`)
      break
    }
    const named = JSON.stringify(key)
    budget.left -= named.length + 2
    members.push(`${named}:${write(of[key], budget, depth + 1)}`)
  }
  return `{${members.join(",")}}`
}
