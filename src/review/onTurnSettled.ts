/**
 * Between a session's actor and its reviews: reads off the ledger what a settled turn came to, and hands it on.
 *
 * It is read there and not passed along because only whoever reads the stored events knows what was said and done.
 */
import { Effect } from "effect"
import type { SessionRecord } from "../domain/Session.ts"
import type { Message } from "../domain/Turn.ts"
import * as ToolCount from "../runtime/ToolCount.ts"
import { Reviews } from "./Reviews.ts"
import * as Transcript from "../runtime/Transcript.ts"
import type { TranscriptPage } from "../runtime/Transcript.ts"

/** Turns of one read, and messages that a review is shown at most: of a longer conversation its end. */
const turnsAtOnce = 50
const mostMessages = 10_000

export const make = Effect.gen(function* () {
  const reviews = yield* Reviews
  const transcript = yield* Transcript.make
  const counted = yield* ToolCount.make

  /** The conversation up to and with this turn. */
  const conversation = Effect.fnUntraced(function* (session: SessionRecord, index: number) {
    let said: ReadonlyArray<Message> = []
    let after: number | null = 0
    while (after !== null) {
      const query = { after, limit: turnsAtOnce, before: index + 1 }
      const page: TranscriptPage = yield* transcript.messages(session, query)
      said = [...said, ...page.messages].slice(-mostMessages)
      after = page.next
    }
    return said
  })

  /** `quiet` tells whether the session still has nothing to do. Never fails. */
  return Effect.fnUntraced(
    function* (session: SessionRecord, index: number, quiet: () => boolean) {
      const { finalText, turn } = yield* counted(session.id, index)
      yield* reviews.turnSettled(session, { ...turn, finalText }, conversation(session, index), quiet)
    },
    (effect) => Effect.catchCause(effect, (cause) => Effect.logWarning("A settled turn could not be read", cause))
  )
})
