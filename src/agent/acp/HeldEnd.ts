/**
 * The end of a turn, held back while an interrupt ends what the turn left running.
 *
 * When an interrupted turn's end is emitted, nothing of the turn runs any more.
 */
import { Effect } from "effect"
import type { OpenRequest } from "../Agent.ts"
import type { TurnEnded } from "./TurnTracker.ts"

export interface HeldEnd {
  /** Emits the end, or holds it while an interrupt runs. */
  readonly emit: (fact: TurnEnded) => Effect.Effect<void>
  /** Emits what is held. To be run before `Exited`, which is emitted last. */
  readonly release: Effect.Effect<void>
  /** Holds an end that comes while this interrupt runs, and releases it when the interrupt is over in any way. */
  readonly holdDuring: <A, E, R>(interrupt: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

export const make = (emit: OpenRequest["emit"]): HeldEnd => {
  let held: TurnEnded | null = null
  let holders = 0

  const release = Effect.suspend(() => {
    const fact = held
    held = null
    return fact === null ? Effect.void : emit(fact)
  })

  return {
    emit: (fact) =>
      Effect.suspend(() => {
        if (holders === 0) return emit(fact)
        held = fact
        return Effect.void
      }),
    release,
    holdDuring: (interrupt) =>
      Effect.suspend(() => {
        holders++
        return Effect.ensuring(
          interrupt,
          Effect.suspend(() => (--holders === 0 ? release : Effect.void))
        )
      })
  }
}
