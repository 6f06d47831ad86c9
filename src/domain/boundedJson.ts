/** Writes values of an agent with a bounded length. Never throws. */
import { cut, cutStart } from "./cut.ts"
import type { JsonObject } from "./json.ts"

/** The limit of one tool's output, or of one payload, in a message. All of it stays in the events. */
export const maxContentCharacters = 32 * 1024

/** The limit of one text in a payload, so that a long one does not displace all others. */
const maxTextCharacters = 8 * 1024
const maxDepth = 32

/** The beginning and the end of a text, with the number of characters left out between them. */
export const clipped = (value: string, limit = maxContentCharacters): string => {
  if (value.length <= limit) return value
  const half = Math.floor(limit / 2)
  const [head, tail] = [cut(value, half), cutStart(value, half)]
  return `${head}\n… ${value.length - head.length - tail.length} characters left out …\n${tail}`
}

/**
 * JSON with sorted keys, always complete and valid. Where it would be longer than about `limit`, long texts are clipped,
 * and further members are replaced by their number.
 */
export const boundedJson = (value: unknown, limit = maxContentCharacters): string => write(value, { left: limit }, 0)

const write = (value: unknown, budget: { left: number }, depth: number): string => {
  if (typeof value === "object" && value !== null) {
    if (depth >= maxDepth) return '"…"'
    return Array.isArray(value) ? writeList(value, budget, depth) : writeRecord(value as JsonObject, budget, depth)
  }
  const bounded = typeof value === "string" ? clipped(value, maxTextCharacters) : value
  const written = typeof bounded === "bigint" ? `"${bounded}"` : (JSON.stringify(bounded) ?? "null")
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

const writeRecord = (object: JsonObject, budget: { left: number }, depth: number): string => {
  const keys = Object.keys(object)
    .filter((key) => object[key] !== undefined)
    .sort()
  const members: Array<string> = []
  for (const key of keys) {
    if (budget.left <= 0) {
      members.push(`"…":"${keys.length - members.length} more"`)
      break
    }
    const name = JSON.stringify(key)
    budget.left -= name.length + 2
    members.push(`${name}:${write(object[key], budget, depth + 1)}`)
  }
  return `{${members.join(",")}}`
}
