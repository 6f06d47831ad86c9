/**
 * How long this node has been in contact with the ledger: only who has been so for a lease's length declares others dead.
 *
 * Whoever was out of contact leaves the others that long to renew their leases, since the ledger may have been away for them,
 * too. And whoever is asked by another node while it is out of contact *holds off*: it declares nobody dead for a lease's
 * length from then on, so that the other one's agents may go on meanwhile (decision 0034).
 */
import { later, millisBetween } from "../agent/warden/instant.ts"
import type { Instant } from "../agent/warden/instant.ts"

/** Parts of a lease. A node whose last renewal is longer ago is out of contact, as far as others may know. */
const outOfContact = 0.3
/** A longer pause between two renewals ends a contact. */
const pause = 0.5
/** So far the database's clock may be ahead of where it was by one renewal, and is not taken for set. */
const clockSlack = 0.1

export interface Renewal {
  /** Before it was sent, and when it had been read back. */
  readonly began: Instant
  readonly heard: Instant
  /** By the database's clock. */
  readonly at: number
}

export class NodeContact {
  readonly #leaseMillis: number
  #last: Renewal | null = null
  /** The contact counts from then on. */
  #since: Instant

  constructor(leaseMillis: number, now: Instant) {
    this.#leaseMillis = leaseMillis
    this.#since = now
  }

  /** The database says that it has taken place. */
  renewed(renewal: Renewal): void {
    const { began, heard } = this.#last ?? { began: this.#since, heard: this.#since }
    const isPause = millisBetween(heard, renewal.heard) > pause * this.#leaseMillis
    if (isPause || this.#clockWasSet(began, renewal)) this.#since = renewal.heard
    this.#last = renewal
  }

  /** A lease ends by the database's clock: set forward, or another server's, that would end the leases of all. */
  #clockWasSet(began: Instant, { at, heard }: Renewal): boolean {
    if (this.#last === null) return false
    const passed = at - this.#last.at
    return passed < 0 || passed > millisBetween(began, heard) + clockSlack * this.#leaseMillis
  }

  /** For how long this node declares nobody dead, from now on; `null`: it promises nothing, for it reaches the ledger. */
  holdOff(now: Instant): number | null {
    if (this.#last === null || !this.#isAgo(this.#last.heard, now, outOfContact)) return null
    this.#since = now
    return this.#leaseMillis
  }

  /** To be asked after the renewal was read by which others are judged. */
  isSteady(now: Instant): boolean {
    if (this.#last === null || this.#isAgo(this.#last.heard, now, pause)) return false
    // Not by the clock that may be set.
    return now.monotonic - this.#since.monotonic >= this.#leaseMillis
  }

  #isAgo(then: Instant, now: Instant, part: number): boolean {
    return millisBetween(later(then, part * this.#leaseMillis), now) > 0
  }
}
