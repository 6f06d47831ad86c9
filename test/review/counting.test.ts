/** The counters from a settled turn to the review that is due: durable, per session, each turn once. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Option } from "effect"
import * as OnTurnSettled from "../../src/review/OnTurnSettled.ts"
import { Reviews } from "../../src/review/Reviews.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { LedgerWrites } from "../ledger/LedgerWrites.ts"
import { id, opened, scratchFile, turn as turnSample } from "../ledger/samples.ts"
import { untilNoticed } from "../until.ts"
import { eachTurn, ended, good, host, reviewsOn, messages, session, settleTurn, withReviews } from "./harness.ts"

describe("nudges of a session", () => {
  it.effect("no review is due below both thresholds", () => {
    const { called, onReview } = host()
    return withReviews(
      { onReview, skillTool: true },
      Effect.gen(function* () {
        for (let index = 1; index <= 9; index++) yield* settleTurn({ index, toolIterations: 1 })
        const reviews = yield* Reviews
        assert.deepStrictEqual(yield* reviews.of(id), [])
        assert.deepStrictEqual(called, [])
      })
    )
  })

  it.effect("the skill threshold calls the host with exactly three fields, and resets its counter", () => {
    const { called, onReview } = host()
    return withReviews(
      { onReview, skillTool: true },
      Effect.gen(function* () {
        yield* settleTurn({ toolIterations: 11 })
        const record = yield* ended()
        assert.deepStrictEqual(called, [{ messagesSnapshot: messages, reviewMemory: false, reviewSkills: true }])
        assert.deepStrictEqual(Object.keys(called[0] ?? {}).sort(), [
          "messagesSnapshot",
          "reviewMemory",
          "reviewSkills"
        ])
        assert.deepStrictEqual(
          [record.mode, record.ending, record.model, record.turn, record.reviewSkills],
          ["host", "completed", null, 1, true]
        )
        const { value } = (yield* Ledger.use((ledger) => ledger.nudgeCounters(id))) as { value: unknown }
        assert.deepStrictEqual(value, { session: id, turn: 1, userTurns: 1, toolIterations: 0 })
      })
    )
  })

  it.effect("an interrupted turn leaves the counter reached, and the next good one is reviewed", () => {
    const { called, onReview } = host()
    return withReviews(
      { ...eachTurn, onReview },
      Effect.gen(function* () {
        yield* settleTurn({ status: "interrupted", interrupted: true })
        const reviews = yield* Reviews
        assert.deepStrictEqual(yield* reviews.of(id), [])
        yield* settleTurn({ index: 2 })
        yield* ended()
        assert.lengthOf(called, 1)
      })
    )
  })

  it.effect("two sessions count their own turns through a restart of Troupe, each turn once", () => {
    const { called, onReview } = host()
    const two = session({ id: SessionId.make("ses_the-second-conversation") })
    return Effect.gen(function* () {
      const filename = yield* scratchFile
      const options = { intervals: { memory: 4, skills: 0 }, onReview }
      yield* Effect.gen(function* () {
        yield* Ledger.use((ledger) => ledger.write([opened({ agent: "codex" }), opened({ id: two.id })]))
        yield* settleTurn({ index: 1 })
        yield* settleTurn({ index: 2 })
        yield* settleTurn({ index: 1 }, two)
        const reviews = yield* Reviews
        yield* reviews.turnSettled(session({ turnCount: 2 }), { ...good, index: 2 }, Effect.succeed(messages))
        // Its outcome is stored, and Troupe dies before it is counted.
        const record = { ...turnSample(), index: 3, status: "completed", endedAt: 1 } as const
        yield* Ledger.use((ledger) => ledger.write([{ _tag: "TurnInserted", record }]))
      }).pipe(Effect.provide(reviewsOn(filename, options)))
      assert.deepStrictEqual(called, [])
      yield* Effect.gen(function* () {
        yield* settleTurn({ index: 2 }, two)
        yield* settleTurn({ index: 4 })
        yield* ended()
        assert.lengthOf(called, 1)
        const reviews = yield* Reviews
        assert.deepStrictEqual(yield* reviews.of(two.id), [])
      }).pipe(Effect.provide(reviewsOn(filename, options)))
    }).pipe(Effect.scoped)
  })

  it.effect("turns that settle out of order are all counted, compactions are not", () => {
    const { called, onReview } = host()
    return withReviews(
      { intervals: { memory: 4, skills: 0 }, onReview },
      Effect.gen(function* () {
        const ledger = yield* Ledger
        const reviews = yield* Reviews
        const row = (index: number, endedAt: number | null, kind: "prompt" | "compact" = "prompt") => ({
          _tag: "TurnInserted" as const,
          record: { ...turnSample(), index, kind, endedAt, status: endedAt === null ? "running" : "failed" } as const
        })
        yield* ledger.write([row(1, null), row(2, 1), row(3, 1, "compact")])
        const after = session({ turnCount: 3 })
        yield* reviews.turnSettled(after, { ...good, index: 2, status: "failed" }, Effect.succeed(messages))
        yield* ledger.write([
          { _tag: "TurnPatched", session: id, index: 1, patch: { status: "completed", endedAt: 2 } }
        ])
        yield* reviews.turnSettled(after, good, Effect.succeed(messages))
        yield* settleTurn({ index: 4 })
        assert.deepStrictEqual(yield* reviews.of(id), [])
        yield* settleTurn({ index: 5 })
        yield* ended()
        assert.lengthOf(called, 1)
      })
    )
  })

  it.effect("a turn is counted by the tool calls that its actor saw end, and nothing of it is read", () => {
    const { onReview } = host()
    return withReviews(
      { onReview, skillTool: true },
      Effect.gen(function* () {
        yield* settleTurn({ index: 1 })
        const ledger = yield* Ledger
        // It has no events: what is read of it would be no call.
        const record = { ...turnSample(), index: 2, status: "completed", endedAt: 1 } as const
        yield* ledger.write([{ _tag: "TurnInserted", record }])
        const onTurnSettled = yield* OnTurnSettled.make
        const settled = { index: 2, kind: "prompt", status: "completed" } as const
        assert.isNull(onTurnSettled.countNow(session({ turnCount: 2 }), settled, null))
        yield* onTurnSettled.countNow(session({ turnCount: 2 }), settled, 3) ?? Effect.die("it was to be read")
        yield* ledger.write([])
        assert.strictEqual(Option.getOrThrow(yield* ledger.turn(id, 2)).toolIterations, 3)
        const counters = Option.getOrThrow(yield* ledger.nudgeCounters(id))
        assert.deepStrictEqual([counters.turn, counters.toolIterations], [2, good.toolIterations + 3])
      })
    )
  })
})

describe("a session whose turns follow each other at once", () => {
  /** Reviews that end when they are let. */
  const held = (interval: number, turns: number) => {
    const gate = Deferred.makeUnsafe<void>()
    return withReviews(
      { intervals: { memory: interval, skills: 0 }, onReview: () => Deferred.await(gate) },
      Effect.gen(function* () {
        for (let index = 1; index <= turns; index++) yield* settleTurn({ index })
        const reviews = yield* Reviews
        const writes = yield* LedgerWrites
        Deferred.doneUnsafe(gate, Effect.void)
        const last = Effect.map(reviews.of(id), ([newest]) => newest?.turn === turns && newest.ending !== null)
        yield* untilNoticed(() => "the end of the last review", last, [writes.observe])
        return (yield* reviews.of(id)).map(({ ending, turn }) => [turn, ending]).toReversed()
      })
    )
  }

  it.effect("12 turns at an interval of 3 make 4 reviews, one after the other, and each is finished", () =>
    Effect.gen(function* () {
      const finished = [3, 6, 9, 12].map((turn) => [turn, "completed" as const])
      assert.deepStrictEqual(yield* held(3, 12), finished)
    })
  )

  it.effect("a line that is full keeps its first reviews, and its last looks at all that came since", () =>
    Effect.gen(function* () {
      const reviewed = (yield* held(1, 20)).map(([turn]) => turn)
      assert.deepStrictEqual([reviewed.at(0), reviewed.at(-1)], [1, 20])
      assert.isAtMost(reviewed.length, 9)
    })
  )
})
