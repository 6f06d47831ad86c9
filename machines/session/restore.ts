/** A session's stored snapshot, as this version reads it; and what is wrong with one that it can't read. */
import { initialContext } from "./events.ts"
import type { WaitingTurn } from "./events.ts"
import { noPause } from "./quota.ts"
import { noRestarts } from "./restarts.ts"

/**
 * The version of the chart and of its context, stored with each session. It is raised with what an earlier one could not go
 * on with: a state that it has not, or a member of the context that it would have to heed. A Troupe takes no session that
 * a later one has had (decision 0033).
 */
export const chartVersion = 1

/** The stored snapshot is none: its row was damaged, or a state in it is one that the chart no longer has. */
export class DamagedSnapshot extends Error {
  override readonly name = "DamagedSnapshot"
  /** As `Unavailable` finds it in a chain of causes. */
  readonly damaged = true
}

export interface StoredState {
  readonly value: object | string
  readonly context: typeof initialContext
}

/**
 * The stored state with the initial value of what a later version added to the context. Throws `DamagedSnapshot` where a
 * part has another type than it is written with: a guard that compares it would decide anything.
 */
export const storedState = (persisted: unknown): StoredState => {
  if (!isObject(persisted) || !isObject(persisted["context"])) throw new DamagedSnapshot("it has no context")
  const { value } = persisted
  if (typeof value !== "string" && !isObject(value)) throw new DamagedSnapshot("it has no state")
  const context = { ...initialContext, ...persisted["context"] }
  const wrong = wrongMember(context)
  if (wrong !== undefined) throw new DamagedSnapshot(`${wrong} in it has another type`)
  return { value, context }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Of turns and processes. What is no such number would be refused only where it is sent on. */
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0

const isWaiting = (value: unknown): value is WaitingTurn =>
  isObject(value) && isCount(value["turn"]) && typeof value["timeoutMillis"] === "number"

const isLike = (sample: unknown, value: unknown): boolean => {
  if (Array.isArray(sample)) return Array.isArray(value)
  if (isObject(sample))
    return isObject(value) && Object.entries(sample).every(([name, member]) => isLike(member, value[name]))
  return typeof value === typeof sample
}

const isListOf =
  (type: "number" | "string") =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every((member) => typeof member === type)

const isNullOr =
  (type: "number" | "string") =>
  (value: unknown): boolean =>
    value === null || typeof value === type

/** The members that say more than their initial value does. */
const isValid: Readonly<Record<string, (value: unknown) => boolean>> = {
  turn: isCount,
  generation: isCount,
  queue: (value) => Array.isArray(value) && value.every(isWaiting),
  approvals: isListOf("string"),
  upSince: isNullOr("number"),
  thread: isNullOr("string"),
  restarts: (value) => isLike(noRestarts, value) && isListOf("number")((value as typeof noRestarts).exits),
  limit: (value) => isLike(noPause, value)
}

const wrongMember = (context: Readonly<Record<string, unknown>> | typeof initialContext): string | undefined =>
  Object.entries(initialContext)
    .map(([name, initial]) => [name, (context as Readonly<Record<string, unknown>>)[name], initial] as const)
    .find(([name, value, initial]) => !(isValid[name]?.(value) ?? isLike(initial, value)))?.[0]
