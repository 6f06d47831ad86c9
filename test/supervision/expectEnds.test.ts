/** Waiting for an outcome, or for a session's end: nothing between request and wait is missed, and nobody waits for ever. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { Draining, Unavailable } from "../../src/domain/Refusal.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { News } from "../../src/runtime/News.ts"
import { SessionStops } from "../../src/runtime/SessionStops.ts"
import * as ExpectEnds from "../../src/supervision/expectEnds.ts"
import type { Expectation } from "../../src/supervision/expectEnds.ts"
import { id, opened, turn } from "../ledger/samples.ts"

const layer = Layer.merge(News.layer, SessionStops.layer).pipe(Layer.provideMerge(SqliteLedger.layer(":memory:")))

/** A session, and its turn 1. */
const openTurn = [opened(), { _tag: "TurnInserted", record: turn() }] as const

/** Tells what a commit of this process stored. */
const told = (news: News["Service"], settled: ReadonlyArray<number>, closed = false) =>
  news.tell({
    session: id,
    step: 1,
    event: 1,
    stepped: true,
    settled,
    closed,
    stored: { events: [], characters: 0, step: null }
  })

const expecting = <A, E>(
  test: (expected: Expectation, news: News["Service"], stops: SessionStops["Service"]) => Effect.Effect<A, E>
) =>
  Effect.gen(function* () {
    const [news, stops] = [yield* News, yield* SessionStops]
    yield* Effect.flatMap(Ledger, (ledger) => ledger.write(openTurn))
    const expected = (yield* ExpectEnds.make)(id)
    yield* test(expected, news, stops)
    assert.deepStrictEqual([news.watchers(), stops.waiters()], [0, 0], "nothing listens any more")
  }).pipe(Effect.provide(layer))

describe("an expectation", () => {
  it.effect("of an outcome that is stored before anybody knows the turn's number is met", () =>
    expecting((expected, news) => {
      told(news, [3, 4])
      return expected.turn(4, true)
    })
  )

  it.effect("of an outcome goes on until it is stored, whichever else is", () =>
    expecting(
      Effect.fnUntraced(function* (expected, news) {
        const waiting = yield* Effect.forkChild(expected.turn(4, true), { startImmediately: true })
        told(news, [3])
        yield* Effect.yieldNow
        assert.isUndefined(waiting.pollUnsafe())
        told(news, [4])
        yield* Fiber.join(waiting)
      })
    )
  )

  it.effect("of a turn that is not open, or of nothing, lets go", () =>
    Effect.andThen(
      expecting((expected) => expected.turn(4, false)),
      expecting(({ forget }) => forget)
    )
  )

  it.effect("lets go when the outcome comes, also where nobody waits for it", () =>
    expecting((expected, news) => {
      void expected.turn(4, true)
      told(news, [4])
      return Effect.void
    })
  )

  it.effect("of the session's end is met by that", () =>
    expecting((expected, news) => {
      const closed = expected.closed(true)
      told(news, [4])
      told(news, [], true)
      return closed
    })
  )

  it.effect("asks the ledger where news may not say all, and waits on where the outcome is not there", () =>
    Effect.gen(function* () {
      const [ledger, news] = [yield* Ledger, yield* News]
      yield* ledger.write(openTurn)
      const expected = (yield* ExpectEnds.make)(id)
      const waiting = yield* Effect.forkChild(expected.turn(1, true), { startImmediately: true })
      news.missed(id)
      yield* Effect.yieldNow
      assert.isUndefined(waiting.pollUnsafe())
      const patch = { status: "completed", endedAt: 5, stopReason: "end_turn" } as const
      yield* ledger.write([{ _tag: "TurnPatched", session: id, index: 1, patch }])
      news.missed(id)
      yield* Fiber.join(waiting)
      assert.strictEqual(news.watchers(), 0)
    }).pipe(Effect.provide(layer))
  )

  it.effect("that nobody waits for lets go where news may have got lost, and looks when somebody does", () =>
    Effect.gen(function* () {
      const [ledger, news] = [yield* Ledger, yield* News]
      yield* ledger.write(openTurn)
      const ended = (yield* ExpectEnds.make)(id).turn(1, true)
      news.missed(id)
      assert.strictEqual(news.watchers(), 0)
      const patch = { status: "completed", endedAt: 5, stopReason: "end_turn" } as const
      yield* ledger.write([{ _tag: "TurnPatched", session: id, index: 1, patch }])
      yield* ended
      yield* ended
      assert.strictEqual(news.watchers(), 0)
    }).pipe(Effect.provide(layer))
  )

  it.effect("fails where the actor dies and is given up at once, whatever is looked for meanwhile", () =>
    expecting(
      Effect.fnUntraced(function* (expected, news, stops) {
        const waiting = yield* Effect.forkChild(Effect.flip(expected.turn(1, true)), { startImmediately: true })
        news.missed(id)
        stops.tell(id, new Error("a defect"))
        assert.strictEqual((yield* Fiber.join(waiting))._tag, "SessionFailed")
      })
    )
  )

  it.effect("fails where the session's actor is stopped, with what that passes with", () =>
    expecting(
      Effect.fnUntraced(function* (expected, _news, stops) {
        stops.tell(id, new Draining({}))
        const failed = yield* Effect.flip(expected.turn(4, true))
        assert.strictEqual(failed._tag, "SessionFailed")
        assert.strictEqual(new Unavailable({ operation: "wait", cause: failed }).code, "draining")
        // What is stored already is no failure.
        yield* expected.turn(4, false)
      })
    )
  )
})
