/** Idempotency-Key: the first answer again and nothing twice, whichever side disconnects or crashes. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Latch, Layer, Option, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Idempotency } from "../../src/services/Idempotency.ts"
import type { KeyedRequest, ReceiptEffect, StoredAnswer } from "../../src/services/Idempotency.ts"
import type { AppName } from "../../src/domain/Ids.ts"
import { PoolFull, TurnInProgress, Unavailable } from "../../src/domain/Refusal.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { unavailable } from "../../src/runtime/errors.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { app, id, otherApp, scratchFile } from "../ledger/samples.ts"

const layerOn = (filename: string) => Idempotency.layer.pipe(Layer.provideMerge(SqliteLedger.layer(filename)))

const onFile = <A, E>(test: (idempotency: OnceOf) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const filename = yield* scratchFile
    return yield* Idempotency.use((idempotency) => test(onceOf(idempotency))).pipe(Effect.provide(layerOn(filename)))
  }).pipe(Effect.scoped)

/** Requests whose work has no effect that the ledger keeps. */
const onceOf = (idempotency: Idempotency["Service"]) => ({
  once: <E>(app: AppName, key: string, fingerprint: string, work: Effect.Effect<StoredAnswer, E>) =>
    idempotency.once(
      { app, key, fingerprint },
      { begin: () => work, resume: () => Effect.die(new Error("there is nothing to resume")) }
    )
})
type OnceOf = ReturnType<typeof onceOf>

/** Work that counts how often it ran. */
const counted = <E = never>(
  outcome: Effect.Effect<StoredAnswer, E> = Effect.succeed({ status: 200, body: '{"n":1}' })
) => {
  const runs = { count: 0 }
  return { runs, work: Effect.suspend(() => (runs.count++, outcome)) }
}

/** Work that reports its beginning and ends when `end` runs. */
const gated = <E = never>(outcome: Effect.Effect<StoredAnswer, E> = Effect.succeed({ status: 200, body: "1" })) =>
  Effect.gen(function* () {
    const begun = yield* Deferred.make<void>()
    const mayEnd = yield* Deferred.make<void>()
    const waiting = Deferred.succeed(begun, undefined).pipe(
      Effect.andThen(Deferred.await(mayEnd)),
      Effect.andThen(outcome)
    )
    return { ...counted(waiting), begun: Deferred.await(begun), end: Deferred.succeed(mayEnd, undefined) }
  })

const full = new PoolFull({ what: "processes", limit: 8, retryAfterSeconds: 5 })

