/** Background reviews of several nodes: each runs its own, and another one takes over what a dead one owed. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { serve } from "../fixtures/models/responses.ts"
import type { Step } from "../fixtures/models/responses.ts"
import { emptySchema, server as postgres } from "../ledger/postgres/schemas.ts"
import { Cluster, until } from "./nodes.ts"
import type { ClusterNode } from "./nodes.ts"

/** The turn and the ending of each, oldest first. */
const reviewsAt = async (node: ClusterNode, session: string) => {
  const { json } = await node.call("GET", `/sessions/${session}/reviews`)
  return (json["reviews"] as ReadonlyArray<Readonly<Record<string, unknown>>>)
    .toReversed()
    .map(({ ending, turn_index }) => [turn_index, ending] as const)
}

describe.skipIf(postgres === null)("background reviews", () => {
  it.live("go on while another node starts, and are cancelled and taken over when theirs dies", () =>
    Effect.gen(function* () {
      let answer: Step = "hang"
      const model = yield* serve(() => answer)
      const nodes = yield* Effect.acquireRelease(
        Effect.map(emptySchema, (url) => new Cluster(url)),
        (cluster) => Effect.promise(() => cluster.cleanUp())
      )
      const env = {
        TROUPE_REVIEWS: "true",
        TROUPE_REVIEW_MEMORY_INTERVAL: "1",
        TROUPE_REVIEW_API_KEY: "sk-of-the-reviews",
        TROUPE_REVIEW_BASE_URL: model.baseUrl,
        TROUPE_REVIEW_MODEL: "small"
      }
      yield* Effect.promise(async () => {
        const first = await nodes.start("first", env)
        const session = String((await first.call("POST", "/sessions", { agent: "demo" })).json["session_id"])
        for (const prompt of ["one", "two", "three"]) {
          assert.deepInclude((await first.call("POST", `/sessions/${session}/turn`, { prompt })).json, { ok: true })
        }
        await until("the first review", () => model.requests.length === 1)
        const second = await nodes.start("second", env)
        assert.deepStrictEqual(await reviewsAt(second, session), [[1, null]])

        answer = { text: "Nothing to keep." }
        await first.kill("SIGKILL")
        await until("what it owed", async () => {
          const last = (await reviewsAt(second, session)).at(-1)
          return last?.[0] === 3 && last[1] === "completed"
        })
        // The second and the third are two, or one where they met in the line.
        const ended = await reviewsAt(second, session)
        assert.deepStrictEqual(ended[0], [1, "cancelled"])
        assert.deepStrictEqual(ended.at(-1), [3, "completed"])
        assert.strictEqual(model.requests.length, ended.length)

        const back = await nodes.start("first", env)
        assert.deepInclude((await back.call("POST", `/sessions/${session}/turn`, { prompt: "four" })).json, {
          ok: true
        })
        await until("the last review", async () => {
          const last = (await reviewsAt(back, session)).at(-1)
          return last?.[0] === 4 && last[1] === "completed"
        })
        assert.strictEqual(model.requests.length, ended.length + 1)
      })
    }).pipe(Effect.scoped)
  )
})
