/**
 * What background reviews leave behind: the records of a session's reviews, and the memories and skills of an app.
 *
 * Read only: reviews write, and a caller sees the reviews of its own sessions.
 */
import { Context, Effect, Layer } from "effect"
import type { AppName } from "../domain/Ids.ts"
import type { SessionNotFound, Unavailable } from "../domain/Refusal.ts"
import type { Memory, ReviewRecord, Skill } from "../domain/Review.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { Reviews } from "../review/Reviews.ts"
import { findSession } from "../runtime/Caller.ts"
import type { Caller } from "../runtime/Caller.ts"
import { cannot } from "../runtime/errors.ts"

export class ReviewResults extends Context.Service<
  ReviewResults,
  {
    /** Newest first, at most 200. */
    readonly ofSession: (
      caller: Caller,
      id: string
    ) => Effect.Effect<ReadonlyArray<ReviewRecord>, SessionNotFound | Unavailable>
    /** Oldest first. */
    readonly memories: (app: AppName) => Effect.Effect<ReadonlyArray<Memory>, Unavailable>
    /** By name. */
    readonly skills: (app: AppName) => Effect.Effect<ReadonlyArray<Skill>, Unavailable>
  }
>()("troupe/services/ReviewResults") {
  static readonly layer: Layer.Layer<ReviewResults, never, Ledger | Reviews> = Layer.effect(
    ReviewResults,
    Effect.gen(function* () {
      const ledger = yield* Ledger
      const { memories, of, skills } = yield* Reviews

      return ReviewResults.of({
        ofSession: (caller, id) =>
          findSession(ledger, caller, id).pipe(
            cannot("read the session"),
            Effect.flatMap((record) => of(record.id))
          ),
        memories,
        skills
      })
    })
  )
}
