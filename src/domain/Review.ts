/** The record of a background review, and the memories and skills that reviews have stored for an app. */
import { Schema } from "effect"
import type { AppName, SessionId } from "./Ids.ts"
import type { Usage } from "./Turn.ts"

/** `over_budget`: it used up its calls, its tokens or its time. What it wrote before stays. */
export const ReviewEnding = Schema.Literals(["completed", "cancelled", "failed", "over_budget"])
export type ReviewEnding = typeof ReviewEnding.Type

/** Who runs it: Troupe, by calls of the OpenAI Responses API, or the host. */
export const ReviewMode = Schema.Literals(["codex_responses", "host"])
export type ReviewMode = typeof ReviewMode.Type

/** One change of a review. `name` is a memory's id or a skill's name. */
export const ReviewWrite = Schema.Struct({
  tool: Schema.Literals(["memory", "skill_manage"]),
  action: Schema.String,
  name: Schema.String
})
export type ReviewWrite = typeof ReviewWrite.Type

/** A review as the ledger stores it. Times are milliseconds since 1970. */
export interface ReviewRecord {
  readonly id: string
  readonly session: SessionId
  /** The turn after which it was due. */
  readonly turn: number
  readonly reviewMemory: boolean
  readonly reviewSkills: boolean
  readonly mode: ReviewMode
  /** `null`: the host ran it, or there was no model. */
  readonly model: string | null
  readonly startedAt: number
  /** `null` while it runs, as is `ending`. */
  readonly endedAt: number | null
  readonly ending: ReviewEnding | null
  /** The reason of its ending; `null`: there is none. */
  readonly reason: string | null
  /** The number of model calls. */
  readonly iterations: number
  readonly wrote: ReadonlyArray<ReviewWrite>
  readonly usage: Usage
}

/** A review that is due and has not begun; it reads the conversation up to `turn`. */
export interface OwedReview extends Pick<ReviewRecord, "session" | "turn" | "reviewMemory" | "reviewSkills"> {}

/** User turns before a memory review is due, tool iterations before a skill review is; 0 turns one off. */
export interface NudgeIntervals {
  readonly memory: number
  readonly skills: number
}

/** Where reviews are on, and nothing else is said. */
export const defaultIntervals: NudgeIntervals = { memory: 10, skills: 10 }

/** Reviews are off: each calls a model on somebody's account, so that somebody has to want them. */
export const noReviews: NudgeIntervals = { memory: 0, skills: 0 }

/** A fact that is useful beyond its session. */
export interface Memory {
  readonly id: string
  readonly app: AppName
  readonly text: string
  readonly createdAt: number
  readonly updatedAt: number
}

/** Instructions for a task that can come again. `name` is unique within its app. */
export interface Skill {
  readonly name: string
  readonly app: AppName
  /** When to use it, in a sentence. */
  readonly description: string
  /** The instructions, as Markdown. */
  readonly body: string
  readonly createdAt: number
  readonly updatedAt: number
}
