/** A submission that comes again leads to its turn: whatever runs meanwhile, whoever died, and never to a second one. */
import { assert, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Sessions } from "../../src/services/Sessions.ts"
import type { SubmitTurn } from "../../src/services/Sessions.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { SessionHost } from "../../src/supervision/SessionHost.ts"
import { scratch } from "../ledger/samples.ts"
import {
  app,
  ours,
  retire,
  runtimeIn,
  scriptLayer,
  untilRunning,
  untilState,
  whileTimePasses,
  withRuntime
} from "./harness.ts"

const submission = { id: "mine", fingerprint: "f" }

const submit = (id: SessionId, turn: Omit<SubmitTurn, "submission">, named = submission) =>
  Effect.flatMap(Sessions, (sessions) => sessions.submit(ours, id, { ...turn, submission: named }))

const turnsOf = (id: SessionId) => Effect.flatMap(Ledger, (ledger) => ledger.turns(id, 0, 10))

const newSession = Effect.flatMap(Sessions, (sessions) => Effect.map(sessions.create(app, {}), ({ id }) => id))

it.effect(
  "a submission that comes again while its turn runs, and after its end, has that turn's events and result",
  () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const id = yield* newSession
      yield* (yield* sessions.submit(ours, id, { prompt: "hello" })).result
      const first = yield* submit(id, { prompt: "hang" })
      yield* untilRunning(id)
      const second = yield* submit(id, { prompt: "hang" })
      assert.deepStrictEqual([first.index, first.isKnown, second.index, second.isKnown], [2, false, 2, true])
      const both = yield* Effect.forkChild(
        Effect.all(
          [first, second].flatMap(({ events, result }) => [result, Stream.runCollect(events)]),
          {
            concurrency: "unbounded"
          }
        )
      )
      assert.isTrue(yield* second.interrupt)
      const [one, events, other, again] = yield* whileTimePasses(both)
      assert.deepStrictEqual([one, events], [other, again])
      const third = yield* submit(id, { prompt: "hang" })
      assert.deepStrictEqual([yield* third.result, yield* Stream.runCollect(third.events)], [one, events])
      assert.isFalse(yield* third.interrupt)
      assert.lengthOf(yield* turnsOf(id), 2)
    }).pipe(withRuntime())
)

it.effect("of many at once one begins the turn", () =>
  Effect.gen(function* () {
    const id = yield* newSession
    const all = yield* Effect.all(
      Array.from({ length: 20 }, () => submit(id, { prompt: "hello", queue: true })),
      { concurrency: "unbounded" }
    )
    assert.deepStrictEqual(
      all.map(({ index }) => index),
      all.map(() => 1)
    )
    assert.lengthOf(
      all.filter(({ isKnown }) => !isKnown),
      1
    )
    for (const { result } of all) assert.strictEqual((yield* result).turn.status, "completed")
    assert.lengthOf(yield* turnsOf(id), 1)
  }).pipe(withRuntime())
)

it.effect("another request under the same name is refused, also where the two meet at the session's owner", () =>
  Effect.gen(function* () {
    const id = yield* newSession
    const other = { ...submission, fingerprint: "g" }
    const asked = [submit(id, { prompt: "hello" }), submit(id, { prompt: "hi" }, other)].map(Effect.result)
    const [one, two] = yield* Effect.all(asked, { concurrency: "unbounded" })
    assert.deepStrictEqual([one?._tag, two?._tag], ["Success", "Failure"])
    for (const refused of [
      two?._tag === "Failure" ? two.failure : null,
      yield* Effect.flip(submit(id, { prompt: "hi" }, other))
    ]) {
      assert.deepInclude({ ...refused, code: refused?.code }, { code: "idempotency_conflict", key: "mine" })
    }
    // In another session it is another submission.
    assert.isFalse((yield* submit(yield* newSession, { prompt: "hi" }, other)).isKnown)
    assert.lengthOf(yield* turnsOf(id), 1)
  }).pipe(withRuntime())
)

it.effect("its turn is found by the next Troupe, in a session that is closed, and without its files", () =>
  Effect.gen(function* () {
    const directory = yield* scratch
    // Refused where it begins a turn: the agent has the conversation then.
    const turn = { prompt: "hang", messages: [{ role: "user", content: "earlier" }], onlyFresh: true } as const
    const id = yield* Effect.gen(function* () {
      const id = yield* newSession
      yield* submit(id, turn)
      yield* untilRunning(id)
      return id
    }).pipe(Effect.provide(runtimeIn(directory)))
    yield* Effect.gen(function* () {
      const sessions = yield* Sessions
      yield* untilState(id, "idle.asleep")
      const again = yield* submit(id, turn)
      const { turn: ended } = yield* again.result
      assert.deepStrictEqual([again.isKnown, ended.index, ended.failure?.class], [true, 1, "outcome_unknown"])
      yield* sessions.close(ours, id)
      assert.strictEqual((yield* (yield* submit(id, turn)).result).turn.index, 1)
      assert.lengthOf(yield* turnsOf(id), 1)
    }).pipe(Effect.provide(runtimeIn(directory)))
  }).pipe(Effect.provide(scriptLayer), Effect.scoped)
)

it.effect("a turn that never got a slot is no turn of it: the next one may begin", () =>
  Effect.gen(function* () {
    const [busy, id] = [yield* newSession, yield* newSession]
    const sessions = yield* Sessions
    yield* sessions.submit(ours, busy, { prompt: "hang" })
    yield* untilRunning(busy)
    const refused = yield* submit(id, { prompt: "hello" })
    const ended = yield* Effect.forkChild(refused.result)
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual((yield* whileTimePasses(ended)).turn.failure?.class, "pool_full")
    yield* sessions.interrupt(ours, busy)
    yield* Effect.forkChild(sessions.close(ours, busy))
    yield* retire(busy, "closed")
    const next = yield* submit(id, { prompt: "hello" })
    assert.deepStrictEqual([next.index, next.isKnown], [2, false])
    assert.strictEqual((yield* next.result).turn.status, "completed")
  }).pipe(withRuntime({ maxProcesses: 1 }))
)

it.effect(
  "a submission without a name of the app has one of Troupe's, by which it is found where it is sent again",
  () =>
    Effect.gen(function* () {
      const host = yield* SessionHost
      const id = yield* newSession
      const name = { id: "sub_1", fingerprint: null }
      const turn = { prompt: "hello", timeoutMillis: 60_000, queue: true, name }
      const first = yield* host.submit({ session: id, by: "ours", turn })
      assert.deepInclude(first, { turn: 1, isKnown: false, isOpen: true })
      // As whoever had no answer does, because the owner's machine died.
      const again = yield* host.submit({ session: id, by: "ours", turn: { ...turn, mayBeKnown: true } })
      assert.deepInclude(again, { turn: 1, isKnown: true })
      // An app can't guess its way to it.
      assert.strictEqual(
        (yield* Effect.flip(submit(id, { prompt: "hello" }, { id: "sub_1", fingerprint: "f" })))._tag,
        "IdempotencyConflict"
      )
      assert.lengthOf(yield* turnsOf(id), 1)
    }).pipe(withRuntime())
)
