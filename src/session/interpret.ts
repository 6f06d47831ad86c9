/**
 * Reads off the ledger what the machine must know about a turn before it decides, and adds it to the event as a fact.
 *
 * A turn whose time is up may only lack its end: then its answer counts. A turn whose text says that it was aborted was
 * not completed, whatever its end says. The facts come from the stored events, as every other reader sees them, and are
 * read only where a guard depends on them: a turn that ends well costs nothing.
 */
import { Effect, Option } from "effect"
import { delayName } from "../../machines/session/stateInfo.ts"
import type { SessionSnapshot, TurnFacts } from "../../machines/session/machine.ts"
import { project } from "../conversation/Projection.ts"
import type { SessionId } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import type { Incoming } from "./Envelope.ts"

/** `flush` stores what was said so far. `suspectsAbort`: the running turn's text may say that it was aborted. */
export const make = Effect.fnUntraced(function* (
  session: SessionId,
  flush: Effect.Effect<void, LedgerError>,
  suspectsAbort: () => boolean
) {
  const ledger = yield* Ledger

  const factsOf = Effect.fnUntraced(function* (index: number): Effect.fn.Return<TurnFacts, LedgerError> {
    yield* flush
    const turn = yield* ledger.turn(session, index)
    const events = yield* ledger.eventsOfTurn(session, index)
    const { aborted, answered } = project(
      Option.getOrThrow(turn),
      events.map(({ message }) => message)
    )
    return { aborted, answered }
  })

  /** The event with its facts; `null` where the agent turns out not to have said what was suspected. */
  return Effect.fnUntraced(function* (
    event: Incoming,
    snapshot: SessionSnapshot
  ): Effect.fn.Return<Incoming | null, LedgerError> {
    if (!("type" in event) || !snapshot.hasTag("turnOpen")) return event
    const { turn } = snapshot.context
    if (event.type === "turn.aborted") {
      return event.turn === turn && (yield* factsOf(turn)).aborted ? event : null
    }
    const depends =
      event.type === "turn.ended"
        ? event.turn === turn && event.failure === null && suspectsAbort()
        : isDeadline(event.type) && snapshot.hasTag("agentAtWork")
    return depends ? ({ ...event, said: yield* factsOf(turn) } as Incoming) : event
  })
})

/** The turn's own deadline, or the watchdog's. */
const isDeadline = (type: string): boolean => type === "agent.quiet" || delayName(type) === "turnWithin"
