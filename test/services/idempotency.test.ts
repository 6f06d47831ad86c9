/** Idempotency-Key: the first answer again and nothing twice, whichever side disconnects or crashes. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Idempotency } from "../../src/services/Idempotency.ts"
import type { StoredAnswer } from "../../src/services/Idempotency.ts"
import { PoolFull, TurnInProgress, Unavailable } from "../../src/domain/Refusal.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { app, id, otherApp, scratchFile } from "../ledger/samples.ts"

const layerOn = (filename: string) => Idempotency.layer.pipe(Layer.provide(SqliteLedger.layer(filename)))

const onFile = <A, E>(test: (idempotency: Idempotency["Service"]) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const filename = yield* scratchFile
    return yield* Idempotency.use(test).pipe(Effect.provide(layerOn(filename)))
  }).pipe(Effect.scoped)

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

  it.effect("a request whose outcome is unknown never runs again: after a failure, a defect or a crash of Troupe", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      const never = counted()
      const repeated = (key: string) =>
        Effect.map(
          Idempotency.use((idempotency) => Effect.flip(idempotency.once(app, key, "body", never.work))).pipe(
            Effect.provide(layerOn(filename))
          ),
          (error) => [error._tag, error.detail] as const
        )

      yield* Idempotency.use((idempotency) =>
        Effect.gen(function* () {
          const fault = new Unavailable({ operation: "store the turn", cause: new Error("disk full") })
          assert.strictEqual(yield* Effect.flip(idempotency.once(app, "fault", "body", Effect.fail(fault))), fault)
          assert.isTrue(
            Exit.isFailure(yield* Effect.exit(idempotency.once(app, "defect", "body", Effect.die("a bug"))))
          )
        })
      ).pipe(Effect.provide(layerOn(filename)))

      // Troupe stops while the work runs: its scope closes around it.
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(layerOn(filename), scope)
      const { begun, work } = yield* gated()
      const cutOff = Idempotency.use((idempotency) => idempotency.once(app, "crash", "body", work))
      yield* Effect.forkChild(Effect.provideContext(cutOff, context))
      yield* begun
      yield* Scope.close(scope, Exit.void)

      for (const key of ["fault", "defect", "crash"]) {
        const [tag, detail] = yield* repeated(key)
        assert.strictEqual(tag, "Unavailable", key)
        assert.match(detail, /whether the first request .* took effect.*ask again with a new key/)
      }
      assert.strictEqual(never.runs.count, 0)
    }).pipe(Effect.scoped)
  )

  it.effect("a stored answer survives a restart, and expires after a day", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      const { runs, work } = counted()
      const request = Idempotency.use((idempotency) => idempotency.once(app, "key", "body", work)).pipe(
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
