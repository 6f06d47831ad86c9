/** Until when a node's agents may run, while the others that it asks hold off or do not. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { NodeToken } from "../../src/domain/Ids.ts"
import type { NodeRecord } from "../../src/ledger/Ledger.ts"
import * as BeyondLease from "../../src/runtime/beyondLease.ts"
import type { Ask } from "../../src/runtime/beyondLease.ts"

const leaseMillis = 10_000
const beyondMillis = 60_000

const nodeOf = (name: string): NodeRecord => ({
  token: NodeToken.make(`node_${name}`),
  name,
  url: null,
  version: "1",
  chart: 1,
  joinedAt: 0,
  leaseUntil: 0,
  isDead: false,
  asks: [],
  asksUntil: null,
  draining: false,
  drainAsked: false,
  load: null
})
const [first, second] = [nodeOf("first"), nodeOf("second")]

/** A node whose last renewal began at 0, and told that it asks `told`; then it has read `beside`. */
const watched = (
  ask: (node: NodeRecord, asked: ReadonlyArray<string>) => ReturnType<Ask>,
  { beside = [first, second], told = [first, second] } = {}
) =>
  Effect.gen(function* () {
    const asked: Array<string> = []
    let until = 0
    const beyond = BeyondLease.make({
      leaseMillis,
      beyondMillis,
      ask: (node) => Effect.suspend(() => (asked.push(node.name), ask(node, asked))),
      mayRunUntil: ({ monotonic }) => Effect.sync(() => void (until = monotonic))
    })
    const began = yield* BeyondLease.now
    beyond.toldAll(began, [], told)
    beyond.toldAll(began, beyond.asks(), beside)
    yield* beyond.renewed(began)
    yield* Effect.forkScoped(beyond.watch)
    return { beyond, asked, until: () => until }
  })

const holdsOff = Effect.succeed(leaseMillis)

describe("agents beyond the lease", () => {
  it.effect("go on while all others hold off, and no longer than the limit", () =>
    Effect.gen(function* () {
      const { asked, until } = yield* watched(() => holdsOff)
      assert.strictEqual(until(), 7_000)
      yield* TestClock.adjust(3_999)
      assert.deepStrictEqual(asked, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(asked, ["first", "second"])
      assert.strictEqual(until(), 11_000)
      yield* TestClock.adjust(4_000)
      assert.strictEqual(until(), 15_000)
      yield* TestClock.adjust(120_000)
      assert.strictEqual(until(), beyondMillis)
    }).pipe(Effect.scoped)
  )

  it.effect("may run after a renewal where the time before is over by the clock that was set", () =>
    Effect.gen(function* () {
      const told: Array<number> = []
      const beyond = BeyondLease.make({
        leaseMillis,
        beyondMillis,
        ask: () => Effect.die("nobody is asked"),
        mayRunUntil: ({ monotonic }) => Effect.sync(() => void told.push(monotonic))
      })
      // Over at 4,000 by the one clock, at 10,000 by the other.
      yield* beyond.renewed({ wall: -3_000, monotonic: 3_000 })
      yield* TestClock.adjust(5_000)
      yield* beyond.renewed({ wall: 5_000, monotonic: 2_000 })
      assert.deepStrictEqual(told, [10_000, 9_000])
    })
  )

  it.effect("go on where there are no others", () =>
    Effect.gen(function* () {
      const { until } = yield* watched(() => Effect.die("it asks nobody"), { told: [], beside: [] })
      yield* TestClock.adjust(4_000)
      assert.strictEqual(until(), 11_000)
    }).pipe(Effect.scoped)
  )

  for (const [what, answer] of [
    ["reaches the ledger", Effect.succeed(null)],
    ["does not answer", Effect.never],
    ["can't be asked", Effect.fail("no way")]
  ] as const) {
    it.effect(`end with it where one of the others ${what}`, () =>
      Effect.gen(function* () {
        const { asked, until } = yield* watched((node) => (node.name === "second" ? answer : holdsOff))
        yield* TestClock.adjust(60_000)
        assert.isAbove(asked.length, 2)
        assert.strictEqual(until(), 7_000)
      }).pipe(Effect.scoped)
    )
  }

  it.effect("end where an answer comes when they have ended", () =>
    Effect.gen(function* () {
      const { until } = yield* watched((_, asked) =>
        asked.length <= 6 ? Effect.succeed(null) : Effect.delay(holdsOff, 1_600)
      )
      yield* TestClock.adjust(60_000)
      assert.strictEqual(until(), 7_000)
    }).pipe(Effect.scoped)
  )

  it.effect("depend on those that were told of, those that were read since, and no others", () =>
    Effect.gen(function* () {
      const both = yield* watched(() => holdsOff, { told: [first], beside: [second] })
      yield* TestClock.adjust(4_000)
      assert.deepStrictEqual(both.asked, ["first", "second"])
      const none = yield* watched(() => holdsOff)
      none.beyond.forget()
      yield* TestClock.adjust(10_000)
      assert.deepStrictEqual([none.asked, none.until()], [[], 11_000])
    }).pipe(Effect.scoped)
  )

  it.effect("go on for as long as the one that holds off the shortest", () =>
    Effect.gen(function* () {
      const { until } = yield* watched((node) => Effect.succeed(node.name === "first" ? 8_000 : 30_000))
      yield* TestClock.adjust(4_000)
      assert.strictEqual(until(), 9_000)
    }).pipe(Effect.scoped)
  )
})
