/** Refuses words that would do something else to an agent than say them, such as `/clear` (`AgentDriver.promptProblem`). */
import { Effect, Option } from "effect"
import type { Agents } from "../agent/Agents.ts"
import { InvalidRequest } from "../domain/Refusal.ts"
import type { SessionRecord } from "../domain/Session.ts"

/** `field`: where the words are in the request. */
export const checkPrompt = Effect.fnUntraced(function* (
  agents: Agents["Service"],
  { agent }: SessionRecord,
  field: "prompt" | "text",
  words: string
) {
  const driver = yield* Effect.option(agents.driver(agent))
  const problem = Option.isNone(driver) ? null : (driver.value.promptProblem?.(words) ?? null)
  if (problem !== null) return yield* new InvalidRequest({ field, problem })
})
