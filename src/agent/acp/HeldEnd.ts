/**
 * The end of a turn, held back while text of the turn may still come, and while an interrupt ends what the turn left
 * running.
 *
 * When a turn's end is emitted, its text is complete, and of an interrupted turn nothing runs any more.
 */
import { Effect } from "effect"
import type { Scope } from "effect"
import type { OpenRequest } from "../Agent.ts"
import type { TurnEnded } from "./TurnTracker.ts"

export interface HeldEnd {
  /** Emits the end, or holds it while an interrupt runs or text comes, as soon as it is called. */
  readonly emit: (fact: TurnEnded) => Effect.Effect<void>
  /** Emits what is held. To be run before `Exited`, which is emitted last. */
  readonly release: Effect.Effect<void>
  /** Holds an end that comes while this interrupt runs, and releases it when the interrupt is over in any way. */
  readonly holdDuring: <A, E, R>(interrupt: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/**
 * How long an end waits for text. opencode, Gemini and pi write the reply to a prompt and the turn's last chunks from two
 * places; the chunks were seen some ms after the reply. A longer wait would be felt in each turn.
 */
const settleMillis = 50

/** While text still comes the wait begins anew, but no more often than this. */
const maxSettles = 20

/** For an agent that may send text after its reply. */
export interface Settling {
  /** Counts the pieces of text that have come. */
  readonly textsReceived: () => number
  readonly scope: Scope.Scope
}

export const make = (emit: OpenRequest["emit"], settling: Settling | null = null): HeldEnd => {
  let held: TurnEnded | null = null
  let holders = 0

  const release = Effect.suspend(() => {
    const fact = held
    held = null
    return fact === null ? Effect.void : emit(fact)
  })

  const settle = (fact: TurnEnded, { textsReceived }: Settling) =>
    Effect.gen(function* () {
      for (let nth = 0; nth < maxSettles; nth++) {
        const before = textsReceived()
        yield* Effect.sleep(settleMillis)
        if (textsReceived() === before) break
      }
      // Meanwhile it may have been released, or be held by an interrupt.
      if (held === fact && holders === 0) yield* release
    })

  return {
    emit: (fact) => {
      // The text of a turn that was stopped is cut off anyhow.
      const settles = fact.stopReason === "cancelled" ? null : settling
      if (holders === 0 && settles === null) return emit(fact)
      held = fact
      return settles === null ? Effect.void : Effect.asVoid(Effect.forkIn(settle(fact, settles), settles.scope))
    },
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
