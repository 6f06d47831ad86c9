/** What nodes of a simulation tell each other: a little later, in their order, and now and then not at all. */
import { Effect } from "effect"
import type { Announcements, Heard } from "../../src/ledger/Announcements.ts"
import type { Incarnation } from "./Incarnation.ts"
import type { Dice } from "./random.ts"

const underwayMillis = 5
/** When it is noticed that something may have got lost. */
const noticedMillis = 2_000

export class Channel {
  readonly #listeners = new Map<Incarnation, (heard: Heard) => void>()
  readonly #dice: Dice

  constructor(dice: Dice) {
    this.#dice = dice
  }

  join(runtime: Incarnation): Announcements {
    const others = () => [...this.#listeners].filter(([other]) => other !== runtime && other.isAlive)
    return {
      announce: (notes) =>
        Effect.sync(() => {
          if (!runtime.isAlive) return
          for (const [other, hear] of others()) {
            const isLost = this.#dice.chance(0.03)
            this.#tell(other, hear, isLost ? { _tag: "Missed" } : { _tag: "Notes", from: runtime.name, notes }, isLost)
          }
        }),
      hasListeners: () => others().length > 0,
      isHearing: () => this.#listeners.has(runtime),
      listen: (hear) =>
        Effect.asVoid(
          Effect.acquireRelease(
            Effect.sync(() => {
              this.#listeners.set(runtime, hear)
              for (const [other, hearOther] of others()) this.#tell(other, hearOther, { _tag: "Missed" }, false)
            }),
            () => Effect.sync(() => this.#listeners.delete(runtime))
          )
        )
    }
  }

  #tell(to: Incarnation, hear: (heard: Heard) => void, heard: Heard, isLate: boolean): void {
    const call = () => to.whenAwake(() => (to.isAlive ? hear(heard) : undefined))
    to.surroundings.time.later(isLate ? noticedMillis : underwayMillis, call)
  }
}
