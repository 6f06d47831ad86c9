/** Sessions as XState actors: what they outlive, what keeps them in memory, and when they are collected. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { EventObject } from "xstate"
import { decide } from "../../machines/decide.ts"
import { restore } from "../../machines/session/machine.ts"
import type { SessionEvent } from "../../machines/session/machine.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { News } from "../../src/runtime/News.ts"
import { SessionShared } from "../../src/runtime/SessionShared.ts"
import { SessionActorRefs } from "../../src/services/SessionActorRefs.ts"
import { stateName } from "../../machines/session/stateInfo.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import type { SessionActorRef } from "../../src/services/MirrorActor.ts"
import { AgentScript } from "./AgentScript.ts"
import { app, ours, theirs, untilBegun, untilRunning, untilState, withRuntime } from "./harness.ts"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

const opened = Effect.gen(function* () {
  const sessions = yield* Sessions
  const { id } = yield* sessions.create(app, {})
  const refs = yield* SessionActorRefs
  return { id, refs, sessions, actor: yield* refs.of(ours, id) }
})

const named = (actor: SessionActorRef) => {
  const seen: Array<string> = []
  actor.subscribe((snapshot) => seen.push(stateName(snapshot)))
  return seen
}

/** Memory is given back when the engine likes: looked at until it was, a bounded number of times. */
const sizeAfterCollecting = (refs: SessionActorRefs["Service"], most: number) =>
  Effect.gen(function* () {
    for (let n = 0; n < 50 && refs.size() > most; n++) {
      collect()
      yield* TestClock.withLive(Effect.sleep("5 millis"))
    }
    return refs.size()
  })

