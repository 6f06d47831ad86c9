/** One machine of a simulation, on which Troupe is started again and again. */
import { Effect } from "effect"
import { Operator } from "../../src/services/Operator.ts"
import { Incarnation } from "./Incarnation.ts"
import type { Surroundings } from "./Incarnation.ts"
import type { Dice } from "./random.ts"
import { Watch } from "./Watch.ts"
import { Violation } from "./World.ts"
import type { SimulatedProcess } from "./World.ts"

/** Where there are several nodes, a dead one is started again after so long at most. */
const longestDownMillis = 30_000

export class Node {
  runtime: Incarnation
  starts = 0
  readonly #name: string
  readonly #surroundings: Surroundings
  readonly #watch: Watch
  readonly #dice: Dice
  /** When it died; `null`: it is up, or was not seen to be dead yet. */
  #startsAt: number | null = null

  constructor(name: string, surroundings: Surroundings, dice: Dice) {
    this.#name = name
    this.#surroundings = surroundings
    this.#dice = dice
    this.#watch = new Watch(surroundings.world)
    this.runtime = this.#made()
  }

  #made(): Incarnation {
    return new Incarnation(this.#surroundings, this.#name, this.#watch)
  }

  /** It is dead, and to be started again now. */
  get isDue(): boolean {
    if (this.runtime.isAlive) return false
    const { leaseMillis, time } = this.#surroundings
    if (leaseMillis === null) return true
    if (this.#startsAt === null) {
      const millis = this.#dice.below(longestDownMillis)
      this.#startsAt = time.now + millis
      // So that there is a moment at which it is looked at again.
      time.later(millis, () => {})
    }
    return time.now >= this.#startsAt
  }

  renew(): void {
    this.runtime = this.#made()
  }

  /** A start waits for its commits, and what it waits for ends at some time. */
  start(): void {
    const { time, world } = this.#surroundings
    this.#startsAt = null
    this.starts++
    world.note(`${this.#name} starts for the ${this.starts}. time`)
    this.runtime.start()
    time.advance(10 * 60_000, () => this.runtime.services !== null || !this.runtime.isAlive)
    if (this.runtime.isAlive && this.runtime.services === null) throw new Violation("a start ends", "it did not")
    time.run()
  }

  /** Ends what is left of a runtime that was killed. */
  end(): void {
    let isClosed = false
    this.runtime.isAlive = false
    this.runtime.close(() => (isClosed = true))
    this.#surroundings.time.advance(10 * 60_000, () => isClosed)
    if (!isClosed) throw new Violation("what is left of a killed runtime ends", "it did not")
  }

  /** The processes that are left of it. */
  drain(deadlineMillis: number): ReadonlyArray<SimulatedProcess> {
    const { runtime } = this
    const { time, world } = this.#surroundings
    if (!runtime.isUp) return []
    runtime.goOn()
    world.note(`${this.#name} is drained within ${deadlineMillis} ms`)
    let isDone = false
    runtime.run(
      Effect.flatMap(Operator, ({ drain }) => drain(deadlineMillis)),
      () => (isDone = true)
    )
    time.advance(3 * 60_000, () => isDone || !runtime.isAlive)
    if (!runtime.isAlive) return []
    if (!isDone) throw new Violation("a drain ends", "it did not")
    let isClosed = false
    runtime.close(() => (isClosed = true))
    time.advance(3 * 60_000, () => isClosed || !runtime.isAlive)
    const left = runtime.isAlive && isClosed ? world.alive({ node: this.#name }) : []
    runtime.isAlive = false
    return left
  }

  /** Nothing is done to it any more, and it comes back where it is down. */
  stopFaults(): void {
    this.runtime.killAfter = null
    this.runtime.stopAfter = null
    this.runtime.goOn()
    this.#startsAt = this.runtime.isAlive ? null : 0
  }
}
