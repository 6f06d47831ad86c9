/**
 * Keeps a settled turn's stored count of tool calls what readers are told: what its events say, a call that ended after
 * its turn included. Reviews count a turn once, when it settles; what ends later counts for readers alone.
 */
import { Effect } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import * as Transcript from "./Transcript.ts"

export const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const transcript = yield* Transcript.make

  /** What the turn came to, counted. */
  return Effect.fnUntraced(function* (session: SessionId, index: number) {
    const result = yield* transcript.result(session, index)
    const { toolIterations } = result.turn
    if (toolIterations > 0) {
      yield* ledger.writeLater([{ _tag: "TurnPatched", session, index, patch: { toolIterations } }])
    }
    return result
  })
})
