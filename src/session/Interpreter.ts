/**
 * Turns an envelope into the event that the machine decides on: numbered, dated, and with the facts that guards need.
 *
 * A turn whose time is up may only lack its end: then its answer counts. A turn whose text says that it was aborted was
 * not completed, whatever its end says. These facts come from the stored events, as every other reader sees them, and are
 * read only where a guard depends on them: a turn that ends well costs nothing.
 */
import { Clock, Effect, Option } from "effect"
import type { SessionEvent, TurnFacts } from "../../machines/session/machine.ts"
import { delayName } from "../../machines/session/stateInfo.ts"
import { project } from "../conversation/Projection.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import { stamped } from "./Envelope.ts"
import type { Envelope } from "./Envelope.ts"
import type { Journal } from "./Journal.ts"
import type { Session } from "./Session.ts"
import type { SessionTimers } from "./SessionTimers.ts"
import type { TurnWatch } from "./TurnWatch.ts"

interface Around {
  readonly session: Session
  readonly timers: SessionTimers
  readonly journal: Journal
  readonly turnWatch: TurnWatch
}

export class Interpreter {
  readonly #around: Around
  readonly #ledger: Ledger["Service"]
  readonly #clock: Clock.Clock

  constructor(around: Around, ledger: Ledger["Service"], clock: Clock.Clock) {
    this.#around = around
    this.#ledger = ledger
    this.#clock = clock
  }

  /** `null`: there is nothing to decide. A timer was disarmed meanwhile, or an abort was only suspected. */
  interpret(envelope: Envelope): Effect.Effect<SessionEvent | null, LedgerError> {
    const { session, timers } = this.#around
    if (envelope.event === "wake") return nothing
    if (envelope.timer !== undefined && !timers.take(envelope.timer)) return nothing
    const event = stamped(envelope.event, session.record.turnCount + 1, this.#clock.currentTimeMillisUnsafe())
    const turn = session.openTurn
    if (turn === null) return Effect.succeed(event)
    if (event.type === "turn.aborted") {
      return event.turn === turn ? Effect.map(this.#factsOf(turn), ({ aborted }) => (aborted ? event : null)) : nothing
    }
    return this.#depends(event, turn)
      ? Effect.map(this.#factsOf(turn), (said) => ({ ...event, said }) as SessionEvent)
      : Effect.succeed(event)
  }

  #factsOf(index: number): Effect.Effect<TurnFacts, LedgerError> {
    return Effect.gen({ self: this }, function* () {
      const { journal, session } = this.#around
      yield* journal.flush
      const turn = yield* this.#ledger.turn(session.record.id, index)
      const events = yield* this.#ledger.eventsOfTurn(session.record.id, index)
      const { aborted, answered } = project(
        Option.getOrThrow(turn),
        events.map(({ message }) => message)
      )
      return { aborted, answered }
    })
  }

  /** Whether a guard of the open turn depends on what the agent has said. */
  #depends(event: SessionEvent, turn: number): boolean {
    const { session, turnWatch } = this.#around
    return event.type === "turn.ended"
      ? event.turn === turn && event.failure === null && turnWatch.suspectsAbort()
      : isDeadline(event.type) && session.snapshot.hasTag("agentAtWork")
  }
}

const nothing = Effect.succeed(null)

export const make = Effect.fnUntraced(function* (around: Around) {
  return new Interpreter(around, yield* Ledger, yield* Clock.Clock)
})

/** The turn's own deadline, or the watchdog's. */
const isDeadline = (type: string): boolean => type === "agent.quiet" || delayName(type) === "turnWithin"
