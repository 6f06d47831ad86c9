/** Background reviews for a host that speaks promises: when they are due, who runs them, and on which account. */
import { Effect, Redacted } from "effect"
import { defaultIntervals } from "../domain/Review.ts"
import type { NudgeIntervals } from "../domain/Review.ts"
import type { ReviewOptions, ReviewRequest } from "../wiring.ts"

export interface Reviewing {
  /** User turns before a memory review, tool iterations before a skill review. Default: 10 each; 0 turns one off. */
  readonly intervals?: Partial<NudgeIntervals>
  /** You have registered a skill tool: without it nothing counts towards a skill review. Default: `false`. */
  readonly skillTool?: boolean
  /**
   * Takes the reviews over. It runs beside the session and touches nothing of it: a rejection ends the review only. The
   * signal aborts when the next turn comes, when the session or Troupe is closed, and at the review's deadline.
   */
  readonly onReview?: (request: ReviewRequest, signal: AbortSignal) => unknown
  /** The account of Troupe's own reviewer, where you don't take over; else the one that the session's agent has. */
  readonly apiKey?: string
  /** With its path, such as `https://api.openai.com/v1`. */
  readonly baseUrl?: string
  /** Default: the session's. */
  readonly model?: string
  /** Calls of the model, and tokens that they may read in all. */
  readonly bounds?: { readonly iterations?: number; readonly inputTokens?: number }
}

export const reviewOptions = ({ apiKey, intervals, onReview, ...rest }: Reviewing): ReviewOptions => ({
  ...rest,
  intervals: { ...defaultIntervals, ...intervals },
  ...(apiKey === undefined ? {} : { apiKey: Redacted.make(apiKey) }),
  ...(onReview === undefined
    ? {}
    : {
        // Whatever it throws is its failure, and the reason in the review's record.
        onReview: (request: ReviewRequest) =>
          Effect.tryPromise({ try: async (signal) => onReview(request, signal), catch: (cause) => cause })
      })
})
