/** Background reviews in the library: taken over by the host, or run by Troupe on the account that the host names. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { openTroupe } from "../../src/promise.ts"
import type { ReviewRequest, Reviewing, Session } from "../../src/promise.ts"
import { calling, inOrder, serve } from "../fixtures/models/responses.ts"

const open = (reviews: Reviewing) =>
  openTroupe({ dataDir: ":memory:", defaultAgent: "demo", drainMillis: 500, reviews })

const everyTurn = { memory: 1 }

/** Resolves with the session's last review when that has ended. */
const endedReview = async (session: Session) => {
  for (;;) {
    const [last] = await session.reviews()
    if (last !== undefined && last.ending !== null) return last
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

describe("reviews in the library", () => {
  it("are run by the host, with exactly the three fields, where onReview is set", async () => {
    const requests: Array<ReviewRequest> = []
    await using troupe = await open({ intervals: everyTurn, onReview: (request) => requests.push(request) })
    const session = await troupe.createSession()
    const { messages } = await session.turn("hello")
    assert.containSubset(await endedReview(session), { mode: "host", ending: "completed", reviewMemory: true })
    assert.deepStrictEqual(requests, [{ messagesSnapshot: messages, reviewMemory: true, reviewSkills: false }])
  })

  it("fail alone where the host's function rejects, go on beside the next turn, and are aborted by a close", async () => {
    const begun = Promise.withResolvers<void>()
    const aborted = Promise.withResolvers<void>()
    const work = [
      () => Promise.reject(new Error("no time for this")),
      (signal: AbortSignal) => {
        signal.addEventListener("abort", () => aborted.resolve())
        begun.resolve()
        return aborted.promise
      }
    ]
    await using troupe = await open({ intervals: everyTurn, onReview: (_, signal) => work.shift()?.(signal) })
    const session = await troupe.createSession()
    assert.isTrue((await session.turn("hello")).ok)
    assert.containSubset(await endedReview(session), { ending: "failed", reason: "no time for this" })
    assert.isTrue((await session.turn("again")).ok)
    await begun.promise
    assert.isTrue((await session.turn("and again")).ok)
    assert.deepStrictEqual(
      (await session.reviews()).map(({ ending }) => ending),
      [null, "failed"]
    )
    await session.close()
    await aborted.promise
    assert.containSubset(await endedReview(session), { ending: "cancelled", reason: "The session was closed." })
  })

  it.live("are run by Troupe otherwise, on the host's account, and what they learn can be read", () =>
    Effect.gen(function* () {
      const model = yield* serve(
        inOrder(calling("memory", { action: "add", text: "They keep herons.", id: null }), { text: "Done." })
      )
      yield* Effect.promise(async () => {
        const account = { apiKey: "sk-of-the-host", baseUrl: model.baseUrl, model: "small" }
        await using troupe = await open({ intervals: everyTurn, ...account })
        const session = await troupe.createSession()
        await session.turn("hello")
        assert.containSubset(await endedReview(session), {
          mode: "codex_responses",
          ending: "completed",
          model: "small"
        })
        assert.deepStrictEqual(
          (await troupe.memories()).map(({ text }) => text),
          ["They keep herons."]
        )
        assert.deepStrictEqual(await troupe.skills(), [])
        assert.deepStrictEqual(await troupe.as("another").memories(), [])
      })
      assert.strictEqual(model.requests[0]?.authorization, "Bearer sk-of-the-host")
    }).pipe(Effect.scoped)
  )
})
