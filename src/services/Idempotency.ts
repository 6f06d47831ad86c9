/**
 * Idempotency-Key: a repeated request of the same app with the same key gets the first answer again; nothing runs twice.
 *
 * A receipt, the ledger's row for a key, is inserted by the transaction that accepts the request: with the session's row,
 * or with the lease of a one-shot run. So whatever crashes, there is a receipt exactly where there is an effect. A key
 * without a receipt has done nothing, and its request may run; a receipt without an answer belongs to a request that was cut
 * off, and its answer is taken from what came of its effect. A second effect for a key fails on the receipt's primary key:
 * another node was quicker, and the request is answered with what comes of that one's effect.
 * A turn's key is in its own row, where a repeated submission finds it: only its answer is kept here.
 *
 * The work is not bound to the request: it continues when the first caller disconnects, so that a second call gets its
 * answer.
 */
import { Clock, Context, Deferred, Effect, Exit, Layer, Option, Schedule } from "effect"
import type { Scope } from "effect"
import { IdempotencyConflict, IdempotencyUnknown, Unavailable } from "../domain/Refusal.ts"
import { Ledger, LedgerError } from "../ledger/Ledger.ts"
import type { KeyedRequest, ReceiptEffect, ReceiptRecord } from "../ledger/Ledger.ts"
import { causesOf } from "../domain/causes.ts"
import { unavailable } from "../runtime/errors.ts"

export type { KeyedRequest, ReceiptEffect } from "../ledger/Ledger.ts"

export interface StoredAnswer {
  readonly status: number
  /** JSON text, byte for byte what was sent the first time. */
  readonly body: string
}

export interface Answer extends StoredAnswer {
  /** The answer of an earlier request with the same key, or of one that still ran. */
  readonly replayed: boolean
}

/** The work of a request with a key. */
export interface KeyedWork<E, F, R> {
  /**
   * Accepts the request, storing `request` as its receipt in the same transaction, and answers it. Work that finds by itself
   * what came of an earlier request with the key stores none, and says so: `replayed`.
   */
  readonly begin: (request: KeyedRequest) => Effect.Effect<StoredAnswer & Partial<Answer>, E, R>
  /** The answer from what came of the effect, which an earlier Troupe accepted. Waits where it is still in progress. */
  readonly resume: (effect: ReceiptEffect) => Effect.Effect<StoredAnswer, F, R>
  /**
   * Returns when no living node works on the effect any more, and the answer of one that did is stored. Absent: the
   * effect is all there in its receipt's commit.
   */
  readonly over?: (effect: ReceiptEffect) => Effect.Effect<void, F, R>
  /** Called as soon as it is known that the answer will be an earlier request's. */
  readonly onReplay?: () => void
}

type Refused = IdempotencyConflict | IdempotencyUnknown | Unavailable

