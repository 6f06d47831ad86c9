/** What a background review leaves behind: its record, and what it has learned for its app. */
import { Schema } from "effect"
import type { AppName, SessionId } from "./Ids.ts"
import type { Usage } from "./Turn.ts"

/** `over_budget`: it used up its calls, its tokens or its time; what it had written stays. */
export const ReviewEnding = Schema.Literals(["completed", "cancelled", "failed", "over_budget"])
export type ReviewEnding = typeof ReviewEnding.Type

/** Who ran it: Troupe, by calls of the OpenAI Responses API, or the host. */
export const ReviewMode = Schema.Literals(["codex_responses", "host"])
export type ReviewMode = typeof ReviewMode.Type

/** One thing that a review changed: `name` is a memory's id or a skill's name. */
export const ReviewWrite = Schema.Struct({
  tool: Schema.Literals(["memory", "skill_manage"]),
  action: Schema.String,
  name: Schema.String
})
export type ReviewWrite = typeof ReviewWrite.Type

/** A review as the ledger keeps it. Times are milliseconds since 1970. */
export interface ReviewRecord {
  readonly id: string
  readonly session: SessionId
  /** The turn after which it was due. */
  readonly turn: number
  readonly reviewMemory: boolean
  readonly reviewSkills: boolean
  readonly mode: ReviewMode
  /** `null`: the host ran it, or no model was to be had. */
  readonly model: string | null
  readonly startedAt: number
  /** `null` while it runs, with `ending`. */
  readonly endedAt: number | null
  readonly ending: ReviewEnding | null
  /** Why it ended as it did; `null` where there is nothing to say. */
  readonly reason: string | null
  /** Calls of the model. */
  readonly iterations: number
  readonly wrote: ReadonlyArray<ReviewWrite>
  readonly usage: Usage
}

/** User turns before a memory review is due, tool iterations before a skill review is; 0 turns one off. */
export interface NudgeIntervals {
  readonly memory: number
  readonly skills: number
}

export const defaultIntervals: NudgeIntervals = { memory: 10, skills: 10 }

/** A fact worth keeping beyond the session it came from. */
export interface Memory {
  readonly id: string
  readonly app: AppName
  readonly text: string
  readonly createdAt: number
  readonly updatedAt: number
}

/** A way of doing something, written down to be done again; `name` is unique within its app. */
export interface Skill {
  readonly name: string
  readonly app: AppName
  /** When to use it, in a sentence. */
  readonly description: string
  /** How it is done, as Markdown. */
  readonly body: string
  readonly createdAt: number
  readonly updatedAt: number
}