describe("mirrored actors", () => {
  it.effect("a mirrored actor shows the same whether it was requested while the session slept or ran a turn", () =>
    Effect.gen(function* () {
      const { actor, id, refs, sessions } = yield* opened
      assert.strictEqual(stateName(actor.getSnapshot()), "idle.asleep")
      yield* sessions.submit(ours, id, { prompt: "hang" })
      yield* untilRunning(id)
      assert.strictEqual(yield* refs.of(ours, id), actor)
      const admins = yield* refs.of({ _tag: "Admin" }, id)
      assert.notStrictEqual(admins, actor)
      assert.deepStrictEqual(admins.getSnapshot().value, actor.getSnapshot().value)
      assert.deepStrictEqual(admins.getSnapshot().context, actor.getSnapshot().context)
    }).pipe(withRuntime())
  )

  it.effect("an inspector of a mirrored actor sees the event of each snapshot", () =>
    Effect.gen(function* () {
      const { actor, id, sessions } = yield* opened
      const events: Array<string> = []
      actor.system.inspect({
        next: (inspected) => void (inspected.type === "@xstate.snapshot" && events.push(inspected.event.type))
      })
      yield* (yield* sessions.submit(ours, id, { prompt: "hello" })).result
      assert.deepStrictEqual(events, ["turn.submitted", "slot.granted", "process.ready", "turn.ended"])
    }).pipe(withRuntime())
  )

  it.effect("a mirrored actor takes what another Troupe stored, when it is told that there is something", () =>
    Effect.gen(function* () {
      const { actor, id } = yield* opened
      const ledger = yield* Ledger
      const { machine } = yield* SessionShared
      const news = yield* News
      const seen = named(actor)
      /** What the other Troupe's actor commits, as far as is read of it. */
      const step = (seq: number, event: SessionEvent) =>
        Effect.gen(function* () {
          const before = restore(machine, yield* ledger.snapshot(id))
          const { next } = decide(machine, before, event)
          const [from, to] = [stateName(before), stateName(next)]
          yield* ledger.write([
            { _tag: "StepAppended", step: { session: id, seq, at: 1, event: { ...event }, from, to, commands: [] } },
            { _tag: "SessionPatched", session: id, patch: { snapshot: machine.getPersistedSnapshot(next) } }
          ])
        })
      const untilSeen = (count: number) =>
        Effect.repeat(TestClock.withLive(Effect.sleep("2 millis")), { until: () => seen.length >= count })
      yield* step(1, { type: "turn.submitted", turn: 1, timeoutMillis: 1_000, queue: false, at: 1 })
      for (let n = 0; n < 3; n++) news.missed(id)
      yield* untilSeen(1)
      yield* step(2, { type: "slot.granted" })
      yield* step(3, { type: "process.ready", thread: "t", at: 1 })
      news.missed(null)
      yield* untilSeen(2)
      yield* step(4, { type: "turn.ended", turn: 1, stopReason: "end_turn", failure: null, at: 1 })
      news.missed(id)
      yield* untilSeen(3)
      assert.deepStrictEqual(seen, ["turning.queued", "turning.running", "idle.awake"])
    }).pipe(withRuntime())
  )

  it.effect("a mirrored actor outlives the session actor's death by a defect", () =>
    Effect.gen(function* () {
      const { actor, id, sessions } = yield* opened
      const seen = named(actor)
      yield* sessions.submit(ours, id, { prompt: "defect" })
      yield* untilBegun(id, "drop")
      // The pause before the supervisor starts the next actor.
      yield* TestClock.adjust("100 millis")
      yield* untilState(id, "idle.asleep")
      assert.strictEqual(seen.at(-1), "idle.asleep")
      yield* (yield* sessions.submit(ours, id, { prompt: "hello" })).result
      assert.strictEqual(stateName(actor.getSnapshot()), "idle.awake")
      assert.strictEqual(actor.getSnapshot().context.turn, 2)
    }).pipe(withRuntime())
  )

  it.effect("an unpark and a close sent to a mirrored actor take effect, with the caller in the audit trail", () =>
    Effect.gen(function* () {
      const script = yield* AgentScript
      const { actor, id, sessions } = yield* opened
      script.start = { failsWith: "no such program" }
      yield* sessions.submit(ours, id, { prompt: "hello" })
      yield* untilState(id, "idle.parked")
      actor.send({ type: "unpark.requested" })
      yield* untilState(id, "idle.asleep")
      assert.strictEqual(stateName(actor.getSnapshot()), "idle.asleep")
      actor.send({ type: "close.requested", reason: "x".repeat(2_000) })
      yield* untilState(id, "closed")
      assert.strictEqual(actor.getSnapshot().status, "done")
      assert.strictEqual(actor.getSnapshot().context.reason.length, 500)
      const close = (yield* sessions.audit(id)).find(({ action }) => action === "close")
      assert.strictEqual(close?.actor, app)
    }).pipe(withRuntime({ restartIntensity: 0 }))
  )

  it.effect("a mirrored actor drops requests beyond its limit, and events that are no requests", () =>
    Effect.gen(function* () {
      const { actor, id, sessions } = yield* opened
      const hanging = yield* sessions.submit(ours, id, { prompt: "hang" })
      yield* untilRunning(id)
      for (let n = 0; n < 5_000; n++) actor.send({ type: "interrupt.requested" })
      for (const type of ["process.gone", "xstate.after.parkFor", "constructor", "toString"]) {
        ;(actor.send as (event: EventObject) => void)({ type })
      }
      // The turn's end stands behind every accepted request in the mailbox.
      assert.strictEqual((yield* hanging.result).turn.status, "interrupted")
      yield* (yield* sessions.submit(ours, id, { prompt: "hello" })).result
      assert.strictEqual(stateName(actor.getSnapshot()), "idle.awake")
    }).pipe(withRuntime())
  )

  it.effect("another app's session has no mirrored actor", () =>
    Effect.gen(function* () {
      const { id, refs } = yield* opened
      assert.strictEqual((yield* Effect.flip(refs.of(theirs, id))).code, "session_not_found")
      assert.strictEqual((yield* Effect.flip(refs.of(ours, "ses_none"))).code, "session_not_found")
    }).pipe(withRuntime())
  )

  it.effect("a mirrored actor is collected when unused, kept while subscribed to, and replaced after a stop", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const refs = yield* SessionActorRefs
      const one = yield* sessions.create(app, {})
      for (let n = 0; n < 100; n++) yield* refs.of(ours, (yield* sessions.create(app, {})).id)
      const seen = named(yield* refs.of(ours, one.id))
      // The one that is subscribed to, and what the fiber's own stack may still hold.
      assert.isAtMost(yield* sizeAfterCollecting(refs, 2), 2)
      yield* (yield* sessions.submit(ours, one.id, { prompt: "hello" })).result
      assert.strictEqual(seen.at(-1), "idle.awake")

      const again = yield* refs.of(ours, one.id)
      again.stop()
      assert.isAtMost(yield* sizeAfterCollecting(refs, 1), 1)
      const fresh = yield* refs.of(ours, one.id)
      assert.notStrictEqual(fresh, again)
      assert.strictEqual(stateName(fresh.getSnapshot()), "idle.awake")
      assert.strictEqual((yield* sessions.get(ours, one.id)).state, "idle")
    }).pipe(withRuntime())
  )
})
