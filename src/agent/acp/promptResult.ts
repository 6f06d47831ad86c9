/** Reads the result of a prompt: why the turn stopped, and what it cost in tokens. Tolerant of what agents write there. */
import { nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import { StopReason, tokensIn } from "../../domain/Turn.ts"
import type { Usage } from "../../domain/Turn.ts"

/** Made once, because it is read for every turn. */
const stopReasons: ReadonlySet<string> = new Set(StopReason.literals.filter((reason) => reason !== "error"))

/** Spellings of other libraries. */
const synonyms: Readonly<Record<string, StopReason>> = { canceled: "cancelled", max_turns: "max_turn_requests" }

/**
 * ACP's reason for a stop, also where it is spelled `endTurn` or `END_TURN`. Any other value, or none, is `end_turn`: it
 * is certain that the turn ended.
 */
export const stopReasonIn = (result: unknown): StopReason => {
  const written = nonEmptyTextIn(objectIn(result)["stopReason"]) ?? ""
  const reason = written
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .replaceAll(/[\s-]+/g, "_")
    .toLowerCase()
  return synonyms[reason] ?? (stopReasons.has(reason) ? (reason as StopReason) : "end_turn")
}

/**
 * Agents count cached tokens apart from the input (`inputTokens` excludes them, `totalTokens` includes them). Troupe
 * counts as OpenAI does: the input includes what was cached of it. `thoughtTokens` are part of the output in both.
 */
export const usageIn = (usage: unknown): Usage | null => {
  if (typeof usage !== "object" || usage === null || Array.isArray(usage)) return null
  const tokens = objectIn(usage)
  const cachedInputTokens = tokensIn(tokens["cachedReadTokens"])
  const inputTokens = tokensIn(tokens["inputTokens"]) + cachedInputTokens + tokensIn(tokens["cachedWriteTokens"])
  const outputTokens = tokensIn(tokens["outputTokens"])
  return {
    inputTokens,
    cachedInputTokens,
    outputTokens,
    reasoningTokens: tokensIn(tokens["thoughtTokens"]),
    totalTokens: tokensIn(tokens["totalTokens"]) || inputTokens + outputTokens
  }
}
