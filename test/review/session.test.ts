/** Reviews of running sessions: due after a turn, beside the next ones, cancelled by the end of the session. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Reviews } from "../../src/review/Reviews.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import type { ReviewRequest } from "../../src/review/ReviewRequest.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { app, ours, retire, until, untilState, withRuntime } from "../services/harness.ts"

const eachTurn = { intervals: { memory: 1, skills: 0 } }

const turn = (id: SessionId, prompt: string) =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const { result } = yield* sessions.submit(ours, id, { prompt })
    return yield* result
  })

/** The newest review once it stands as wanted. */
const review = (id: SessionId, wanted: (ending: string | null, turn: number) => boolean) =>
  Effect.gen(function* () {
    const reviews = yield* Reviews
    const newest = Effect.map(reviews.of(id), ([review]) => review)
    yield* until(
      () => `a review of ${id} as wanted`,
      Effect.map(newest, (review) => review !== undefined && wanted(review.ending, review.turn))
    )
    return (yield* newest)!
  })

describe("a session that is reviewed", () => {
  it.effect("a host gets the whole conversation after the turn that made the review due", () => {
    const called: Array<ReviewRequest> = []
    const onReview = (request: ReviewRequest) => Effect.sync(() => called.push(request))
    return withRuntime(
      {},
      { intervals: { memory: 2, skills: 0 }, onReview }
    )(
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const { id } = yield* sessions.create(app, {})
        yield* turn(id, "one")
        yield* turn(id, "two")
        const { ending, turn: after } = yield* review(id, (ending) => ending !== null)
        assert.deepStrictEqual([ending, after], ["completed", 2])
        assert.deepStrictEqual(
          called.map(({ messagesSnapshot }) => messagesSnapshot.map(({ content, role }) => `${role}: ${content}`)),
          [["user: one", "assistant: you said: one", "user: two", "assistant: you said: two"]]
        )
      })
    )
  })

  it.effect("the next turns run beside a review, which goes on with its own part of the conversation", () => {
    const gate = Deferred.makeUnsafe<void>()
    const seen: Array<number> = []
    const onReview = ({ messagesSnapshot }: ReviewRequest) => {
      seen.push(messagesSnapshot.length)
      return Deferred.await(gate)
    }
    return withRuntime(
      {},
      { ...eachTurn, onReview }
    )(
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const { id } = yield* sessions.create(app, {})
        yield* turn(id, "one")
        const first = yield* review(id, (ending) => ending === null)
        const second = yield* turn(id, "two")
        assert.strictEqual(second.turn.status, "completed")
        const reviews = yield* Reviews
        assert.deepStrictEqual(yield* reviews.of(id), [first])
        Deferred.doneUnsafe(gate, Effect.void)
        yield* review(id, (ending, after) => ending === "completed" && after === 2)
        assert.deepStrictEqual(seen, [2, 4])
      })
    )
  })

  it.effect("a session goes on when its review fails, and cancels a running review when it closes", () => {
    let fails = true
    const onReview = () => (fails ? Effect.fail(new Error("no")) : Effect.never)
    return withRuntime(
      {},
      { ...eachTurn, onReview }
    )(
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const { id } = yield* sessions.create(app, {})
        yield* turn(id, "one")
        assert.strictEqual((yield* review(id, (ending) => ending !== null)).ending, "failed")
        fails = false
        yield* TestClock.adjust("1 second")
        yield* untilState(id, "idle.awake")
        yield* turn(id, "two")
        yield* review(id, (ending) => ending === null)
        const closing = yield* Effect.forkChild(sessions.close(ours, id))
        yield* retire(id, "closed")
        yield* Fiber.join(closing)
        const { ending, reason } = yield* review(id, (ending) => ending === "cancelled")
        assert.deepStrictEqual([ending, reason], ["cancelled", "The session was closed."])
      })
    )
  })
})
