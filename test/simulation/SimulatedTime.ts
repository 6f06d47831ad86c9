/**
 * The scheduler and the clock of a simulation: every fiber's steps run in one plain loop, and time passes only when all
 * fibers wait. So a run is the same each time, and an hour takes as long as what happens in it.
 */
import { Duration, Effect } from "effect"
import type { Clock, Scheduler } from "effect"
import type { Dice } from "./random.ts"

/** More steps than this without a pause: two fibers keep each other busy. */
const mostTasksAtOnce = 2_000_000

export class Livelock extends Error {
  override readonly name = "Livelock"
}

interface Sleeper {
  readonly at: number
  readonly order: number
  readonly wake: () => void
}

export class SimulatedTime implements Scheduler.Scheduler {
  readonly executionMode = "async"
  readonly clock: Clock.Clock
  #now: number
  #tasks: Array<() => void> = []
  #sleepers: Array<Sleeper> = []
  #order = 0
  readonly #dice: Dice
  readonly #opsBeforeYield: number

  /** `dice` decides where a fiber that goes on may let others go first. */
  constructor(dice: Dice, startsAt: number) {
    this.#dice = dice
    this.#now = startsAt
    this.#opsBeforeYield = dice.pick([3, 20, 200, 2_048])
    const millis = () => this.#now
    const nanos = () => BigInt(Math.round(this.#now * 1e6))
    this.clock = {
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: nanos,
      monotonicTimeNanos: Effect.sync(nanos),
      sleep: (duration) => this.#sleep(Duration.toMillis(duration))
    }
  }

  get now(): number {
    return this.#now
  }
  /** How many fibers wait for a time. */
  get sleepers(): number {
    return this.#sleepers.length
  }

  shouldYield(fiber: { readonly currentOpCount: number }): boolean {
    return fiber.currentOpCount >= this.#opsBeforeYield && this.#dice.chance(0.5)
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return { scheduleTask: (task) => void this.#tasks.push(task), flush: () => this.run() }
  }

  /** Runs until every fiber waits. */
  run(): void {
    for (let count = 0; this.#tasks.length > 0;) {
      const tasks = this.#tasks
      this.#tasks = []
      count += tasks.length
      if (count > mostTasksAtOnce) throw new Livelock(`more than ${mostTasksAtOnce} steps at one point in time`)
      for (const task of tasks) task()
    }
  }

  /** Lets time pass, and all that happens in it; `isOver` is asked after each moment in which something happened. */
  advance(millis: number, isOver: () => boolean = () => false): void {
    const until = this.#now + millis
    this.run()
    while (!isOver()) {
      const next = this.#sleepers[0]
      if (next === undefined || next.at > until) break
      this.#now = Math.max(this.#now, next.at)
      while (this.#sleepers[0] !== undefined && this.#sleepers[0].at <= this.#now) this.#sleepers.shift()!.wake()
      this.run()
    }
    if (!isOver()) this.#now = Math.max(this.#now, until)
  }

  /** Calls in so many milliseconds; returns what takes that back. */
  later(millis: number, call: () => void): () => void {
    const sleeper = { at: this.#now + Math.max(0, millis), order: ++this.#order, wake: call }
    const after = this.#sleepers.findIndex(({ at }) => at > sleeper.at)
    if (after === -1) this.#sleepers.push(sleeper)
    else this.#sleepers.splice(after, 0, sleeper)
    return () => {
      const at = this.#sleepers.indexOf(sleeper)
      if (at !== -1) this.#sleepers.splice(at, 1)
    }
  }

  #sleep(millis: number) {
    return Effect.callback<void>((resume) => Effect.sync(this.later(millis, () => resume(Effect.void))))
  }
}
