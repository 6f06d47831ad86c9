/** Reviews, memories and skills over HTTP: read only, it is reviews that write. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { ReviewResults } from "../../services/ReviewResults.ts"
import type { Memory, ReviewRecord, Skill } from "../../domain/Review.ts"
import { CurrentCaller } from "../contract/Auth.ts"
import { ReviewsApi } from "../contract/reviews.ts"
import { orProblem } from "../problems.ts"
import { appNameOf } from "../dto.ts"

export const layer = HttpApiBuilder.group(
  ReviewsApi,
  "reviews",
  Effect.fnUntraced(function* (handlers) {
    const results = yield* ReviewResults

    return handlers.handleAll({
      list: Effect.fnUntraced(function* ({ params }) {
        const list = yield* orProblem(results.ofSession(yield* CurrentCaller, params.id))
        return { ok: true, count: list.length, reviews: list.map(reviewView) } as const
      }),
      memories: Effect.fnUntraced(function* () {
        const list = yield* orProblem(results.memories(appNameOf(yield* CurrentCaller)))
        return { ok: true, count: list.length, memories: list.map(memoryView) } as const
      }),
      skills: Effect.fnUntraced(function* () {
        const list = yield* orProblem(results.skills(appNameOf(yield* CurrentCaller)))
        return { ok: true, count: list.length, skills: list.map(skillView) } as const
      })
    })
  })
)

const reviewView = ({ id, session: _, turn, ...rest }: ReviewRecord) => ({ reviewId: id, turnIndex: turn, ...rest })

const memoryView = ({ createdAt, id, text, updatedAt }: Memory) => ({ memoryId: id, text, createdAt, updatedAt })

const skillView = ({ body, createdAt, description, name, updatedAt }: Skill) => ({
  name,
  description,
  body,
  createdAt,
  updatedAt
})
