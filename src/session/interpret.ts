/**
 * What the agent has said decides what some news of its turn mean, so it is read before the machine hears of them.
 *
 * A turn whose time is up may only lack its end: then its answer counts. One whose text says that it was aborted was not
 * completed, whatever its end says. Read off the stored events, as for every other reader of them, and only where there
 * is a question: a turn that ends well costs nothing.
 */
import { Effect, Option } from "effect"
import type { SessionSnapshot } from "../../machines/session/machine.ts"
import { project } from "../conversation/Projection.ts"
import type { SessionId } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import type { Envelope, Incoming } from "./Envelope.ts"
import { nameOf } from "./Step.ts"

/** Where an agent is at a turn and nobody has asked it to stop. */
const working: ReadonlySet<string> = new Set(["turning.running", "turning.asking", "turning.probing"])

/** `flush`: what was said is in the ledger when it returns. `suspects`: the running turn's text may say it was aborted. */
export const make = Effect.fnUntraced(function* (
  session: SessionId,
  flush: Effect.Effect<void, LedgerError>,
  suspects: () => boolean
) {
  const ledger = yield* Ledger

  const said = Effect.fnUntraced(function* (index: number) {
    yield* flush
    const turn = yield* ledger.turn(session, index)
    const events = yield* ledger.eventsOfTurn(session, index)
    return project(
      Option.getOrThrow(turn),
      events.map(({ message }) => message)
    )
  })

  /** The news as the machine is to hear them; `null` where they turn out to be none. */
  return Effect.fnUntraced(function* (
    incoming: Incoming,
    timer: Envelope["timer"],
    snapshot: SessionSnapshot
  ): Effect.fn.Return<Incoming | null, LedgerError> {
    const { turn } = snapshot.context
    if (!("type" in incoming) || !nameOf(snapshot).startsWith("turning")) return incoming
    if (incoming.type === "turn.ended" && incoming.turn === turn && incoming.failure === null && suspects()) {
      return (yield* said(turn)).aborted ? { ...incoming, stopReason: "cancelled" } : incoming
    }
    if (incoming.type === "turn.aborted") return incoming.turn === turn && (yield* said(turn)).aborted ? incoming : null
    if (!isDeadline(incoming, timer) || !working.has(nameOf(snapshot))) return incoming
    const { aborted, answered } = yield* said(turn)
    return aborted ? { type: "turn.aborted", turn } : answered ? { type: "turn.answered", turn } : incoming
  })
})

/** The turn's own, or the watchdog's. */
const isDeadline = ({ type }: { readonly type: string }, timer: Envelope["timer"]): boolean =>
  type === "agent.quiet" || timer?.id.includes(".turnWithin.") === true
