/**
 * The leases that the warden holds, and which of them may still start a process.
 *
 * A process must not start under a lease that was stored before this node's own lease ran out once: another node may have
 * claimed the session since, although this one has renewed its lease after that. The warden has ended what the lease had.
 */
import type { LeaseId } from "../domain/Ids.ts"
import type { Leader } from "./leaseSearch.ts"
import { isLonger, millisBetween } from "./warden/instant.ts"
import type { Instant } from "./warden/instant.ts"

export interface HeldLease {
  /** How many processes are being spawned. */
  spawning: number
  /** The agents' time was over once since the lease was held. */
  isOver: boolean
  readonly groups: Map<number, Leader>
}

export class HeldLeases extends Map<LeaseId, HeldLease> {
  #until: Instant | null = null

  /** Until when all may run; `null`: as long as this process does. */
  get until(): Instant | null {
    return this.#until
  }

  /** From before its first process is spawned. */
  hold(lease: LeaseId): HeldLease {
    const held = this.get(lease) ?? { spawning: 0, isOver: false, groups: new Map<number, Leader>() }
    this.set(lease, held)
    return held
  }

  mayStart(lease: LeaseId, now: Instant): boolean {
    return this.get(lease)?.isOver === false && !this.#isOver(now)
  }

  /** Whether that is later than what was known: two commits may end in another order than they began. */
  extend(until: Instant, now: Instant): boolean {
    if (this.#until !== null && isLonger(this.#until, until, now)) return false
    if (this.#isOver(now)) for (const held of this.values()) held.isOver = true
    this.#until = until
    return true
  }

  #isOver(now: Instant): boolean {
    return this.#until !== null && millisBetween(this.#until, now) > 0
  }
}
