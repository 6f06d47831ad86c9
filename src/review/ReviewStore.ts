/**
 * Where a review writes what it has learned: memories and skills, each app's own.
 *
 * A host can put its own in place of the ledger's. What the store will not take it refuses in words that the model can
 * act on; what it could not do ends the review, and nothing else.
 */
import { Schema } from "effect"
import type { Effect } from "effect"
import type { AppName } from "../domain/Ids.ts"
import type { Memory, Skill } from "../domain/Review.ts"

/** What one app may keep, in entries and characters. The tools hold a model to them before any store sees a word. */
export const storeLimits = {
  memories: 200,
  memoryText: 2_000,
  skills: 100,
  skillName: 64,
  skillDescription: 500,
  skillBody: 20_000
} as const

/** The store takes it not, or not so; `problem` goes to the model as it is. */
export class StoreRefused extends Schema.TaggedError<StoreRefused>()("StoreRefused", { problem: Schema.String }) {
  override get message() {
    return this.problem
  }
}

/** The store could not; `operation` completes "could not …". */
export class StoreFailed extends Schema.TaggedError<StoreFailed>()("StoreFailed", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  override get message() {
    return `The review's store could not ${this.operation}.`
  }
}

type Stored<A> = Effect.Effect<A, StoreRefused | StoreFailed>

/** What a skill says, besides its name. */
export type SkillText = Pick<Skill, "description" | "body">

export interface ReviewStore {
  /** Oldest first. */
  readonly memories: (app: AppName) => Effect.Effect<ReadonlyArray<Memory>, StoreFailed>
  /** Gives the new memory's id. */
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
