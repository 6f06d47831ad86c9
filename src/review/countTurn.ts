/** Counts the settled turns of a session towards its next reviews. */
import { Effect, Option } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import type { SessionRecord } from "../domain/Session.ts"
import type { TurnRecord } from "../domain/Turn.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { NudgeRecord } from "../ledger/Ledger.ts"
import { count as counted, noNudges, nudge } from "./nudges.ts"
import type { DueReview, NudgeCounters, SettledTurn } from "./nudges.ts"

/** A turn whose outcome is stored. Its text is read only where a review would be due. */
export interface SettledTurnOf<E = unknown, R = never> extends Omit<SettledTurn, "finalText"> {
  readonly index: number
  readonly kind: TurnRecord["kind"]
  readonly finalText: string | Effect.Effect<string, E, R>
}

/** Sessions whose counters are kept in memory; those of others are read. */
const mostKept = 1_024

/** Uncounted turns that are read at once. */
const uncountedAtOnce = 256

export const make = Effect.fnUntraced(function* (rules: Parameters<typeof nudge>[2]) {
  const ledger = yield* Ledger
  /** As they were stored, or are about to be, the session that was counted last at the end. */
  const kept = new Map<SessionId, NudgeRecord>()

  /** Another node may have counted since, except where this is the turn that follows. */
  const before = ({ id }: SessionRecord, turn: number) => {
    const known = kept.get(id)
    if (known?.turn === turn - 1) return Effect.succeed(known)
    return Effect.map(ledger.nudgeCounters(id), (row) => {
      const stored = Option.getOrUndefined(row)
      return known !== undefined && known.turn >= (stored?.turn ?? 0) ? known : stored
    })
  }
  const keep = (nudges: NudgeRecord) => {
    kept.delete(nudges.session)
    kept.set(nudges.session, nudges)
    const [oldest] = kept.keys()
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest)
  }

  /** Where nothing has to be read for it, and no review is due with any text. `null`: that is not so. */
  const countNow = (session: SessionRecord, turn: Omit<SettledTurnOf, "finalText">): Effect.Effect<void> | null => {
    const known = kept.get(session.id)
    if (known?.turn !== turn.index - 1 || session.turnCount > turn.index || turn.kind === "compact") return null
    const { counters, due } = nudge(known, { ...turn, finalText: "any" }, rules)
    if (due !== null) return null
    const { toolIterations, userTurns } = counters
    const nudges = { session: session.id, turn: turn.index, userTurns, toolIterations }
    keep(nudges)
    return ledger.writeLater([{ _tag: "NudgesCounted", nudges }])
  }

  /** Counts a turn, and those before it that are settled and uncounted: Troupe may die between an outcome and its count. */
  const count = Effect.fnUntraced(function* <E, R>(session: SessionRecord, turn: SettledTurnOf<E, R>) {
    const stored = yield* before(session, turn.index)
    let last = stored?.turn ?? 0
    let counters: NudgeCounters = stored ?? noNudges
    let due: DueReview | null = null
    const isNext = turn.index === last + 1 && session.turnCount <= turn.index
    for (const settled of isNext ? [turn] : yield* ledger.turns(session.id, last, uncountedAtOnce)) {
      if (settled.index !== turn.index && "endedAt" in settled && settled.endedAt === null) break
      last = settled.index
      if (settled.kind === "compact") continue
      if (settled.index !== turn.index) counters = counted(counters, settled, rules)
      else ({ counters, due } = yield* nudged(counters, turn, rules))
    }
    if (last === (stored?.turn ?? 0)) return null
    const { toolIterations, userTurns } = counters
    const nudges = { session: session.id, turn: last, userTurns, toolIterations }
    const entry = { _tag: "NudgesCounted", nudges } as const
    keep(nudges)
    // What is not stored yet when Troupe dies is counted with the next turn.
    if (due === null) yield* ledger.writeLater([entry])
    else {
      const owed = { _tag: "ReviewOwed", review: { session: session.id, turn: turn.index, ...due } } as const
      yield* Effect.onError(ledger.write([entry, owed]), () => Effect.sync(() => kept.delete(session.id)))
    }
    return due
  })

  return { count, countNow }
})

/** As `nudge`, without the turn's text where it makes no difference. */
const nudged = Effect.fnUntraced(function* <E, R>(
  before: NudgeCounters,
  turn: SettledTurnOf<E, R>,
  rules: Parameters<typeof nudge>[2]
) {
  const withAnyText = nudge(before, { ...turn, finalText: "any" }, rules)
  if (withAnyText.due === null) return withAnyText
  const finalText = typeof turn.finalText === "string" ? turn.finalText : yield* turn.finalText
  return nudge(before, { ...turn, finalText }, rules)
})
