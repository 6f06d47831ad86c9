/** The conversation that a review reads: that of its session up to and with one turn. */
import { Effect } from "effect"
import type { SessionRecord } from "../domain/Session.ts"
import type { Message } from "../domain/Turn.ts"
import * as Transcript from "../runtime/Transcript.ts"
import type { TranscriptPage } from "../runtime/Transcript.ts"

/** Turns of one read. */
const turnsAtOnce = 50
/** A review gets these many messages at most: of a longer conversation, its end. */
const mostMessages = 10_000

export const of = Effect.fnUntraced(function* (
  transcript: Transcript.Transcript,
  session: SessionRecord,
  index: number
) {
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

export const make = Effect.map(
  Transcript.make,
  (transcript) => (session: SessionRecord, index: number) => of(transcript, session, index)
)
