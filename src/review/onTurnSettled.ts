/**
 * Reports a settled turn to the session's reviews: reads its result from the ledger first.
 *
 * The actor can't pass the result along: it follows from the turn's stored events only.
 */
import { Effect } from "effect"
import type { SessionRecord } from "../domain/Session.ts"
import * as ConversationUpTo from "./conversationUpTo.ts"
import { Reviews } from "./Reviews.ts"
import * as Transcript from "../runtime/Transcript.ts"

export const make = Effect.gen(function* () {
  const reviews = yield* Reviews
  const transcript = yield* Transcript.make
  const conversation = yield* ConversationUpTo.make

  /** Never fails: a failure is logged. */
  return Effect.fnUntraced(
    function* (session: SessionRecord, index: number) {
      const { finalText, turn } = yield* transcript.resultWithStoredToolCount(session.id, index)
      yield* reviews.turnSettled(session, { ...turn, finalText }, conversation(session, index))
    },
    (effect) => Effect.catchCause(effect, (cause) => Effect.logWarning("A settled turn could not be read", cause))
  )
})
