/**
 * Reports a settled turn to the session's reviews: reads its result from the ledger first.
 *
 * The actor can't pass the result along: it follows from the turn's stored events only.
 */
import { Effect } from "effect"
import type { SessionRecord } from "../domain/Session.ts"
import type { Message } from "../domain/Turn.ts"
import { Reviews } from "./Reviews.ts"
import * as Transcript from "../runtime/Transcript.ts"
import type { TranscriptPage } from "../runtime/Transcript.ts"

/** Turns of one read. */
const turnsAtOnce = 50
/** A review gets these many messages at most: of a longer conversation, its end. */
const mostMessages = 10_000

export const make = Effect.gen(function* () {
  const reviews = yield* Reviews
  const transcript = yield* Transcript.make

  /** The conversation up to and with this turn. */
  const conversation = Effect.fnUntraced(function* (session: SessionRecord, index: number) {
    let messages: ReadonlyArray<Message> = []
    let after: number | null = 0
    while (after !== null) {
      const query = { after, limit: turnsAtOnce, before: index + 1 }
      const page: TranscriptPage = yield* transcript.messages(session, query)
      messages = [...messages, ...page.messages].slice(-mostMessages)
      after = page.next
    }
    return messages
  })

  /** Never fails: a failure is logged. */
  return Effect.fnUntraced(
    function* (session: SessionRecord, index: number) {
      const { finalText, turn } = yield* transcript.resultWithStoredToolCount(session.id, index)
      yield* reviews.turnSettled(session, { ...turn, finalText }, conversation(session, index))
    },
    (effect) => Effect.catchCause(effect, (cause) => Effect.logWarning("A settled turn could not be read", cause))
  )
})
