/**
 * The fact that this process did not run for a while: it was stopped, its machine slept, or the machine's clock was set.
 *
 * Without it, all deadlines that lie in such an interval would pass at once when it ends, before the answers that wait in
 * the agents' pipes are read. `src/runtime/suspensionWatch.ts` notices it.
 */
import { Context } from "effect"

export interface SuspensionWatch {
  /**
   * Looks now, and calls every observer with how far the wall clock has moved while nothing ran, in milliseconds: negative
   * where it was set back. It also looks by itself every second.
   */
  readonly look: () => void
  /** For deadlines that are times of the wall clock. */
  readonly observe: (onSuspended: (millis: number) => void) => void
  /**
   * For deadlines that are durations: for how long, in all until the last look, timers went on while nothing ran, in
   * milliseconds. They do while the process is stopped, and do not while the machine sleeps or when its clock is set.
   */
  readonly stoppedMillis: () => number
}

/** The default watches nothing: a test's clock jumps on purpose. */
export const Suspension = Context.Reference<SuspensionWatch>("troupe/domain/Suspension", {
  defaultValue: () => ({ look: () => {}, observe: () => {}, stoppedMillis: () => 0 })
})
