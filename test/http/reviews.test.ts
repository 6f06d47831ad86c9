/** The bodies and refusals of reviews, memories and skills, on a real port. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { createServer } from "node:http"
import { ReviewResults } from "../../src/services/ReviewResults.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import { Unavailable } from "../../src/domain/Refusal.ts"
import type { ReviewRecord } from "../../src/domain/Review.ts"
import { ReviewsApi } from "../../src/http/contract/reviews.ts"
import * as Auth from "../../src/http/handlers/auth.ts"
import * as ReviewsHandlers from "../../src/http/handlers/reviews.ts"
import { adminToken, otherToken } from "./callers.ts"
import { callsTo } from "./callsTo.ts"
import { makeScript } from "./makeScript.ts"
import { findSession, secret } from "./scriptedSessions.ts"

const times = { createdAt: 1_700_000_000_123, updatedAt: 1_700_000_001_000 }

const record = (session: ReviewRecord["session"]): ReviewRecord => ({
  id: "rev_1",
  session,
  turn: 10,
  reviewMemory: true,
  reviewSkills: false,
  mode: "codex_responses",
  model: "large",
  startedAt: 1_700_000_000_123,
  endedAt: 1_700_000_002_000,
  ending: "cancelled",
  reason: "A turn began.",
  iterations: 2,
  wrote: [{ tool: "memory", action: "add", name: "mem_1" }],
  usage: { inputTokens: 5, cachedInputTokens: 1, outputTokens: 2, reasoningTokens: 1, totalTokens: 7 }
})

const reviews = Layer.mock(ReviewResults)({
  ofSession: (caller, id) =>
    Effect.flatMap(findSession(caller, id), (session) =>
      session === "ses_broken"
        ? Effect.fail(new Unavailable({ operation: "read the reviews", cause: new Error(secret) }))
        : Effect.succeed([record(SessionId.make(session))])
    ),
  memories: (app) => Effect.succeed([{ id: "mem_1", app, text: `of ${app}`, ...times }]),
  skills: (app) => Effect.succeed([{ name: "fix-tests", app, description: "When red.", body: "# Steps", ...times }])
})

const open = Effect.gen(function* () {
  const { services } = yield* makeScript
  const routes = HttpApiBuilder.layer(ReviewsApi).pipe(
    Layer.provide(ReviewsHandlers.layer),
    Layer.provide(Auth.layer),
    Layer.provide(Layer.merge(services, reviews))
  )
  const context = yield* Layer.build(
    HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
      Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 })),
      Layer.provide(Logger.layer([]))
    )
  )
  return callsTo(HttpServer.formatAddress(Context.get(context, HttpServer.HttpServer).address))
})

it.live("GET /sessions/:id/reviews says why each review ran, what it wrote, what it used and how it ended", () =>
  Effect.gen(function* () {
    const { call } = yield* open
    const { json, status } = yield* call("/sessions/ses_ok/reviews")
    assert.strictEqual(status, 200)
    assert.deepStrictEqual(json, {
      ok: true,
      count: 1,
      reviews: [
        {
          review_id: "rev_1",
          turn_index: 10,
          review_memory: true,
          review_skills: false,
          mode: "codex_responses",
          model: "large",
          started_at: 1_700_000_000.123,
          ended_at: 1_700_000_002,
          ending: "cancelled",
          reason: "A turn began.",
          iterations: 2,
          wrote: [{ tool: "memory", action: "add", name: "mem_1" }],
          usage: {
            input_tokens: 5,
            cached_input_tokens: 1,
            output_tokens: 2,
            reasoning_tokens: 1,
            total_tokens: 7
          }
        }
      ]
    })
  }).pipe(Effect.scoped)
)

it.live("GET /memory and GET /skills give each app its own", () =>
  Effect.gen(function* () {
    const { call } = yield* open
    const mine = yield* call("/memory")
    assert.deepStrictEqual(mine.json, {
      ok: true,
      count: 1,
      memories: [{ memory_id: "mem_1", text: "of the-app", created_at: 1_700_000_000.123, updated_at: 1_700_000_001 }]
    })
    assert.strictEqual((yield* call("/memory", { token: otherToken })).json.memories[0].text, "of another-app")
    assert.strictEqual((yield* call("/memory", { token: adminToken })).json.memories[0].text, "of admin")
    const skills = yield* call("/skills")
    assert.deepStrictEqual(skills.json.skills, [
      {
        name: "fix-tests",
        description: "When red.",
        body: "# Steps",
        created_at: 1_700_000_000.123,
        updated_at: 1_700_000_001
      }
    ])
  }).pipe(Effect.scoped)
)

it.live("reviews are refused without a token and to another app, and a fault's cause is not in the answer", () =>
  Effect.gen(function* () {
    const { call } = yield* open
    for (const path of ["/sessions/ses_ok/reviews", "/memory", "/skills"]) {
      assert.strictEqual((yield* call(path, { token: null })).status, 401)
    }
    const stranger = yield* call("/sessions/ses_ok/reviews", { token: otherToken })
    assert.deepStrictEqual([stranger.status, stranger.json.error], [404, "session_not_found"])
    const broken = yield* call("/sessions/ses_broken/reviews")
    assert.deepStrictEqual([broken.status, broken.json.error], [500, "unavailable"])
    assert.notInclude(broken.text, secret)
  }).pipe(Effect.scoped)
)
