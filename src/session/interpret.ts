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

export const make = Effect.fnUntraced(function* (
  session: Session,
  timers: SessionTimers,
  journal: Journal,
  turnWatch: TurnWatch
) {
  const ledger = yield* Ledger
  const clock = yield* Clock.Clock

  const factsOf = (index: number): Effect.Effect<TurnFacts, LedgerError> =>
    Effect.gen(function* () {
      yield* journal.flush
      const turn = yield* ledger.turn(session.record.id, index)
      const events = yield* ledger.eventsOfTurn(session.record.id, index)
      const { aborted, answered } = project(
        Option.getOrThrow(turn),
        events.map(({ message }) => message)
      )
      return { aborted, answered }
    })

  /** Whether a guard of the open turn depends on what the agent has said. */
  const depends = (event: SessionEvent, turn: number): boolean =>
    event.type === "turn.ended"
      ? event.turn === turn && event.failure === null && turnWatch.suspectsAbort()
      : isDeadline(event.type) && session.snapshot.hasTag("agentAtWork")

  /** `null`: there is nothing to decide. A timer was disarmed meanwhile, or an abort was only suspected. */
  return Effect.fnUntraced(function* (envelope: Envelope): Effect.fn.Return<SessionEvent | null, LedgerError> {
    if (envelope.event === "wake") return null
    if (envelope.timer !== undefined && !timers.take(envelope.timer)) return null
    const event = stamped(envelope.event, session.record.turnCount + 1, clock.currentTimeMillisUnsafe())
    const turn = session.openTurn
    if (turn === null) return event
    if (event.type === "turn.aborted") {
      return event.turn === turn && (yield* factsOf(turn)).aborted ? event : null
    }
    return depends(event, turn) ? ({ ...event, said: yield* factsOf(turn) } as SessionEvent) : event
  })
})

/** The turn's own deadline, or the watchdog's. */
const isDeadline = (type: string): boolean => type === "agent.quiet" || delayName(type) === "turnWithin"
