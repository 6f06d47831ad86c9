/** The cost of a turn, a session or a day, where the agent reports it. Troupe knows no prices. */
import { Schema } from "effect"
import type { AcpMessage } from "./Acp.ts"

export const Cost = Schema.Struct({
  amount: Schema.Finite,
  /** ISO 4217, as the agent reports it. */
  currency: Schema.String
})
export type Cost = typeof Cost.Type

/** Sums by currency, in the order of their first occurrence. */
export const addCosts = (costs: Iterable<Cost>): ReadonlyArray<Cost> => {
  const sums = new Map<string, number>()
  for (const { amount, currency } of costs) sums.set(currency, (sums.get(currency) ?? 0) + amount)
  // Rounded, because binary addition gives digits that no agent reported.
  return [...sums].map(([currency, amount]) => ({ amount: Number(amount.toFixed(9)), currency }))
}

/** The cost of a thread since its beginning: agents report a running total, not the cost of a turn. */
export interface ReportedCost extends Cost {
  readonly thread: string
}

/** The cost in a `usage_update` of ACP; `null`: there is none. */
export const costIn = (message: AcpMessage): ReportedCost | null => {
  if (!("method" in message) || message.method !== "session/update") return null
  const { sessionId, update } = message.params
  if (update.sessionUpdate !== "usage_update") return null
  const { amount, currency } = (update["cost"] ?? {}) as { readonly amount?: unknown; readonly currency?: unknown }
  if (typeof amount !== "number" || !Number.isFinite(amount) || amount < 0) return null
  if (typeof currency !== "string" || !/^[A-Z]{3}$/.test(currency)) return null
  return { thread: sessionId, amount, currency }
}
