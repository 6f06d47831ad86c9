/** Refuses a deadline that would end what it is for at once, or never. HTTP's contract has refused it before. */
import { Effect } from "effect"
import { InvalidRequest } from "../domain/Refusal.ts"
import { isTimeout, maxTimeoutMillis } from "../domain/Turn.ts"

/** `undefined`: the configured one is taken. */
export const checkTimeout = (timeoutMillis: number | undefined): Effect.Effect<void, InvalidRequest> =>
  timeoutMillis === undefined || isTimeout(timeoutMillis)
    ? Effect.void
    : Effect.fail(
        new InvalidRequest({ field: "timeoutMillis", problem: `must be more than 0 and at most ${maxTimeoutMillis}.` })
      )