export class Idempotency extends Context.Service<
  Idempotency,
  {
    /**
     * Runs the work once for a key and stores its answer, whatever its status, for 24 hours. A second call while the work
     * still runs waits for it. A refusal has changed nothing and is not stored: the caller may try again with the same
     * key. The work has a deadline of its own and is not interrupted with its caller, so it must not use anything that
     * ends with the request.
     */
    readonly once: <E, F, R>(
      request: KeyedRequest,
      work: KeyedWork<E, F, R>
    ) => Effect.Effect<Answer, E | F | Refused, R>
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

/** Another node that accepts the request with the same key has done so, or failed, before the last attempt. */
const acceptsSoon = Schedule.max([Schedule.spaced("100 millis"), Schedule.recurs(100)])
/** How often the answer is looked for that another node is to store. */
const lookAgainEvery = "500 millis"

interface InFlight {
  readonly fingerprint: string
  readonly settled: Deferred.Deferred<Answer, unknown>
}

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const scope: Scope.Scope = yield* Effect.scope
  const inFlight = new Map<string, InFlight>()

  /** The receipt of the key; `None`: the request has done nothing so far. */
  const find = Effect.fnUntraced(function* ({ app, fingerprint, key }: KeyedRequest) {
    const receipt = yield* ledger.receipt(app, key)
    if (Option.isNone(receipt)) return receipt
    if (receipt.value.createdAt <= (yield* Clock.currentTimeMillis) - retentionMillis) {
      yield* ledger.write([{ _tag: "ReceiptForgotten", receipt: receipt.value }])
      return Option.none()
    }
    return receipt.value.fingerprint === fingerprint ? receipt : yield* new IdempotencyConflict({ key })
  }, unavailable)

  /** Stores the answer, and returns what is stored: the first one, where another node has stored its own meanwhile. */
  const keep = Effect.fnUntraced(function* (request: KeyedRequest, { body, status }: StoredAnswer) {
    const answer = { status, body }
    const at = yield* Clock.currentTimeMillis
    return yield* ledger.write([{ _tag: "ReceiptAnswered", request, at, response: answer }]).pipe(
      Effect.as(answer),
      Effect.catch(
        Effect.fnUntraced(function* (error) {
          if (error.kind !== "unmet") return yield* error
          const receipt = yield* ledger.receipt(request.app, request.key)
          return Option.getOrUndefined(receipt)?.response ?? answer
        })
      ),
      // The work is done either way: where its answer can't be stored, the next caller takes it from the effect again.
      Effect.catch((error) =>
        Effect.as(Effect.logWarning("An answer could not be kept for its Idempotency-Key", error), answer)
      )
    )
  })

  const answered = (request: KeyedRequest) =>
    find(request).pipe(
      Effect.repeat({
        schedule: Schedule.spaced(lookAgainEvery),
        until: (receipt) => Option.getOrUndefined(receipt)?.response !== null
      })
    )

  /** The answer of an earlier request, or from what came of its effect. */
  const follow = Effect.fnUntraced(function* <E, F, R>(
    request: KeyedRequest,
    found: ReceiptRecord,
    work: KeyedWork<E, F, R>
  ) {
    const { effect } = found
    if (found.response !== null || effect !== null) work.onReplay?.()
    if (found.response !== null) return { ...found.response, replayed: true }
    if (effect === null) return yield* new IdempotencyUnknown({ key: request.key })
    if (work.over !== undefined) {
      yield* Effect.raceFirst(Effect.asVoid(answered(request)), work.over(effect))
      const { response = null } = Option.getOrUndefined(yield* find(request)) ?? {}
      if (response !== null) return { ...response, replayed: true }
    }
    const answer: StoredAnswer = yield* Effect.tapError(work.resume(effect), (refusal) =>
      // Its effect came to nothing: the key may be used again.
      changedNothing(refusal)
        ? Effect.ignore(ledger.write([{ _tag: "ReceiptForgotten", receipt: found }]), { log: "Warn" })
        : Effect.void
    )
    return { ...(yield* keep(request, answer)), replayed: true }
  })

  const attempt = Effect.fnUntraced(function* <E, F, R>(request: KeyedRequest, work: KeyedWork<E, F, R>) {
    const before = yield* find(request)
    if (Option.isSome(before)) return yield* follow(request, before.value, work)
    const exit: Exit.Exit<StoredAnswer & Partial<Answer>, E> = yield* Effect.exit(work.begin(request))
    if (Exit.isFailure(exit)) {
      const refusal = Exit.findErrorOption(exit)
      // What refuses it may be what another node's request with the key has brought about.
      if (Option.exists(refusal, (error) => changedNothing(error) || isRepeated(error))) {
        const meanwhile = yield* find(request).pipe(Effect.catchTag("Unavailable", () => Effect.succeedNone))
        if (Option.isSome(meanwhile)) return yield* follow(request, meanwhile.value, work)
        // It is about to be stored.
        if (Option.exists(refusal, isRepeated)) return null
      }
      return yield* Effect.failCause(exit.cause)
    }
    const { replayed = false, ...answer } = exit.value
    return { ...(yield* keep(request, answer)), replayed }
  })

  const answerOf = Effect.fnUntraced(function* <E, F, R>(request: KeyedRequest, work: KeyedWork<E, F, R>) {
    const answer = yield* attempt(request, work).pipe(
      Effect.repeat({ schedule: acceptsSoon, until: (answer) => answer !== null })
    )
    if (answer !== null) return answer
    const cause = new Error("another node accepts a request with its Idempotency-Key, and does not end")
    return yield* new Unavailable({ operation: "take the request", cause })
  })

  /** Enters the request, and starts its work where no other request with its key is in work. Gives the answer to wait for. */
  const enter = <E, F, R>(request: KeyedRequest, work: KeyedWork<E, F, R>) =>
    Effect.suspend((): Effect.Effect<Effect.Effect<Answer, E | F | Refused>, IdempotencyConflict | Unavailable, R> => {
      // Synchronous on purpose: no other request may come between the look and the entry.
      const { app, fingerprint, key } = request
      const name = `${app} ${key}`
      const running = inFlight.get(name)
      if (running !== undefined) {
        if (running.fingerprint !== fingerprint) return Effect.fail(new IdempotencyConflict({ key }))
        // Both callers have the same work, so `E` is the same.
        const settled = running.settled as Deferred.Deferred<Answer, E | F | Refused>
        work.onReplay?.()
        return Effect.succeed(Effect.map(Deferred.await(settled), (answer) => ({ ...answer, replayed: true })))
      }
      if (inFlight.size >= inFlightCapacity) {
        const cause = new Error(`${inFlightCapacity} of them are in work`)
        return Effect.fail(new Unavailable({ operation: "take another request with an Idempotency-Key now", cause }))
      }
      const settled = Deferred.makeUnsafe<Answer, E | F | Refused>()
      inFlight.set(name, { fingerprint, settled: settled as InFlight["settled"] })
      const started = answerOf(request, work).pipe(
        Effect.onExit((exit) => {
          inFlight.delete(name)
          return Deferred.done(settled, exit)
        }),
        Effect.exit,
        Effect.forkIn(scope)
      )
      return Effect.as(started, Deferred.await(settled))
    })

  // Uninterruptible until the work is started: an interrupted caller must not leave its key in `inFlight` for ever.
  const once = <E, F, R>(request: KeyedRequest, work: KeyedWork<E, F, R>): Effect.Effect<Answer, E | F | Refused, R> =>
    Effect.uninterruptibleMask((restore) => Effect.flatMap(enter(request, work), restore)).pipe(
      Effect.withSpan("Idempotency.once")
    )

  return Idempotency.of({ once })
})

/** A refusal comes before any work began. `Unavailable` does not: a failure of our own can come at any time. */
const changedNothing = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "status" in error && !(error instanceof Unavailable)

/** It was not accepted, because another node has accepted a request with its key. */
const isRepeated = (error: unknown): boolean =>
  causesOf(error).some(
    (cause) => cause instanceof LedgerError && cause.kind === "unmet" && cause.operation === "write ReceiptOpened"
  )
