/**
 * Whether the ledger takes writes. A ledger that is away (its disk is full, its file is locked, its server is gone) is a
 * state of the runtime, not a defect of a session: commits are held and tried again for as long as patience lasts.
 *
 * A driver reports each attempt here, and asks whether to try again.
 */
import { Clock, Effect, Latch } from "effect"
import type { LedgerError, LedgerErrorKind } from "./LedgerError.ts"
import { reasonOf } from "./LedgerError.ts"

export interface LedgerAway {
  /** When the first attempt failed, in milliseconds since 1970. */
  readonly since: number
  /** The database's own words for the last attempt that failed. */
  readonly reason: string
  readonly kind: LedgerErrorKind
  /** Commits are held. `false` when patience is over: each commit is tried once and then fails. */
  readonly holding: boolean
}

export interface Availability {
  /** `null` while the ledger takes writes. */
  readonly away: () => LedgerAway | null
  /** Waits until the ledger takes writes again; at once where it does. */
  readonly available: Effect.Effect<void>
  /** A write failed for a reason that may pass. `true`: hold what was to be written, and try again. */
  readonly failed: (error: LedgerError) => Effect.Effect<boolean>
  readonly succeeded: Effect.Effect<void>
  /** From now on nothing is held. */
  readonly close: Effect.Effect<void>
}

/** `patienceMillis` is how long commits are held, counted from the first attempt that failed. */
export const make = (patienceMillis: number): Availability => {
  const back = Latch.makeUnsafe(true)
  let away: LedgerAway | null = null
  let closed = false
  const seconds = (from: number, to: number) => Math.round((to - from) / 1000)

  return {
    away: () => away,
    available: back.await,
    failed: Effect.fnUntraced(function* (error) {
      const now = yield* Clock.currentTimeMillis
      const previous = away
      const since = previous?.since ?? now
      const holding = !closed && now - since < patienceMillis
      away = { since, reason: reasonOf(error.cause), kind: error.kind, holding }
      if (previous === null) {
        back.closeUnsafe()
        yield* Effect.logWarning(
          `The ledger is away: ${away.reason}. Commits are held for up to ${seconds(0, patienceMillis)} s and tried again; new work is refused until it is back.`
        )
      } else if (previous.holding && !holding) {
        yield* Effect.logError(
          `The ledger has been away for ${seconds(since, now)} s: ${away.reason}. Turns that run are ended now, and settled when it is back.`
        )
      }
      return holding
    }),
    succeeded: Effect.suspend(() => {
      if (away === null) return Effect.void
      const { since } = away
      away = null
      back.openUnsafe()
      return Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.logInfo(`The ledger is back after ${seconds(since, now)} s.`)
      )
    }),
    close: Effect.sync(() => {
      closed = true
    })
  }
}
