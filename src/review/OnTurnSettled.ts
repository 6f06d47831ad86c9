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

/** A class: each session has one, and what it does is the same for all of them. */
export class OnTurnSettled {
  readonly #reviews: Reviews["Service"]
  readonly #transcript: Transcript.Transcript

  constructor(reviews: Reviews["Service"], transcript: Transcript.Transcript) {
    this.#reviews = reviews
    this.#transcript = transcript
  }

  /** `toolIterations` is `null` where they have to be read. Returns `null` where it takes `count`. */
  countNow(session: SessionRecord, settled: Settled, toolIterations: number | null): Effect.Effect<void> | null {
    if (toolIterations === null) return null
    const interrupted = isCutOff(settled.status)
    const counted = this.#reviews.countNow(session, { ...settled, interrupted, toolIterations })
    if (counted === null || toolIterations === 0) return counted
    return Effect.andThen(this.#transcript.storeToolCount(session.id, settled.index, toolIterations), counted)
  }

  /** Never fails: a failure is logged. */
  count(session: SessionRecord, { index, kind, status }: Settled, toolIterations: number | null): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const transcript = this.#transcript
      const conversation = ConversationUpTo.of(transcript, session, index)
      if (toolIterations === null) {
        const { finalText, turn } = yield* transcript.resultWithStoredToolCount(session.id, index)
        return yield* this.#reviews.turnSettled(session, { ...turn, finalText }, conversation)
      }
      yield* transcript.storeToolCount(session.id, index, toolIterations)
      const finalText = Effect.map(transcript.result(session.id, index), ({ finalText }) => finalText)
      const interrupted = isCutOff(status)
      const settled = { index, kind, status, interrupted, toolIterations, finalText }
      yield* this.#reviews.turnSettled(session, settled, conversation)
    }).pipe(Effect.catchCause((cause) => Effect.logWarning("A settled turn could not be read", cause)))
  }
}

export const make = Effect.gen(function* () {
  return new OnTurnSettled(yield* Reviews, yield* Transcript.make)
})
