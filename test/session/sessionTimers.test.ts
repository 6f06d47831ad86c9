/** The timers of one session: which is due next, and whose events still count when they are taken from the mailbox. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Queue } from "effect"
import { TestClock } from "effect/testing"
import { SessionId } from "../../src/domain/Ids.ts"
import { Timers } from "../../src/runtime/Timers.ts"
import type { Envelope } from "../../src/session/Envelope.ts"
import { makeHandle } from "../../src/session/SessionHandle.ts"
import * as SessionTimers from "../../src/session/SessionTimers.ts"

const event = { type: "hibernate.requested", reason: "of a test" } as const

const make = Effect.gen(function* () {
  const mailbox = yield* Queue.unbounded<Envelope>()
  const timers = yield* SessionTimers.make(makeHandle(SessionId.make("ses_timed"), mailbox))
  return { mailbox, timers }
})

describe("a session's timers", () => {
  it.effect("the next is the one that is due first, stored or not, in whichever order they were armed", () =>
    Effect.gen(function* () {
      const { timers } = yield* make
      assert.isNull(timers.next())
      timers.armUnstored({ timer: "unstored", dueAt: 15, event })
      assert.deepStrictEqual(timers.next(), { timer: "unstored", dueAt: 15 })
      assert.deepStrictEqual(timers.unstored(), [{ timer: "unstored", dueAt: 15, event }])
      for (const [timer, dueAt] of [
        ["second", 20],
        ["first", 10],
        ["third", 30]
      ] as const)
        timers.arm({ timer, dueAt, event })
      assert.deepStrictEqual(timers.next(), { timer: "first", dueAt: 10 })
      timers.disarm("first")
      assert.deepStrictEqual(timers.next(), { timer: "unstored", dueAt: 15 })
      timers.disarm("unstored")
      assert.deepStrictEqual(timers.next(), { timer: "second", dueAt: 20 })
      assert.deepStrictEqual(timers.unstored(), [])
    }).pipe(Effect.scoped, Effect.provide(Timers.layer))
  )

  it.effect("the event of a timer that was disarmed or armed anew while it waited does not count", () =>
    Effect.gen(function* () {
      const { mailbox, timers } = yield* make
      const fired = Effect.map(Queue.take(mailbox), ({ by, event, timer }) => ({ by, event, timer: timer! }))
      timers.arm({ timer: "a", dueAt: 10, event })
      yield* TestClock.adjust("10 millis")
      const first = yield* fired
      assert.deepStrictEqual(first, { by: "troupe", event, timer: { id: "a", arming: first.timer.arming } })
      assert.isTrue(timers.take(first.timer))
      timers.arm({ timer: "a", dueAt: 20, event })
      assert.isFalse(timers.take(first.timer))
      yield* TestClock.adjust("10 millis")
      const second = yield* fired
      assert.isTrue(timers.take(second.timer))
      timers.disarm("a")
      assert.isFalse(timers.take(second.timer))
    }).pipe(Effect.scoped, Effect.provide(Timers.layer))
  )

  it.effect("none fires when the actor has ended, and none that was disarmed", () =>
    Effect.gen(function* () {
      const armed = yield* Effect.scoped(
        Effect.gen(function* () {
          const { mailbox, timers } = yield* make
          timers.arm({ timer: "ends", dueAt: 10, event })
          return mailbox
        })
      )
      const { mailbox, timers } = yield* make
      timers.arm({ timer: "disarmed", dueAt: 10, event })
      timers.disarm("disarmed")
      assert.strictEqual((yield* Timers).size(), 0)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual([Queue.sizeUnsafe(armed), Queue.sizeUnsafe(mailbox)], [0, 0])
    }).pipe(Effect.scoped, Effect.provide(Timers.layer))
  )
})
