/**
 * Waiting for what a request brings about: the stored outcome of a turn, or the end of a session.
 *
 * Register before the request is sent, and say after its answer what to wait for: what is stored in between is heard. News
 * that say what was stored cost no read. Where they may not say all, the ledger is asked. A wait ends also where the
 * session's actor is given up or stopped, as the failure that this is for all who ask.
 */
import { Effect, Latch, Option } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import type { StoredEvent } from "../domain/Session.ts"
import { passingOf } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import { News } from "../runtime/News.ts"
import { SessionStops } from "../runtime/SessionStops.ts"
import { HeardTurns } from "./HeardTurns.ts"
import { SessionFailed } from "./sessionMessages.ts"

type Wait<A = void> = Effect.Effect<A, SessionFailed | LedgerError>
/** All events of the turn that ended, where they were told to one who waited; `null`: they are to be read. */
type Told = ReadonlyArray<StoredEvent> | null

export interface Expectation {
  /**
   * The wait until the turn's outcome is stored; `isOpen`: it was not, by the answer or by a look after the registration.
   * To be called at once: from then on only this end is listened for, and no more when it has come.
   */
  readonly turn: (index: number, isOpen: boolean) => Wait<Told>
  /** The wait until the session is closed, with no process left. */
  readonly closed: (isOpen: boolean) => Wait
  /** There is nothing to wait for: the request was refused, or failed. */
  readonly forget: Effect.Effect<void>
}

export const failedBy = (id: SessionId, cause: unknown) => new SessionFailed({ id, passing: passingOf(cause), cause })

/** A turn's number, or the session's end. */
type End = number | "closed"

export const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const news = yield* News
  const stops = yield* SessionStops

  const isOpen = (session: SessionId, end: End) =>
    end === "closed"
      ? Effect.map(
          ledger.session(session),
          Option.exists(({ closedAt }) => closedAt === null)
        )
      : Effect.map(
          ledger.turn(session, end),
          Option.exists(({ endedAt }) => endedAt === null)
        )

  const expect = (session: SessionId): Expectation => {
    const settled = new Set<number>()
    const changed = Latch.makeUnsafe(false)
    let isClosed = false
    let awaited: End | null = null
    let ended: Wait | null = null
    /** It may have ended without having been told. */
    let mustLook = false
    let waiting = 0
    let listening: ReadonlyArray<() => void> = []
    const heardTurns = new HeardTurns()

    const letGo = () => {
      for (const stop of listening) stop()
      listening = []
    }
    const end = (result: Wait) => {
      letGo()
      if (waiting === 0) heardTurns.forget()
      ended ??= result
      changed.openUnsafe()
    }
    const hasCome = () => (awaited === "closed" ? isClosed : awaited !== null && settled.has(awaited))
    const listen = () => {
      const heard = news.watchUnsafe(session, (told) => {
        const { closed, settled: turns, stepped, stored } = told
        heardTurns.hear(told)
        isClosed ||= closed
        for (const turn of turns) settled.add(turn)
        if (hasCome()) return end(Effect.void)
        if (!stepped || stored !== null) return
        mustLook = true
        // Whoever waits later listens anew, and looks.
        if (awaited !== null && waiting === 0) letGo()
        changed.openUnsafe()
      })
      listening = [heard, stops.watch(session, (cause) => end(Effect.fail(failedBy(session, cause))))]
    }

    const waitFor = Effect.fnUntraced(
      function* (what: End): Effect.fn.Return<Told, SessionFailed | LedgerError> {
        waiting++
        // Whoever comes later reads what has come since the end as well.
        if (ended !== null) heardTurns.forget()
        else if (listening.length === 0) listen()
        while (true) {
          changed.closeUnsafe()
          if (ended !== null) {
            yield* ended
            return what === "closed" ? null : heardTurns.take(what)
          }
          if (!mustLook) {
            yield* changed.await
            continue
          }
          mustLook = false
          if (!(yield* isOpen(session, what))) end(Effect.void)
        }
      },
      Effect.ensuring(Effect.sync(() => waiting--))
    )

    const expected = (what: End, open: boolean): Wait<Told> => {
      awaited = what
      if (open && !hasCome()) return waitFor(what)
      letGo()
      return Effect.succeed(null)
    }
    listen()
    return {
      turn: expected,
      closed: (open) => Effect.asVoid(expected("closed", open)),
      forget: Effect.sync(letGo)
    }
  }

  return expect
})
