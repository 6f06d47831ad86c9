/** Refuses settings of a turn that its agent does not take, and a schema that is none, before the turn is accepted. */
import { Effect } from "effect"
import type { Agents } from "../agent/Agents.ts"
import { schemaProblem } from "../conversation/structured.ts"
import { InvalidRequest } from "../domain/Refusal.ts"
import type { SessionRecord } from "../domain/Session.ts"
import type { TurnSettings } from "../domain/Turn.ts"
import { checkArguments } from "./checkArguments.ts"
import { checkChoices } from "./checkSetup.ts"

export const checkTurnSettings = Effect.fnUntraced(function* (
  agents: Agents["Service"],
  { agent, permissions }: SessionRecord,
  { effort, mode, model, outputSchema }: TurnSettings
) {
  if (outputSchema !== undefined) {
    const problem = schemaProblem(outputSchema)
    if (problem !== null) return yield* new InvalidRequest({ field: "output_schema", problem })
  }
  yield* checkArguments({ model })
  if (effort !== undefined || mode !== undefined) {
    yield* checkChoices(yield* agents.driver(agent), permissions, { effort, mode })
  }
})
