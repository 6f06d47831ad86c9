/** How nodes of a simulation call each other: over a network of its own, that can be slow, and broken while the database is reached. */
import { Effect } from "effect"
import type { NodeToken } from "../../src/domain/Ids.ts"
import type { NodeRecord } from "../../src/ledger/Ledger.ts"
import type { Incarnation } from "./Incarnation.ts"
import type { Dice } from "./random.ts"

type HoldOff = (asked: NodeToken) => Effect.Effect<number | null>

const underwayMillis = 100
const slowMillis = 4_000

export class Calls {
  /** By the node's name, which is its address. */
  readonly #nodes = new Map<
    string,
    { readonly runtime: Incarnation; readonly token: NodeToken; readonly holdOff: HoldOff }
  >()
  readonly #dice: Dice
  /** Until this time nothing comes through. */
  brokenUntil = 0

  constructor(dice: Dice) {
    this.#dice = dice
  }

  listens(runtime: Incarnation, token: NodeToken, holdOff: HoldOff): void {
    this.#nodes.set(runtime.name, { runtime, token, holdOff })
  }

  /** The names of those that work, stopped ones too. */
  working(tokens: ReadonlyArray<NodeToken>): ReadonlyArray<string> {
    return [...this.#nodes].flatMap(([name, { runtime, token }]) =>
      runtime.isAlive && tokens.includes(token) ? [name] : []
    )
  }

  /** Without an answer, where one of the two ways or the other node is down. */
  holdOff(from: Incarnation, { name, token }: NodeRecord): Effect.Effect<number | null> {
    return Effect.callback<number | null>((resume) => {
      this.#send(from, () => {
        const to = this.#nodes.get(name)
        to?.runtime.whenAwake(() => {
          if (!to.runtime.isAlive) return
          to.runtime.fork(to.holdOff(token), (exit) => this.#send(from, () => from.whenAwake(() => resume(exit))))
        })
      })
    })
  }

  #send({ surroundings: { time } }: Incarnation, arrived: () => void): void {
    const millis = this.#dice.below(this.#dice.chance(0.1) ? slowMillis : underwayMillis)
    time.later(millis, () => {
      if (time.now >= this.brokenUntil) arrived()
    })
  }
}
