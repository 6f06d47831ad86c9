/** Counts the settled turns of a session towards its next reviews. */
import { Effect, Option } from "effect"
import type { SessionRecord } from "../domain/Session.ts"
import type { TurnRecord } from "../domain/Turn.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { count, noNudges, nudge } from "./nudges.ts"
import type { DueReview, NudgeCounters, SettledTurn } from "./nudges.ts"

/** A turn whose outcome is stored. */
export interface SettledTurnOf extends SettledTurn {
  readonly index: number
  readonly kind: TurnRecord["kind"]
}

/** Uncounted turns that are read at once. */
const uncountedAtOnce = 256

export const make = Effect.fnUntraced(function* (rules: Parameters<typeof nudge>[2]) {
  const ledger = yield* Ledger

  /** Counts a turn, and those before it that are settled and uncounted: Troupe may die between an outcome and its count. */
  return Effect.fnUntraced(function* (session: SessionRecord, turn: SettledTurnOf) {
    const stored = Option.getOrUndefined(yield* ledger.nudgeCounters(session.id))
    let last = stored?.turn ?? 0
    let counters: NudgeCounters = stored ?? noNudges
    let due: DueReview | null = null
    const isNext = turn.index === last + 1 && session.turnCount <= turn.index
    for (const settled of isNext ? [turn] : yield* ledger.turns(session.id, last, uncountedAtOnce)) {
      if (settled.index !== turn.index && "endedAt" in settled && settled.endedAt === null) break
      last = settled.index
      if (settled.kind === "compact") continue
      if (settled.index !== turn.index) counters = count(counters, settled, rules)
      else ({ counters, due } = nudge(counters, turn, rules))
    }
    if (last === (stored?.turn ?? 0)) return null
    const { toolIterations, userTurns } = counters
    yield* ledger.write([
      { _tag: "NudgesCounted", nudges: { session: session.id, turn: last, userTurns, toolIterations } },
      ...(due === null
        ? []
        : [{ _tag: "ReviewOwed", review: { session: session.id, turn: turn.index, ...due } } as const])
    ])
    return due
  })
})
