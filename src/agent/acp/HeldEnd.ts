/**
 * The end of a turn on its way to whoever waits for it.
 *
 * An interrupt that still ends what the turn left running keeps it back: who hears of an interrupted turn's end may
 * rely on nothing of it running any more.
 */
import { Effect } from "effect"
import type { OpenRequest } from "../Agent.ts"
import type { TurnEnded } from "./TurnTracker.ts"

export const make = (emit: OpenRequest["emit"]) => {
  let held: TurnEnded | null = null
  let holders = 0

  /** Also before `Exited`, which is said last. */
  const release = Effect.suspend(() => {
    const fact = held
    held = null
    return fact === null ? Effect.void : emit(fact)
  })

  return {
    tell: (fact: TurnEnded) =>
      Effect.suspend(() => {
        if (holders === 0) return emit(fact)
        held = fact
        return Effect.void
      }),
    release,
    /** Keeps an end that comes while this runs until it has run, however it ends. */
    after: <A, E, R>(interrupt: Effect.Effect<A, E, R>) =>
      Effect.suspend(() => {
        holders++
        return Effect.ensuring(
          interrupt,
          Effect.suspend(() => (--holders === 0 ? release : Effect.void))
        )
      })
  }
}
