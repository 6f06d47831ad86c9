/**
 * Reports a settled turn to the session's reviews.
 *
 * The actor can't pass the turn's result along: it follows from the turn's stored events only. Of a turn whose agent has
 * called no tool nothing is counted but the turn, so that its result is read only where a review would be due.
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

  /** `null`: it takes `count`. */
  const countNow = (session: SessionRecord, settled: Settled, toolsCalled: boolean) =>
    toolsCalled
      ? null
      : reviews.countNow(session, { ...settled, interrupted: isCutOff(settled.status), toolIterations: 0 })

  /** Never fails: a failure is logged. */
  const count = (session: SessionRecord, { index, kind, status }: Settled, toolsCalled: boolean) =>
    Effect.gen(function* () {
      const result = transcript.resultWithStoredToolCount(session.id, index)
      if (toolsCalled) {
        const { finalText, turn } = yield* result
        return yield* reviews.turnSettled(session, { ...turn, finalText }, conversation(session, index))
      }
      const finalText = Effect.map(result, ({ finalText }) => finalText)
      const interrupted = isCutOff(status)
      yield* reviews.turnSettled(
        session,
        { index, kind, status, interrupted, toolIterations: 0, finalText },
        conversation(session, index)
      )
    }).pipe(Effect.catchCause((cause) => Effect.logWarning("A settled turn could not be read", cause)))

  return { count, countNow }
})
