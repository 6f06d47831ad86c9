/**
 * Decides when a review of a session is due: two counters, and how a settled turn changes them.
 *
 * Pure. A counter that has reached its interval stays there until a turn ends well: a turn that was interrupted, failed or
 * has no text is counted like any other, but it is not worth a review.
 */
import type { NudgeIntervals } from "../domain/Review.ts"
import type { TurnStatus } from "../domain/Turn.ts"

/** Both start at 0, and are reset by a review that they cause. */
export interface NudgeCounters {
  /** User turns since the last memory review. */
  readonly userTurns: number
  /** Tool iterations since the last skill review. */
  readonly toolIterations: number
}

export const noNudges: NudgeCounters = { userTurns: 0, toolIterations: 0 }

export interface NudgeRules {
  readonly intervals: NudgeIntervals
  /** Without the skill tool no skill can be written, so nothing is counted towards a skill review. */
  readonly skillToolRegistered: boolean
}

/** The part of a turn's outcome that the counters need. */
export interface SettledTurn {
  readonly status: TurnStatus
  readonly interrupted: boolean
  /** The last agent message; empty where there was none. */
  readonly finalText: string
  readonly toolIterations: number
}

/** What a review is to look for: at least one of the two. */
export interface DueReview {
  readonly reviewMemory: boolean
  readonly reviewSkills: boolean
}

export interface Nudged {
  readonly counters: NudgeCounters
  /** `null`: nothing is due. */
  readonly due: DueReview | null
}

/** A counter that is turned off does not count, so that turning it on later causes no review at once. */
export const nudge = (before: NudgeCounters, turn: SettledTurn, rules: NudgeRules): Nudged => {
  const counters = count(before, turn, rules)
  if (!endedWell(turn)) return { counters, due: null }
  const { memory, skills } = rules.intervals
  const reviewMemory = memory > 0 && counters.userTurns >= memory
  const reviewSkills = countsSkills(rules) && counters.toolIterations >= skills
  if (!reviewMemory && !reviewSkills) return { counters, due: null }
  return {
    counters: {
      userTurns: reviewMemory ? 0 : counters.userTurns,
      toolIterations: reviewSkills ? 0 : counters.toolIterations
    },
    due: { reviewMemory, reviewSkills }
  }
}

/** Counts only, and makes nothing due: for turns that settled earlier, as before Troupe's death. */
export const count = (
  before: NudgeCounters,
  turn: Pick<SettledTurn, "toolIterations">,
  rules: NudgeRules
): NudgeCounters => ({
  userTurns: before.userTurns + (rules.intervals.memory > 0 ? 1 : 0),
  toolIterations: before.toolIterations + (countsSkills(rules) ? turn.toolIterations : 0)
})

const countsSkills = ({ intervals, skillToolRegistered }: NudgeRules) => skillToolRegistered && intervals.skills > 0

const endedWell = ({ finalText, interrupted, status }: SettledTurn) =>
  status === "completed" && !interrupted && finalText.trim() !== ""
