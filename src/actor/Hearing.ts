/**
 * What the agent has said decides what some news of its turn mean, so it is read before the machine hears of them.
 *
 * A turn whose time is up may only lack its end: then its answer counts. Read off the stored events, by whom every other
 * reader of them is served, and only where there is a question: a turn that ends well costs nothing.
 */
import { Effect, Option } from "effect"
import type { SessionSnapshot } from "../../machines/session.ts"
import { project } from "../conversation/Projection.ts"
import type { SessionId } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import type { Letter, News } from "./Letter.ts"
import { nameOf } from "./Step.ts"

/** Where an agent is at a turn and nobody has asked it to stop. */
const working: ReadonlySet<string> = new Set(["turning.running", "turning.asking", "turning.probing"])

/** `flush`: what was said is in the ledger when it returns. */
export const make = Effect.fnUntraced(function* (session: SessionId, flush: Effect.Effect<void, LedgerError>) {
  const ledger = yield* Ledger

  const said = Effect.fnUntraced(function* (index: number) {
    yield* flush
    const turn = yield* ledger.turn(session, index)
    const events = yield* ledger.eventsOfTurn(session, index)
    return Option.map(turn, (record) =>
      project(
        record,
        events.map(({ message }) => message)
      )
    )
  })

  /** The news as the machine is to hear them. */
  return Effect.fnUntraced(function* (news: News, timer: Letter["timer"], snapshot: SessionSnapshot) {
    if (!isOverdue(news, timer) || !working.has(nameOf(snapshot))) return news
    const { turn } = snapshot.context
    const heard = yield* said(turn)
    return Option.isSome(heard) && heard.value.answered ? ({ type: "turn.answered", turn } as const) : news
  })
})

/** The turn's deadline, or the watchdog's. */
const isOverdue = (news: News, timer: Letter["timer"]): boolean =>
  timer?.id.includes(".turnWithin.") === true || ("type" in news && news.type === "agent.quiet")
