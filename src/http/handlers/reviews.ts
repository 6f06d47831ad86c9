/** Reviews, memories and skills over HTTP. Read only: reviews write them. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { ReviewResults } from "../../services/ReviewResults.ts"
import type { Memory, ReviewRecord, Skill } from "../../domain/Review.ts"
import { CurrentCaller } from "../contract/Auth.ts"
import { ReviewsApi } from "../contract/reviews.ts"
import { orProblem } from "../problems.ts"
import { currentApp } from "../currentApp.ts"

export const layer = HttpApiBuilder.group(
  ReviewsApi,
  "reviews",
  Effect.fnUntraced(function* (handlers) {
    const results = yield* ReviewResults

    return handlers.handleAll({
      list: Effect.fnUntraced(function* ({ params }) {
        const reviews = yield* orProblem(results.ofSession(yield* CurrentCaller, params.id))
        return { ok: true, count: reviews.length, reviews: reviews.map(reviewDto) } as const
      }),
      memories: Effect.fnUntraced(function* () {
        const memories = yield* orProblem(results.memories(yield* currentApp))
        return { ok: true, count: memories.length, memories: memories.map(memoryDto) } as const
      }),
      skills: Effect.fnUntraced(function* () {
        const skills = yield* orProblem(results.skills(yield* currentApp))
        return { ok: true, count: skills.length, skills: skills.map(skillDto) } as const
      })
    })
  })
)

const reviewDto = ({ id, session: _, turn, ...rest }: ReviewRecord) => ({ reviewId: id, turnIndex: turn, ...rest })

const memoryDto = ({ createdAt, id, text, updatedAt }: Memory) => ({ memoryId: id, text, createdAt, updatedAt })

const skillDto = ({ body, createdAt, description, name, updatedAt }: Skill) => ({
  name,
  description,
  body,
  createdAt,
  updatedAt
})
