/** A process that is stopped (SIGSTOP) and goes on later: until then it does nothing and learns of nothing. */
import { Effect } from "effect"
import type { Clock, Scheduler } from "effect"
import type { SimulatedTime } from "./SimulatedTime.ts"

export class Freezing {
  #isFrozen = false
  #held: Array<() => void> = []

  get isFrozen(): boolean {
    return this.#isFrozen
  }

  freeze(): void {
    this.#isFrozen = true
  }

  thaw(): void {
    if (!this.#isFrozen) return
    this.#isFrozen = false
    const held = this.#held
    this.#held = []
    // One of them may freeze it again.
    for (const call of held) this.whenAwake(call)
  }

  /** Now, or when the process goes on. */
  readonly whenAwake = (call: () => void): void => {
    if (this.#isFrozen) this.#held.push(call)
    else call()
  }

  /** A fiber that comes here waits until the process goes on. */
  readonly pause: Effect.Effect<void> = Effect.suspend(() =>
    this.#isFrozen ? Effect.callback<void>((resume) => this.whenAwake(() => resume(Effect.void))) : Effect.void
  )

  scheduler(time: SimulatedTime): Scheduler.Scheduler {
    return {
      executionMode: time.executionMode,
      shouldYield: (fiber) => time.shouldYield(fiber),
      makeDispatcher: () => {
        const { flush, scheduleTask } = time.makeDispatcher()
        return { scheduleTask: (task, priority) => scheduleTask(() => this.whenAwake(task), priority), flush }
      }
    }
  }

  clock({ clock }: SimulatedTime): Clock.Clock {
    return { ...clock, sleep: (duration) => Effect.andThen(clock.sleep(duration), this.pause) }
  }
}
