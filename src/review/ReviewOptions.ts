/** The settings of background reviews, which are off where there are none. All are optional. */
import type { Effect, Redacted } from "effect"
import type { ReviewBounds } from "../../machines/review/machine.ts"
import type { NudgeIntervals } from "../domain/Review.ts"
import type { ReviewRequest } from "./ReviewRequest.ts"
import type { ReviewStore } from "./ReviewStore.ts"

export interface ReviewOptions {
  /** Default 10 each; 0 turns one off. */
  readonly intervals?: NudgeIntervals
  /** The host has registered a skill tool: without it nothing is counted towards a skill review. Default `false`. */
  readonly skillTool?: boolean
  /** The host runs the reviews itself. Interrupted when a live turn begins; it has the same deadline as our reviewer. */
  readonly onReview?: (request: ReviewRequest) => Effect.Effect<unknown, unknown>
  /** Default: the ledger. */
  readonly store?: ReviewStore
  /** The reviews' own account and model. Default: those of the session and its agent. */
  readonly apiKey?: Redacted.Redacted<string>
  readonly baseUrl?: string
  readonly model?: string
  readonly bounds?: Partial<ReviewBounds>
}
