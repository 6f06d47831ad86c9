/** A point in time by both clocks of this machine, which all its processes share. */
import process from "node:process"

export interface Instant {
  /** Milliseconds since 1970. It may be set. */
  readonly wall: number
  /** Milliseconds of the system's monotonic clock (`process.hrtime`). It stands still while the machine sleeps. */
  readonly monotonic: number
}

export const now = (): Instant => ({ wall: Date.now(), monotonic: Number(process.hrtime.bigint() / 1_000_000n) })

/** By the clock that says that more time has passed. */
export const millisBetween = (from: Instant, to: Instant): number =>
  Math.max(to.wall - from.wall, to.monotonic - from.monotonic)

export const later = ({ monotonic, wall }: Instant, millis: number): Instant => ({
  wall: wall + millis,
  monotonic: monotonic + millis
})

/** Whether more time is left until the one than until the other, each by the clock that says that less is. */
export const isLonger = (one: Instant, other: Instant, at: Instant): boolean =>
  millisBetween(one, at) < millisBetween(other, at)
