/** Refuses what could not be stored and read back, with the field's name on the wire. */
import { Effect } from "effect"
import { InvalidRequest } from "../domain/Refusal.ts"
import { storableProblem } from "../domain/storable.ts"

export const checkStorable = (fields: Readonly<Record<string, unknown>>): Effect.Effect<void, InvalidRequest> =>
  Effect.suspend(() => {
    const problem = storableProblem(fields)
    return problem === null ? Effect.void : Effect.fail(new InvalidRequest(problem))
  })
