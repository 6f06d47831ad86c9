/** Reviews that wait in line when the server is killed: the next server runs each of them, once. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { DatabaseSync } from "node:sqlite"
import { join } from "node:path"
import { makeWorkspace } from "../cli/program.ts"
import type { Workspace } from "../cli/program.ts"
import { openServer, sessionOf } from "../cli/server.ts"
import type { Server } from "../cli/server.ts"
import { serve } from "../fixtures/models/responses.ts"
import type { Step } from "../fixtures/models/responses.ts"
import { untilNoticed } from "../until.ts"

interface Review {
  readonly turn_index: number
  readonly ending: string | null
  readonly reason: string | null
}

/** Oldest first. */
const reviewsOf = async ({ call }: Server, session: string) => {
  const { reviews } = await call("GET", `/sessions/${session}/reviews`)
  return (reviews as ReadonlyArray<Review>).toReversed()
}

const endings = (reviews: ReadonlyArray<Review>) => reviews.map(({ ending, turn_index }) => [turn_index, ending])

const untilAllEnded = async (server: Server, session: string, count: number) => {
  for (;;) {
    const reviews = await reviewsOf(server, session)
    if (reviews.length >= count && reviews.every(({ ending }) => ending !== null)) return reviews
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** What the ledger file says is owed: by which session, and up to which turn. */
const owedIn = ({ cwd }: Workspace) => {
  const ledger = new DatabaseSync(join(cwd, ".troupe", "troupe.sqlite"))
  const rows = ledger.prepare("SELECT session, turn FROM owed_reviews ORDER BY turn").all()
  ledger.close()
  return rows.map(({ turn }) => turn)
}

const turn = async ({ call }: Server, session: string, prompt: string) =>
  assert.strictEqual((await call("POST", `/sessions/${session}/turn`, { prompt }))["ok"], true)

it.effect(
  "reviews in line behind a running one are run by the server after a kill, each once, on their snapshots",
  () =>
    Effect.gen(function* () {
      let answer: Step = "hang"
      const model = yield* serve(() => answer)
      const workspace = yield* Effect.acquireRelease(Effect.sync(makeWorkspace), ({ cleanUp }) =>
        Effect.promise(cleanUp)
      )
      const env = {
        TROUPE_REVIEWS: "true",
        TROUPE_REVIEW_MEMORY_INTERVAL: "1",
        TROUPE_REVIEW_API_KEY: "sk-of-the-reviews",
        TROUPE_REVIEW_BASE_URL: model.baseUrl,
        TROUPE_REVIEW_MODEL: "small"
      }
      const killed = yield* Effect.promise(() => openServer(workspace, env))
      const session = yield* Effect.promise(() => sessionOf(killed))
      const closed = yield* Effect.promise(() => sessionOf(killed))
      yield* Effect.promise(() => turn(killed, session, "the first"))
      yield* untilNoticed(
        () => "the first review's request",
        Effect.sync(() => model.requests.length === 1),
        [model.observe]
      )
      yield* Effect.promise(async () => {
        await turn(killed, session, "the second")
        await turn(killed, session, "the third")
        // A closed session owes nothing any more.
        for (const prompt of ["one", "two"]) await turn(killed, closed, prompt)
        await killed.call("DELETE", `/sessions/${closed}`)
        while (owedIn(workspace).join() !== "2,3") await new Promise((resolve) => setTimeout(resolve, 20))
        killed.program.child.kill("SIGKILL")
        await killed.program.ended
      })

      const before = model.requests.length
      answer = { text: "Nothing to keep." }
      const next = yield* Effect.promise(() => openServer(workspace, env))
      const reviews = yield* Effect.promise(() => untilAllEnded(next, session, 3))
      assert.deepStrictEqual(endings(reviews), [
        [1, "cancelled"],
        [2, "completed"],
        [3, "completed"]
      ])
      assert.strictEqual(reviews[0]?.reason, "Troupe stopped while it ran.")
      const snapshots = model.requests.slice(before).map(({ body }) => JSON.stringify(body.input))
      assert.lengthOf(snapshots, 2)
      assert.include(snapshots[0], "the second")
      assert.notInclude(snapshots[0], "the third")
      assert.include(snapshots[1], "the third")
      assert.deepStrictEqual(owedIn(workspace), [])

      // Nothing is run again.
      yield* Effect.promise(async () => {
        next.program.child.kill("SIGKILL")
        await next.program.ended
        const last = await openServer(workspace, env)
        await turn(last, session, "the fourth")
        assert.deepStrictEqual(
          endings(await untilAllEnded(last, session, 4)).map(([of]) => of),
          [1, 2, 3, 4]
        )
      })
      assert.lengthOf(model.requests, before + 3)
    }).pipe(Effect.scoped),
  // Three servers in a row: on a machine that others use, too, each takes its time.
  180_000
)
