/**
 * Reads the reviews that are owed and that this node may run: those that waited in line behind a running one when their
 * node ended, or their session moved. Each is run once: the beginning of a review removes what is owed in the same
 * transaction.
 */
import { Effect, Option } from "effect"
import type { NodeToken, SessionId } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import * as ConversationUpTo from "./conversationUpTo.ts"
import { extended } from "./reviewLine.ts"
import type { WaitingReview } from "./reviewLine.ts"

/** What is owed beyond this is left for the next start. */
const readAtStart = 4096

export const read = Effect.fnUntraced(function* (node: NodeToken) {
  const ledger = yield* Ledger
  const conversation = yield* ConversationUpTo.make
  const lines = new Map<SessionId, ReadonlyArray<WaitingReview>>()
  for (const { reviewMemory, reviewSkills, session: id, turn } of yield* ledger.owedReviews(node, readAtStart)) {
    const session = Option.getOrUndefined(yield* ledger.session(id))
    if (session === undefined) continue
    if (session.closedAt !== null) {
      // It was closed, and Troupe died before its reviews were cancelled.
      yield* ledger.writeLater([{ _tag: "ReviewsNotOwed", session: id, upToTurn: null }])
      continue
    }
    const due = { reviewMemory, reviewSkills }
    const waiting = { session, turn, due, messages: conversation(session, turn) }
    lines.set(id, extended(lines.get(id) ?? [], waiting))
  }
  return lines
})
