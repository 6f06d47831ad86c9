/** Reviews, memories and skills over HTTP: read only, it is reviews that write. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Reviews } from "../../review/Reviews.ts"
import { Sessions } from "../../services/Sessions.ts"
import type { Memory, ReviewRecord, Skill } from "../../domain/Review.ts"
import { CurrentCaller } from "../contract/Auth.ts"
import { ReviewsApi } from "../contract/reviews.ts"
import { refusing } from "../refusals.ts"
import { appNameOf } from "../dto.ts"

export const layer = HttpApiBuilder.group(
  ReviewsApi,
  "reviews",
  Effect.fnUntraced(function* (handlers) {
    const reviews = yield* Reviews
    const sessions = yield* Sessions

    return handlers.handleAll({
      list: Effect.fnUntraced(function* ({ params }) {
        // Whose it is comes first: another app's session is not there.
        const { id } = yield* refusing(sessions.get(yield* CurrentCaller, params.id))
        const list = yield* refusing(reviews.of(id))
        return { ok: true, count: list.length, reviews: list.map(reviewView) } as const
      }),
      memories: Effect.fnUntraced(function* () {
        const list = yield* refusing(reviews.memories(appNameOf(yield* CurrentCaller)))
        return { ok: true, count: list.length, memories: list.map(memoryView) } as const
      }),
      skills: Effect.fnUntraced(function* () {
        const list = yield* refusing(reviews.skills(appNameOf(yield* CurrentCaller)))
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
