/**
 * What the ledger has of one session, in memory while its actor runs: the one holder of its record and snapshot.
 *
 * Only the actor advances it, after a commit; everybody else reads.
 */
import type { SessionEvent, SessionSnapshot } from "../../machines/session/machine.ts"
import { stateInfo, stateName } from "../../machines/session/stateInfo.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { EventRefused } from "./Envelope.ts"
import type { CommittedStep } from "./commit.ts"

export interface SessionState {
  readonly record: SessionRecord
  readonly snapshot: SessionSnapshot
  /** The number of its last step. */
  readonly seq: number
  /** When it entered its present state, in milliseconds since 1970. */
  readonly since: number
}

export class Session implements SessionState {
  #record: SessionRecord
  #snapshot: SessionSnapshot
  #seq: number
  #since: number

  constructor(record: SessionRecord, snapshot: SessionSnapshot, seq: number) {
    this.#record = record
    this.#snapshot = snapshot
    this.#seq = seq
    this.#since = record.lastActivityAt
  }

  get record(): SessionRecord {
    return this.#record
  }
  get snapshot(): SessionSnapshot {
    return this.#snapshot
  }
  get seq(): number {
    return this.#seq
  }
  get since(): number {
    return this.#since
  }

  /** The turn that is open; `null` where none is. */
  get openTurn(): number | null {
    return this.#snapshot.hasTag("turnOpen") ? this.#snapshot.context.turn : null
  }

  advance({ at, decision, from, record, seq, to }: CommittedStep): void {
    this.#record = record
    this.#snapshot = decision.next
    this.#seq = seq
    if (from !== to) this.#since = at
  }

  /** The answer to an event that the present state draws no arrow for. */
  refusal(event: SessionEvent): EventRefused {
    const { closing, limit, queue, reason, turn } = this.#snapshot.context
    const state = stateName(this.#snapshot)
    return new EventRefused({
      id: this.#record.id,
      event: event.type,
      state,
      closing: closing || this.#snapshot.status === "done",
      parked: stateInfo[state].process === "parked",
      turn,
      waiting: queue.length,
      limit: limit.pauseMillis > 0 ? { until: limit.until, reason } : null
    })
  }
}
