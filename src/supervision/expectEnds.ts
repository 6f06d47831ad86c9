/**
 * Waiting for what a request brings about: the stored outcome of a turn, or the end of a session.
 *
 * Register before the request is sent, and say after its answer what to wait for: what is stored in between is heard. News
 * that say what was stored cost no read. Where they may not say all, the ledger is asked. A wait ends also where the
 * session's actor is given up or stopped, as the failure that this is for all who ask.
 */
import { Effect, Latch, Option } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import { passingOf } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import { News } from "../runtime/News.ts"
import type { SessionNews } from "../runtime/News.ts"
import { SessionStops } from "../runtime/SessionStops.ts"
import type { ToldTurn } from "../runtime/Transcript.ts"
import { HeardTurns } from "./HeardTurns.ts"
import { SessionFailed } from "./sessionMessages.ts"

type Wait<A = void> = Effect.Effect<A, SessionFailed | LedgerError>
/** The turn that ended, where it was told to one who waited; `null`: it is to be read. */
type Told = ToldTurn | null

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

  return (session: SessionId): Expectation => new Listener(session, { isOpen, news, stops })
})

interface Sources {
  /** Asks the ledger. */
  readonly isOpen: (session: SessionId, end: End) => Effect.Effect<boolean, LedgerError>
  readonly news: News["Service"]
  readonly stops: SessionStops["Service"]
}

class Listener implements Expectation {
  readonly #session: SessionId
  readonly #sources: Sources
  readonly #settled = new Set<number>()
  readonly #changed = Latch.makeUnsafe(false)
  readonly #heardTurns = new HeardTurns()
  #isClosed = false
  #awaited: End | null = null
  #ended: Wait | null = null
  /** It may have ended without having been told. */
  #mustLook = false
  #waiting = 0
  #listening: ReadonlyArray<() => void> = []

  constructor(session: SessionId, sources: Sources) {
    this.#session = session
    this.#sources = sources
    this.#listen()
  }

  turn(index: number, isOpen: boolean): Wait<Told> {
    return this.#expected(index, isOpen)
  }

  closed(isOpen: boolean): Wait {
    return Effect.asVoid(this.#expected("closed", isOpen))
  }

  get forget(): Effect.Effect<void> {
    return Effect.sync(() => this.#letGo())
  }

  #expected(what: End, isOpen: boolean): Wait<Told> {
    this.#awaited = what
    if (isOpen && !this.#hasCome()) return Listener.#until(this, what)
    this.#letGo()
    return Effect.succeed(null)
  }

  #listen(): void {
    const { news, stops } = this.#sources
    const heard = news.watchUnsafe(this.#session, (told) => this.#hear(told))
    const stopped = stops.watch(this.#session, (cause) => this.#end(Effect.fail(failedBy(this.#session, cause))))
    this.#listening = [heard, stopped]
  }

  #letGo(): void {
    for (const stop of this.#listening) stop()
    this.#listening = []
  }

  #hear(told: SessionNews): void {
    const { closed, settled, stepped, stored } = told
    this.#heardTurns.hear(told)
    this.#isClosed ||= closed
    for (const turn of settled) this.#settled.add(turn)
    if (this.#hasCome()) return this.#end(Effect.void)
    if (!stepped || stored !== null) return
    this.#mustLook = true
    // Whoever waits later listens anew, and looks.
    if (this.#awaited !== null && this.#waiting === 0) this.#letGo()
    this.#changed.openUnsafe()
  }

  #hasCome(): boolean {
    const awaited = this.#awaited
    return awaited === "closed" ? this.#isClosed : awaited !== null && this.#settled.has(awaited)
  }

  #end(result: Wait): void {
    this.#letGo()
    if (this.#waiting === 0) this.#heardTurns.forget()
    this.#ended ??= result
    this.#changed.openUnsafe()
  }

  static readonly #until = Effect.fnUntraced(
    function* (self: Listener, what: End): Effect.fn.Return<Told, SessionFailed | LedgerError> {
      self.#waiting++
      // Whoever comes later reads what has come since the end as well.
      if (self.#ended !== null) self.#heardTurns.forget()
      else if (self.#listening.length === 0) self.#listen()
      while (true) {
        self.#changed.closeUnsafe()
        if (self.#ended !== null) {
          yield* self.#ended
          return what === "closed" ? null : self.#heardTurns.take(what)
        }
        if (!self.#mustLook) {
          yield* self.#changed.await
          continue
        }
        self.#mustLook = false
        if (!(yield* self.#sources.isOpen(self.#session, what))) self.#end(Effect.void)
      }
    },
    (wait, self) =>
      Effect.ensuring(
        wait,
        Effect.sync(() => self.#waiting--)
      )
  )
}
