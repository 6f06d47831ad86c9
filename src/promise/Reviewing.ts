/** The review options of a host that uses promises: when reviews are due, who runs them, and on which account. */
import { Effect } from "effect"
import { defaultIntervals } from "../domain/Review.ts"
import type { NudgeIntervals } from "../domain/Review.ts"
import type { ReviewOptions, ReviewRequest } from "../wiring.ts"
import { keysOf } from "./checkOptions.ts"
import type { NamesOf } from "./checkOptions.ts"

export interface Reviewing {
  /** User turns before a memory review, tool iterations before a skill review. Default: 10 each; 0 turns one off. */
  readonly intervals?: Partial<NudgeIntervals>
  /** You have registered a skill tool; without one nothing counts towards a skill review. Default: `false`. */
  readonly skillTool?: boolean
  /**
   * Runs the reviews in Troupe's place. It runs beside the session and changes nothing in it: a rejection ends the review
   * only. The signal aborts when the next turn starts, when the session or Troupe is closed, and at the review's deadline.
   */
  readonly onReview?: (request: ReviewRequest, signal: AbortSignal) => unknown
  /** The account of Troupe's own reviewer, where `onReview` is absent. Default: the account of the session's agent. */
  readonly apiKey?: string
  /** With its path, such as `https://api.openai.com/v1`. */
  readonly baseUrl?: string
  /** Default: the session's. */
  readonly model?: string
  /** Calls of the model, and input tokens of all calls together. */
  readonly bounds?: { readonly iterations?: number; readonly inputTokens?: number }
}

export const reviewingNames: NamesOf<Reviewing> = {
  intervals: keysOf(defaultIntervals),
  skillTool: true,
  onReview: true,
  apiKey: true,
  baseUrl: true,
  model: true,
  bounds: { iterations: true, inputTokens: true } satisfies NamesOf<NonNullable<Reviewing["bounds"]>>
}

/** Of a host that runs the reviews itself; the rest is read as the configuration is. */
export const hostedReviews = ({ onReview }: Reviewing = {}): Pick<ReviewOptions, "onReview"> =>
  onReview === undefined
    ? {}
    : {
        // What it throws is the review's failure, and the reason in its record.
        onReview: (request: ReviewRequest) =>
          Effect.tryPromise({ try: async (signal) => onReview(request, signal), catch: (cause) => cause })
      }
