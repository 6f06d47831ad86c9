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

export class HeldEnd {
  readonly #emit: OpenRequest["emit"]
  readonly #settling: Settling | null
  #held: TurnEnded | null = null
  #holders = 0

  constructor(emit: OpenRequest["emit"], settling: Settling | null) {
    this.#emit = emit
    this.#settling = settling
  }

  /** Emits the end, or holds it while an interrupt runs or text comes, as soon as it is called. */
  emit(fact: TurnEnded): Effect.Effect<void> {
    // The text of a turn that was stopped is cut off anyhow.
    const settling = fact.stopReason === "cancelled" ? null : this.#settling
    if (this.#holders === 0 && settling === null) return this.#emit(fact)
    this.#held = fact
    if (settling === null) return Effect.void
    return Effect.asVoid(Effect.forkIn(HeldEnd.#settle(this, fact, settling), settling.scope))
  }

  /** Emits what is held. To be run before `Exited`, which is emitted last. */
  get release(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const fact = this.#held
      this.#held = null
      return fact === null ? Effect.void : this.#emit(fact)
    })
  }

  /** Holds an end that comes while this interrupt runs, and releases it when the interrupt is over in any way. */
  holdDuring<A, E, R>(interrupt: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.suspend(() => {
      this.#holders++
      return Effect.ensuring(
        interrupt,
        Effect.suspend(() => (--this.#holders === 0 ? this.release : Effect.void))
      )
    })
  }

  static readonly #settle = Effect.fnUntraced(function* (self: HeldEnd, fact: TurnEnded, { textsReceived }: Settling) {
    for (let nth = 0; nth < maxSettles; nth++) {
      const before = textsReceived()
      yield* Effect.sleep(settleMillis)
      if (textsReceived() === before) break
    }
    // Meanwhile it may have been released, or be held by an interrupt.
    if (self.#held === fact && self.#holders === 0) yield* self.release
  })
}

export const make = (emit: OpenRequest["emit"], settling: Settling | null = null): HeldEnd =>
  new HeldEnd(emit, settling)
