/** How reviews end early: by a live turn, by the next review, by the end of Troupe. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Reviews } from "../../src/review/Reviews.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { calling, inOrder } from "../fixtures/models/responses.ts"
import { id, opened, scratchFile } from "../ledger/samples.ts"
import { account, eachTurn, ended, reviewsOn, settleTurn, withReviews } from "./harness.ts"
import { NodeToken } from "../../src/domain/Ids.ts"

describe("a cancelled review", () => {
  it.effect("a cancelled review that waits for its model ends at once, with its usage", () =>
    Effect.gen(function* () {
      const { options, untilRequested } = yield* account(inOrder(calling("memory", { action: "list" }), "hang"))
      yield* withReviews(
        options,
        Effect.gen(function* () {
          yield* settleTurn()
          yield* untilRequested(2)
          const reviews = yield* Reviews
          // The clock stands still: that it returns at all means that it did not wait for a deadline.
          yield* reviews.cancel(id, "A turn began.")
          const [record] = yield* reviews.of(id)
          assert.deepStrictEqual(
            [record?.ending, record?.reason, record?.usage.inputTokens],
            ["cancelled", "A turn began.", 100]
          )
          yield* reviews.cancel(id, "Nothing runs.")
        })
      )
    })
  )

  it.effect("a cancel waits 2 s at most for a host that does not stop", () => {
    const begun = Deferred.makeUnsafe<void>()
    const stubborn = Effect.uninterruptible(
      Effect.andThen(Deferred.succeed(begun, undefined), Effect.sleep("1 minute"))
    )
    return withReviews(
      { ...eachTurn, onReview: () => stubborn },
      Effect.gen(function* () {
        yield* settleTurn()
        yield* Deferred.await(begun)
        const reviews = yield* Reviews
        const cancelling = yield* Effect.forkChild(reviews.cancel(id, "A turn began."))
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(cancelling)
        assert.strictEqual((yield* ended()).ending, "cancelled")
        yield* TestClock.adjust("1 minute")
      })
    )
  })

  it.effect("a host's failure is the reason in the review's record, and the next review runs after it", () =>
    withReviews(
      {
        ...eachTurn,
        onReview: ({ messagesSnapshot }) => Effect.fail(new Error(`no room for ${messagesSnapshot.length}`))
      },
      Effect.gen(function* () {
        yield* settleTurn()
        const first = yield* ended()
        assert.deepStrictEqual([first.ending, first.reason], ["failed", "no room for 2"])
        yield* TestClock.adjust("1 second")
        yield* settleTurn({ index: 2 })
        assert.strictEqual((yield* ended()).turn, 2)
        const reviews = yield* Reviews
        assert.lengthOf(yield* reviews.of(id), 2)
      })
    )
  )
})

describe("reviews of a stopped Troupe", () => {
  it.effect("a Troupe that stops cancels its reviews, and a new one closes those that a dead one left open", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      const options = { ...eachTurn, onReview: () => Effect.never }
      yield* Effect.andThen(
        Ledger.use((ledger) => ledger.write([opened({ agent: "codex" })])),
        settleTurn()
      ).pipe(Effect.provide(reviewsOn(filename, options)))
      yield* Effect.gen(function* () {
        const reviews = yield* Reviews
        const [record] = yield* reviews.of(id)
        assert.deepStrictEqual([record?.ending, record?.reason], ["cancelled", "Troupe was shutting down."])
        const ledger = yield* Ledger
        const dead = { ...record!, id: "rev_dead", endedAt: null, ending: null, reason: null }
        yield* ledger.write([{ _tag: "ReviewStarted", record: dead, owner: NodeToken.make("node_dead") }])
      }).pipe(Effect.provide(reviewsOn(filename, options)))
      yield* Effect.gen(function* () {
        const reviews = yield* Reviews
        const dead = (yield* reviews.of(id)).find((record) => record.id === "rev_dead")
        assert.deepStrictEqual([dead?.ending, dead?.reason], ["cancelled", "Troupe stopped while it ran."])
      }).pipe(Effect.provide(reviewsOn(filename, options)))
    }).pipe(Effect.scoped)
  )
})