describe("a request with a key", () => {
  it.effect("a repeated request runs once and gets the first answer again, a failure included", () =>
    onFile((idempotency) =>
      Effect.gen(function* () {
        const { runs, work } = counted(Effect.succeed({ status: 502, body: '{"ok":false, "partial":true}' }))
        const first = yield* idempotency.once(app, "key", "body", work)
        const again = yield* idempotency.once(app, "key", "body", work)
        assert.deepStrictEqual(first, { status: 502, body: '{"ok":false, "partial":true}', replayed: false })
        assert.deepStrictEqual(again, { ...first, replayed: true })
        assert.strictEqual(runs.count, 1)
      })
    )
  )

  it.effect("requests with different keys or of different apps all run", () =>
    onFile((idempotency) =>
      Effect.gen(function* () {
        const { runs, work } = counted()
        yield* idempotency.once(app, "key", "body", work)
        yield* idempotency.once(app, "other", "body", work)
        yield* idempotency.once(otherApp, "key", "body", work)
        assert.strictEqual(runs.count, 3)
      })
    )
  )

  it.effect("a request with a used key and another body is refused, during the first and after it", () =>
    onFile((idempotency) =>
      Effect.gen(function* () {
        const { begun, end, runs, work } = yield* gated()
        const first = yield* Effect.forkChild(idempotency.once(app, "key", "body", work))
        yield* begun
        const during = yield* Effect.flip(idempotency.once(app, "key", "another", work))
        yield* end
        yield* Fiber.join(first)
        const after = yield* Effect.flip(idempotency.once(app, "key", "another", work))
        assert.deepStrictEqual([during._tag, after._tag], ["IdempotencyConflict", "IdempotencyConflict"])
        assert.strictEqual(runs.count, 1)
      })
    )
  )

  it.effect("a repeated request waits for the first while that runs", () =>
    onFile((idempotency) =>
      Effect.gen(function* () {
        const { begun, end, runs, work } = yield* gated()
        const request = idempotency.once(app, "key", "body", work).pipe(Effect.map(({ replayed }) => replayed))
        const all = yield* Effect.forkChild(
          Effect.all(
            Array.from({ length: 20 }, () => request),
            { concurrency: "unbounded" }
          )
        )
        yield* begun
        yield* end
        assert.deepStrictEqual(yield* Fiber.join(all), [false, ...Array.from({ length: 19 }, () => true)])
        assert.strictEqual(runs.count, 1)
      })
    )
  )

  it.effect("the work goes on when its caller disconnects, and the next request gets its answer", () =>
    onFile((idempotency) =>
      Effect.gen(function* () {
        const { begun, end, runs, work } = yield* gated()
        const first = yield* Effect.forkChild(idempotency.once(app, "key", "body", work))
        yield* begun
        yield* Fiber.interrupt(first)
        const second = yield* Effect.forkChild(idempotency.once(app, "key", "body", work))
        yield* end
        assert.deepStrictEqual(yield* Fiber.join(second), { status: 200, body: "1", replayed: true })
        assert.strictEqual(runs.count, 1)
      })
    )
  )

  it.effect("a refused request may be repeated with the same key", () =>
    onFile((idempotency) =>
      Effect.gen(function* () {
        for (const refusal of [full, new TurnInProgress({ id, turn: 1 })]) {
          const refused = counted(Effect.fail(refusal))
          assert.strictEqual(yield* Effect.flip(idempotency.once(app, refusal._tag, "body", refused.work)), refusal)
          const { runs, work } = counted()
          assert.isFalse((yield* idempotency.once(app, refusal._tag, "body", work)).replayed)
          assert.deepStrictEqual([refused.runs.count, runs.count], [1, 1])
        }
      })
    )
  )

  it.effect("a refusal reaches every request that waits for it", () =>
    onFile((idempotency) =>
      Effect.gen(function* () {
        const { begun, end, runs, work } = yield* gated(Effect.fail(full))
        const request = Effect.flip(idempotency.once(app, "key", "body", work))
        const all = yield* Effect.forkChild(Effect.all([request, request], { concurrency: "unbounded" }))
        yield* begun
        yield* end
        assert.deepStrictEqual(yield* Fiber.join(all), [full, full])
        assert.strictEqual(runs.count, 1)
      })
    )
  )

  it.effect(
    "an accepted request never runs again: after a failure, a defect or a crash its effect gives the answer",
    () =>
      Effect.gen(function* () {
        const filename = yield* scratchFile
        const effect = { _tag: "SessionCreated", session: id } as const
        const request = (key: string) => ({ app, key, fingerprint: "body" })
        /** Stores the receipt, as the transaction that creates a session does, and goes on as told. */
        const accepting =
          <E>(then: Effect.Effect<StoredAnswer, E>) =>
          (keyed: KeyedRequest) =>
            Ledger.use((ledger) =>
              ledger.write([{ _tag: "ReceiptOpened", receipt: { ...keyed, createdAt: 0, effect, response: null } }])
            ).pipe(Effect.orDie, Effect.andThen(then))
        const resume = () => Effect.die(new Error("there is nothing to resume yet"))

        yield* Effect.gen(function* () {
          const idempotency = yield* Idempotency
          const fault = new Unavailable({ operation: "read what came of the turn", cause: new Error("disk full") })
          const failing = { begin: accepting(Effect.fail(fault)), resume }
          assert.strictEqual(yield* Effect.flip(idempotency.once(request("fault"), failing)), fault)
          const dying = { begin: accepting(Effect.die("a bug")), resume }
          assert.isTrue(Exit.isFailure(yield* Effect.exit(idempotency.once(request("defect"), dying))))
        }).pipe(Effect.provide(layerOn(filename)))

        // Troupe stops while the work runs: its scope closes around it.
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(layerOn(filename), scope)
        const { begun, work } = yield* gated()
        const cutOff = Idempotency.use((idempotency) =>
          idempotency.once(request("crash"), { begin: accepting(work), resume })
        )
        yield* Effect.forkChild(Effect.provideContext(cutOff, context))
        yield* begun
        yield* Scope.close(scope, Exit.void)

        yield* Effect.gen(function* () {
          const idempotency = yield* Idempotency
          for (const key of ["fault", "defect", "crash"]) {
            const resumed: Array<ReceiptEffect> = []
            const again = {
              begin: () => Effect.die(new Error("it ran twice")),
              resume: (found: ReceiptEffect) =>
                Effect.sync(() => (resumed.push(found), { status: 502, body: '{"turn_index":3}' }))
            }
            const answer = { status: 502, body: '{"turn_index":3}', replayed: true }
            assert.deepStrictEqual(yield* idempotency.once(request(key), again), answer, key)
            // The second time the answer is stored.
            assert.deepStrictEqual(yield* idempotency.once(request(key), again), answer, key)
            assert.deepStrictEqual(resumed, [effect], key)
          }
        }).pipe(Effect.provide(layerOn(filename)))
      }).pipe(Effect.scoped)
  )

  it.live("what another node accepted first is answered by both, whatever refused the second", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      const effect = { _tag: "SessionCreated", session: id } as const
      const begins = { count: 0 }
      /** Accepts it when both have begun; the second is refused in one way or the other. */
      const node = (key: string, both: Effect.Effect<void>, refused: PoolFull | null) =>
        Idempotency.use((idempotency) =>
          idempotency.once(
            { app, key, fingerprint: "body" },
            {
              begin: (keyed) =>
                Ledger.use((ledger) =>
                  Effect.gen(function* () {
                    begins.count++
                    yield* both
                    if (refused !== null) {
                      const accepted = Effect.map(ledger.receipt(app, key), Option.isSome)
                      yield* Effect.repeat(Effect.andThen(Effect.sleep(5), accepted), { until: (is) => is })
                      return yield* refused
                    }
                    const receipt = { ...keyed, createdAt: Date.now(), effect, response: null }
                    yield* unavailable(ledger.write([{ _tag: "ReceiptOpened", receipt }]))
                    return { status: 200, body: `{"session":"${id}"}` }
                  })
                ),
              resume: (found) =>
                Effect.succeed({
                  status: 200,
                  body: JSON.stringify({ session: found._tag === "SessionCreated" && found.session })
                })
            }
          )
        ).pipe(Effect.provide(layerOn(filename)))
      for (const [key, refused] of [
        ["stored", null],
        ["refused", full]
      ] as const) {
        const latch = yield* Latch.make()
        const before = begins.count
        const both = yield* Effect.forkChild(
          Effect.all([node(key, latch.await, null), node(key, latch.await, refused)], { concurrency: "unbounded" })
        )
        yield* Effect.repeat(Effect.sleep(5), { until: () => begins.count === before + 2 })
        yield* latch.open
        const answers = yield* Fiber.join(both)
        assert.deepStrictEqual(answers.map(({ replayed }) => replayed).sort(), [false, true], key)
        for (const { body, status } of answers) assert.deepStrictEqual([status, body], [200, `{"session":"${id}"}`])
      }
    }).pipe(Effect.scoped)
  )

  it.effect("a request that was cut off before it was accepted runs when it is repeated", () =>
    onFile((idempotency) =>
      Effect.gen(function* () {
        const fault = new Unavailable({ operation: "store the turn", cause: new Error("disk full") })
        assert.strictEqual(yield* Effect.flip(idempotency.once(app, "key", "body", Effect.fail(fault))), fault)
        const { runs, work } = counted()
        const { replayed } = yield* idempotency.once(app, "key", "body", work)
        assert.deepStrictEqual([replayed, runs.count], [false, 1])
      })
    )
  )

  it.effect("a receipt of Troupe 0.1.0 that was never answered is refused, because its effect is not known", () =>
    Effect.gen(function* () {
      const receipt = { app, key: "key", fingerprint: "body", createdAt: 0, effect: null, response: null }
      yield* Ledger.use((ledger) => ledger.write([{ _tag: "ReceiptOpened", receipt }]))
      const { runs, work } = counted()
      const refusal = yield* Effect.flip(onceOf(yield* Idempotency).once(app, "key", "body", work))
      assert.deepStrictEqual([refusal._tag, runs.count], ["IdempotencyUnknown", 0])
    }).pipe(Effect.provide(layerOn(":memory:")))
  )

  it.effect("a stored answer survives a restart, and expires after a day", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      const { runs, work } = counted()
      const request = Idempotency.use((idempotency) => onceOf(idempotency).once(app, "key", "body", work)).pipe(
        Effect.map(({ replayed }) => replayed),
        (request) => Effect.provide(request, layerOn(filename))
      )
      assert.isFalse(yield* request)
      yield* TestClock.adjust("23 hours")
      assert.isTrue(yield* request)
      yield* TestClock.adjust("1 hour")
      assert.isFalse(yield* request)
      assert.strictEqual(runs.count, 2)
    }).pipe(Effect.scoped)
  )
})
