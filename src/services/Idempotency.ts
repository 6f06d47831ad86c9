/**
 * Idempotency-Key: a repeated request of the same app with the same key gets the first answer again; nothing runs twice.
 *
 * A receipt, the ledger's row for a key, is opened before the work begins and answered after it. The work is not bound to
 * the request: it continues when the first caller disconnects, so that a second call gets its answer. A receipt that stays
 * open (Troupe stopped or failed while the work ran) means that it is unknown whether the work took effect. Its key is
 * then refused with an error that says so, until it expires: that is the price of never running twice.
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
     * Runs `work` once for a key and stores its answer, whatever its status, for 24 hours. A second call while the work
     * still runs waits for it. A refusal (a failure that has a `status`, `Unavailable` excepted) has changed nothing and
     * is not stored: the caller may try again with the same key. `work` has a deadline of its own and is not interrupted
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

/** Far more than a server has requests in progress. */
const inFlightCapacity = 4_096

interface InFlight {
  readonly fingerprint: string
  readonly settled: Deferred.Deferred<StoredAnswer & { readonly replayed: boolean }, unknown>
}

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const scope: Scope.Scope = yield* Effect.scope
  const inFlight = new Map<string, InFlight>()

  /** The stored answer; `None`: the receipt was opened, and the caller must run the work. */
  const open = Effect.fnUntraced(function* (app: AppName, key: string, fingerprint: string) {
    const now = yield* Clock.currentTimeMillis
    const stored = yield* ledger.receipt(app, key)
    const unexpired = Option.filter(stored, ({ createdAt }) => createdAt > now - retentionMillis)
    if (Option.isNone(unexpired)) {
      yield* ledger.write([
        { _tag: "ReceiptForgotten", app, key },
        { _tag: "ReceiptOpened", receipt: { app, key, fingerprint, createdAt: now, response: null } }
      ])
      return Option.none<StoredAnswer>()
    }
    if (unexpired.value.fingerprint !== fingerprint) return yield* new IdempotencyConflict({ key })
    return Option.some(unexpired.value.response ?? (yield* unknownOutcome(key)))
  }, unavailable)

  /** Stores the work's answer in the receipt, or removes the receipt of a refusal. */
  const close = <E>(app: AppName, key: string, exit: Exit.Exit<StoredAnswer, E>): Effect.Effect<void, LedgerError> => {
    if (Exit.isSuccess(exit)) {
      const { body, status } = exit.value
      return ledger.write([{ _tag: "ReceiptAnswered", app, key, response: { status, body } }])
    }
    const refusal = Exit.findErrorOption(exit)
    return Option.isSome(refusal) && changedNothing(refusal.value)
      ? ledger.write([{ _tag: "ReceiptForgotten", app, key }])
      : Effect.void
  }

  const answerFirst = Effect.fnUntraced(function* <E, R>(
    app: AppName,
    key: string,
    fingerprint: string,
    work: Effect.Effect<StoredAnswer, E, R>
  ) {
    const stored = yield* open(app, key, fingerprint)
    if (Option.isSome(stored)) return { ...stored.value, replayed: true }
    const exit = yield* Effect.exit(work)
    // The work is done either way: where its answer can't be stored, the next caller misses it, not this one.
    yield* close(app, key, exit).pipe(
      Effect.catch((error) => Effect.logWarning("An answer could not be kept for its Idempotency-Key", error))
    )
    return { ...(yield* exit), replayed: false }
  })

  const once = Effect.fn("Idempotency.once")(function* <E, R>(
    app: AppName,
    key: string,
    fingerprint: string,
    work: Effect.Effect<StoredAnswer, E, R>
  ) {
    const name = `${app} ${key}`
    const running = inFlight.get(name)
    if (running !== undefined) {
      if (running.fingerprint !== fingerprint) return yield* new IdempotencyConflict({ key })
      // Both callers have the same work, so `E` is the same.
      const settled = running.settled as Deferred.Deferred<StoredAnswer & { readonly replayed: boolean }, E>
      return { ...(yield* Deferred.await(settled)), replayed: true }
    }
    if (inFlight.size >= inFlightCapacity) {
      return yield* new Unavailable({
        operation: "take another request with an Idempotency-Key now",
        cause: new Error(`${inFlightCapacity} of them are in work`)
      })
    }
    // Uninterruptible: a caller that is interrupted here must not leave its key in `inFlight` for ever.
    const settled = yield* Effect.gen(function* () {
      const settled = yield* Deferred.make<
        StoredAnswer & { readonly replayed: boolean },
        E | IdempotencyConflict | Unavailable
      >()
      inFlight.set(name, { fingerprint, settled: settled as InFlight["settled"] })
      yield* answerFirst(app, key, fingerprint, work).pipe(
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

/** A refusal comes before any work began. `Unavailable` does not: a failure of our own can come at any time. */
const changedNothing = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "status" in error && !(error instanceof Unavailable)

const unknownOutcome = (key: string) =>
  new Unavailable({
    operation:
      "tell whether the first request with this Idempotency-Key took effect: it was cut off. " +
      "Look at what the app's sessions have, then ask again with a new key",
    cause: new Error(`The receipt ${JSON.stringify(key)} was never answered`)
  })
