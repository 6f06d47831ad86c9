/**
 * Reports a settled turn to the session's reviews.
 *
 * The actor knows how many tool calls it saw end, and no more of a turn's result, which follows from the turn's stored
 * events: they are read where a review would be due, or where the actor has not seen all of the turn.
 */
import { Effect } from "effect"
import type { SessionRecord } from "../domain/Session.ts"
import * as ConversationUpTo from "./conversationUpTo.ts"
import { isCutOff } from "../domain/Turn.ts"
import type { TurnRecord } from "../domain/Turn.ts"
import { Reviews } from "./Reviews.ts"
import * as Transcript from "../runtime/Transcript.ts"

type Settled = Pick<TurnRecord, "index" | "kind" | "status">

export const make = Effect.gen(function* () {
  const reviews = yield* Reviews
  const transcript = yield* Transcript.make
  const conversation = yield* ConversationUpTo.make

  /** `toolIterations` is `null` where they have to be read. Returns `null` where it takes `count`. */
  const countNow = (session: SessionRecord, settled: Settled, toolIterations: number | null) => {
    if (toolIterations === null) return null
    const interrupted = isCutOff(settled.status)
    const counted = reviews.countNow(session, { ...settled, interrupted, toolIterations })
    if (counted === null || toolIterations === 0) return counted
    return Effect.andThen(transcript.storeToolCount(session.id, settled.index, toolIterations), counted)
  }

  /** Never fails: a failure is logged. */
  const count = (session: SessionRecord, { index, kind, status }: Settled, toolIterations: number | null) =>
    Effect.gen(function* () {
      if (toolIterations === null) {
        const { finalText, turn } = yield* transcript.resultWithStoredToolCount(session.id, index)
        return yield* reviews.turnSettled(session, { ...turn, finalText }, conversation(session, index))
      }
      yield* transcript.storeToolCount(session.id, index, toolIterations)
      const finalText = Effect.map(transcript.result(session.id, index), ({ finalText }) => finalText)
      const interrupted = isCutOff(status)
      yield* reviews.turnSettled(
        session,
        { index, kind, status, interrupted, toolIterations, finalText },
        conversation(session, index)
      )
    }).pipe(Effect.catchCause((cause) => Effect.logWarning("A settled turn could not be read", cause)))

  return { count, countNow }
})
