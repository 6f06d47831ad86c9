/** What a host can set about the background reviews. Everything is optional. */
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
  /** Takes the reviews over. It is interrupted when a live turn comes, and has the same deadline as ours. */
  readonly onReview?: (request: ReviewRequest) => Effect.Effect<unknown, unknown>
  /** In place of the ledger. */
  readonly store?: ReviewStore
  /** The review's own account and model; what is absent comes from the session and its agent. */
  readonly apiKey?: Redacted.Redacted<string>
  readonly baseUrl?: string
  readonly model?: string
  readonly bounds?: Partial<ReviewBounds>
}
