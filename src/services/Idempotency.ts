/**
 * Idempotency-Key: the same key and request from the same app gets the first answer again, and nothing runs twice.
 *
 * A receipt is opened before the work begins and answered after it. The work belongs to the receipt, not to the request:
 * it goes on when the first caller leaves, so that the second one finds an answer. A receipt that stays open (Troupe
 * stopped, or failed on its own account, while the work ran) means that nobody knows whether it took effect; its key is
 * refused from then on, with an error that says so, until it expires. That is the price of never running twice.
 */
import { Clock, Context, Deferred, Effect, Exit, Layer, Option } from "effect"
import type { Scope } from "effect"
import type { AppName } from "../domain/Ids.ts"
import { IdempotencyConflict, Unavailable } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import { unavailable } from "../runtime/errors.ts"

export interface StoredAnswer {
  readonly status: number
  /** JSON text, byte for byte what was sent the first time. */
  readonly body: string
}

export class Idempotency extends Context.Service<
  Idempotency,
  {
    /**
     * Runs `work` once for a key and keeps its answer, whatever its status, for 24 hours. A second call while the first
     * still runs waits for it. A refusal (a failure that has a `status`, `Unavailable` excepted) accepted nothing and is
     * not kept: the caller may try again with the same key. `work` has a deadline of its own and is not interrupted
     * with its caller, so it must not use anything that ends with the request.
     */
    readonly once: <E, R>(
      app: AppName,
      key: string,
      fingerprint: string,
      work: Effect.Effect<StoredAnswer, E, R>
    ) => Effect.Effect<StoredAnswer & { readonly replayed: boolean }, E | IdempotencyConflict | Unavailable, R>
  }
>()("troupe/services/Idempotency") {
  static readonly layer: Layer.Layer<Idempotency, never, Ledger> = Layer.effect(
    Idempotency,
    Effect.suspend(() => make)
  )
}

export const retentionMillis = 24 * 3_600_000

/** Far more than a server has requests at once. */
const inFlightCapacity = 4_096

interface InFlight {
  readonly fingerprint: string
  readonly settled: Deferred.Deferred<StoredAnswer & { readonly replayed: boolean }, unknown>
}

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const scope: Scope.Scope = yield* Effect.scope
  const inFlight = new Map<string, InFlight>()

  /** The answer that the ledger has; `None` where the work is still to be done, and nobody else does it. */
  const open = Effect.fnUntraced(function* (app: AppName, key: string, fingerprint: string) {
    const now = yield* Clock.currentTimeMillis
    const stored = yield* ledger.receipt(app, key)
    const fresh = Option.filter(stored, ({ createdAt }) => createdAt > now - retentionMillis)
    if (Option.isNone(fresh)) {
      yield* ledger.write([
        { _tag: "ReceiptForgotten", app, key },
        { _tag: "ReceiptOpened", receipt: { app, key, fingerprint, createdAt: now, response: null } }
      ])
      return Option.none<StoredAnswer>()
    }
    if (fresh.value.fingerprint !== fingerprint) return yield* new IdempotencyConflict({ key })
    return Option.some(fresh.value.response ?? (yield* unknownOutcome(key)))
  }, unavailable)

  /** What came of the work, for the next one who asks. */
  const close = <E>(app: AppName, key: string, exit: Exit.Exit<StoredAnswer, E>): Effect.Effect<void, LedgerError> => {
    if (Exit.isSuccess(exit)) {
      const { body, status } = exit.value
      return ledger.write([{ _tag: "ReceiptAnswered", app, key, response: { status, body } }])
    }
    const refusal = Exit.findErrorOption(exit)
    return Option.isSome(refusal) && acceptedNothing(refusal.value)
      ? ledger.write([{ _tag: "ReceiptForgotten", app, key }])
      : Effect.void
  }

  const first = Effect.fnUntraced(function* <E, R>(
    app: AppName,
    key: string,
    fingerprint: string,
    work: Effect.Effect<StoredAnswer, E, R>
  ) {
    const stored = yield* open(app, key, fingerprint)
    if (Option.isSome(stored)) return { ...stored.value, replayed: true }
    const exit = yield* Effect.exit(work)
    // The work is done either way: what can't be noted of it costs the next caller the answer, not this one.
    yield* close(app, key, exit).pipe(
      Effect.catch((error) => Effect.logWarning("An answer could not be kept for its Idempotency-Key", error))
    )
    return { ...(yield* exit), replayed: false }
  })

  const once = Effect.fn("Receipts.once")(function* <E, R>(
    app: AppName,
    key: string,
    fingerprint: string,
    work: Effect.Effect<StoredAnswer, E, R>
  ) {
    const name = `${app} ${key}`
    const running = inFlight.get(name)
    if (running !== undefined) {
      if (running.fingerprint !== fingerprint) return yield* new IdempotencyConflict({ key })
      // It carries what the same work of the first caller may fail with.
      const settled = running.settled as Deferred.Deferred<StoredAnswer & { readonly replayed: boolean }, E>
      return { ...(yield* Deferred.await(settled)), replayed: true }
    }
    if (inFlight.size >= inFlightCapacity) {
      return yield* new Unavailable({
        operation: "take another request with an Idempotency-Key now",
        cause: new Error(`${inFlightCapacity} of them are in work`)
      })
    }
    // In one step: a caller that is interrupted here must not leave a key that is in work for ever.
    const settled = yield* Effect.gen(function* () {
      const settled = yield* Deferred.make<
        StoredAnswer & { readonly replayed: boolean },
        E | IdempotencyConflict | Unavailable
      >()
      inFlight.set(name, { fingerprint, settled: settled as InFlight["settled"] })
      yield* first(app, key, fingerprint, work).pipe(
        Effect.onExit((exit) => {
          inFlight.delete(name)
          return Deferred.done(settled, exit)
        }),
        Effect.exit,
        Effect.forkIn(scope)
      )
      return settled
    }).pipe(Effect.uninterruptible)
    return yield* Deferred.await(settled)
  })

  return Idempotency.of({ once })
})

/** Every refusal was given before anything began, but for `Unavailable`: a fault of ours may strike at any time. */
const acceptedNothing = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "status" in error && !(error instanceof Unavailable)

const unknownOutcome = (key: string) =>
  new Unavailable({
    operation:
      "tell whether the first request with this Idempotency-Key took effect: it was cut off. " +
      "Look at what the app's sessions have, then ask again with a new key",
    cause: new Error(`The receipt ${JSON.stringify(key)} was never answered`)
  })
