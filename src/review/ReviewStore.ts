/**
 * The store of what reviews have learned: memories and skills, separate for each app.
 *
 * A host can replace the ledger's store by its own. A refusal is worded so that the model can act on it. A failure ends
 * the review and nothing else.
 */
import { Schema } from "effect"
import type { Effect } from "effect"
import type { AppName } from "../domain/Ids.ts"
import type { Memory, Skill } from "../domain/Review.ts"

/** What one app may store, in entries and characters. The tools check the lengths before a store is called. */
export const storeLimits = {
  memories: 200,
  memoryText: 2_000,
  skills: 100,
  skillName: 64,
  skillDescription: 500,
  skillBody: 20_000
} as const

/** The store refuses a write; `problem` is sent to the model as it is. */
export class StoreRefused extends Schema.TaggedError<StoreRefused>()("StoreRefused", { problem: Schema.String }) {
  override get message() {
    return this.problem
  }
}

/** The store failed; `operation` completes "could not …". */
export class StoreFailed extends Schema.TaggedError<StoreFailed>()("StoreFailed", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  override get message() {
    return `The review's store could not ${this.operation}.`
  }
}

type Stored<A> = Effect.Effect<A, StoreRefused | StoreFailed>

/** A skill without its name. */
export type SkillText = Pick<Skill, "description" | "body">

export interface ReviewStore {
  /** Oldest first. */
  readonly memories: (app: AppName) => Effect.Effect<ReadonlyArray<Memory>, StoreFailed>
  /** Returns the new memory's id. */
  readonly addMemory: (app: AppName, text: string) => Stored<string>
  readonly replaceMemory: (app: AppName, id: string, text: string) => Stored<void>
  readonly removeMemory: (app: AppName, id: string) => Stored<void>
  /** By name. */
  readonly skills: (app: AppName) => Effect.Effect<ReadonlyArray<Skill>, StoreFailed>
  /** Refuses a name that is taken. */
  readonly createSkill: (app: AppName, name: string, skill: SkillText) => Stored<void>
  readonly updateSkill: (app: AppName, name: string, skill: SkillText) => Stored<void>
  readonly removeSkill: (app: AppName, name: string) => Stored<void>
}
