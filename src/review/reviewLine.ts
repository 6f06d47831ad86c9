/** The reviews of one session that wait for the one before them. */
import type { Effect } from "effect"
import type { SessionRecord } from "../domain/Session.ts"
import type { Message } from "../domain/Turn.ts"
import type { DueReview } from "./nudges.ts"

export interface WaitingReview {
  readonly session: SessionRecord
  readonly turn: number
  readonly due: DueReview
  readonly messages: Effect.Effect<ReadonlyArray<Message>, unknown>
}

/** One more takes the place of the last, for both. */
const longestLine = 8

export const extended = (line: ReadonlyArray<WaitingReview>, next: WaitingReview): ReadonlyArray<WaitingReview> => {
  const last = line.at(-1)
  if (last === undefined || line.length < longestLine) return [...line, next]
  const due = {
    reviewMemory: last.due.reviewMemory || next.due.reviewMemory,
    reviewSkills: last.due.reviewSkills || next.due.reviewSkills
  }
  return [...line.slice(0, -1), { ...next, due }]
}
