/** The contract of background reviews: those of a session, and the memories and skills that they wrote for the app. */
import { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { ReviewEnding, ReviewMode, ReviewWrite } from "../../domain/Review.ts"
import { Authorized } from "./Auth.ts"
import { SessionParams, Usage } from "./bodies.ts"
import { NotFoundProblem, ownFaults } from "./Problem.ts"
import { Instant, Ok, wire } from "./wire.ts"

export const Review = wire("Review", {
  reviewId: Schema.String,
  turnIndex: Schema.Int.annotate({ description: "The turn after which it was due." }),
  reviewMemory: Schema.Boolean,
  reviewSkills: Schema.Boolean,
  mode: ReviewMode.annotate({ description: "Run by Troupe over the OpenAI Responses API, or by the host." }),
  model: Schema.NullOr(Schema.String),
  startedAt: Instant,
  endedAt: Schema.NullOr(Instant),
  ending: Schema.NullOr(ReviewEnding).annotate({ description: "null while it runs." }),
  reason: Schema.NullOr(Schema.String).annotate({ description: "Why it ended as it did, where that needs saying." }),
  iterations: Schema.Int.annotate({ description: "Calls of the model." }),
  wrote: Schema.Array(ReviewWrite).annotate({ description: "`name` is a memory's id or a skill's name." }),
  usage: Usage
})

const times = { createdAt: Instant, updatedAt: Instant }

export class ReviewsGroup extends HttpApiGroup.make("reviews")
  .add(
    HttpApiEndpoint.get("list", "/sessions/:id/reviews", {
      params: SessionParams,
      success: wire("ReviewList", { ok: Ok, count: Schema.Int, reviews: Schema.Array(Review) }),
      error: [NotFoundProblem, ...ownFaults]
    }).annotate(OpenApi.Summary, "The session's background reviews, newest first: why, what, how much, how they ended"),
    HttpApiEndpoint.get("memories", "/memory", {
      success: wire("MemoryList", {
        ok: Ok,
        count: Schema.Int,
        memories: Schema.Array(wire("Memory", { memoryId: Schema.String, text: Schema.String, ...times }))
      }),
      error: [...ownFaults]
    }).annotate(OpenApi.Summary, "What reviews have kept of the app's sessions, oldest first"),
    HttpApiEndpoint.get("skills", "/skills", {
      success: wire("SkillList", {
        ok: Ok,
        count: Schema.Int,
        skills: Schema.Array(
          wire("Skill", {
            name: Schema.String,
            description: Schema.String.annotate({ description: "When to use it." }),
            body: Schema.String.annotate({ description: "How it is done, as Markdown." }),
            ...times
          })
        )
      }),
      error: [...ownFaults]
    }).annotate(OpenApi.Summary, "Ways of working that reviews have written down for the app, by name")
  )
  .middleware(Authorized)
  .annotate(OpenApi.Description, "What is learned from sessions.") {}

/** The group in an API of its own under the name of the whole one, so that the same handlers serve both. */
export const ReviewsApi = HttpApi.make("troupe").add(ReviewsGroup)
