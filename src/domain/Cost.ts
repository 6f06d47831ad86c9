/** What a turn, a session or a day has cost, where its agent tells: nobody here knows prices. */
import { Schema } from "effect"
import type { AcpMessage } from "./Acp.ts"

export const Cost = Schema.Struct({
  amount: Schema.Finite,
  /** ISO 4217, as the agent names it. */
  currency: Schema.String
})
export type Cost = typeof Cost.Type

/** Sums by currency, in the order in which those are met. */
export const addCosts = (costs: Iterable<Cost>): ReadonlyArray<Cost> => {
  const sums = new Map<string, number>()
  for (const { amount, currency } of costs) sums.set(currency, (sums.get(currency) ?? 0) + amount)
  // What is added in binary has a tail of digits that nobody told.
  return [...sums].map(([currency, amount]) => ({ amount: Number(amount.toFixed(9)), currency }))
}

/** What a thread has cost from its beginning: agents tell a running total, and never what one turn added to it. */
export interface ReportedCost extends Cost {
  readonly thread: string
}

/** Of ACP's `usage_update`, which may have a cost in it. */
export const costIn = (message: AcpMessage): ReportedCost | null => {
  if (!("method" in message) || message.method !== "session/update") return null
  const { sessionId, update } = message.params
  if (update.sessionUpdate !== "usage_update") return null
  const { amount, currency } = (update["cost"] ?? {}) as { readonly amount?: unknown; readonly currency?: unknown }
  if (typeof amount !== "number" || !Number.isFinite(amount) || amount < 0) return null
  if (typeof currency !== "string" || !/^[A-Z]{3}$/.test(currency)) return null
  return { thread: sessionId, amount, currency }
}
