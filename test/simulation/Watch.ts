/** What must hold of each step as it is committed: who is asked to make room, and how often and when agents come back. */
import { countsAgainstBudget } from "../../machines/session/failures.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import type { Committed } from "../../src/runtime/News.ts"
import type { SlotsState } from "../../src/runtime/ProcessSlots.ts"
import type { World } from "./World.ts"

/** Jitter adds a fifth at most, so a doubled wait is longer than this much of the one before. */
const leastGrowth = 1.6
const longestBackoffMillis = 30_000

export class Watch {
  /** In which order the sessions that have nothing to do came to that. */
  readonly #idle = new Map<SessionId, number>()
  readonly #deaths = new Map<SessionId, ReadonlyArray<number>>()
  readonly #backoffs = new Map<SessionId, { readonly attempt: number; readonly millis: number }>()
  readonly #world: World
  #order = 0

  constructor(world: World) {
    this.#world = world
  }

  /** What is only known to a runtime that is up. */
  restarted(): void {
    this.#idle.clear()
  }

  committed(committed: Committed, slots: SlotsState): void {
    this.#leastRecentlyUsedLeaves(committed, slots)
    this.#deathsAreLimited(committed)
    this.#backoffGrows(committed)
  }

  #leastRecentlyUsedLeaves({ before, event, record, snapshot }: Committed, { idle }: SlotsState): void {
    const { id } = record
    if (
      event.type === "hibernate.requested" &&
      event.reason.startsWith("another session") &&
      before.hasTag("evictable")
    ) {
      const order = this.#idle.get(id) ?? 0
      const longer = idle.find((other) => other !== id && (this.#idle.get(other) ?? order) < order)
      if (longer !== undefined) {
        const detail = `${this.#world.name(id)} was asked to leave, and ${this.#world.name(longer)} has been idle longer`
        this.#world.violate("the session that was idle longest makes room", detail)
      }
    }
    if (!snapshot.hasTag("evictable")) this.#idle.delete(id)
    else if (!before.hasTag("evictable")) this.#idle.set(id, ++this.#order)
  }

  #deathsAreLimited({ at, before, event, record, snapshot }: Committed): void {
    const { id } = record
    const { crashed, limit, restarts } = snapshot.context
    const isForgiven = restarts.exits.length === 0 && before.context.restarts.exits.length > 0
    // A start that succeeds proves nothing.
    if (isForgiven && !event.type.startsWith("process.")) this.#deaths.delete(id)
    const isDeath = event.type === "process.exited" || event.type === "process.failed"
    if (!isDeath || !crashed || limit.pauseMillis > 0 || !countsAgainstBudget(event.failure)) return
    const { restartIntensity, restartPeriodMillis } = defaultLimits
    const recent = [...(this.#deaths.get(id) ?? []), at].filter((death) => at - death < restartPeriodMillis)
    this.#deaths.set(id, recent)
    if (recent.length > restartIntensity + 1) {
      this.#world.violate(
        "an agent that keeps dying is left alone",
        `${recent.length} deaths of ${this.#world.name(id)}`
      )
    }
  }

  #backoffGrows({ record, snapshot }: Committed): void {
    const { attempt, backoffMillis: millis } = snapshot.context.restarts
    const before = this.#backoffs.get(record.id)
    if (attempt === 0) this.#backoffs.delete(record.id)
    if (attempt === 0 || millis === 0 || attempt === before?.attempt) return
    this.#backoffs.set(record.id, { attempt, millis })
    if (before === undefined || attempt < before.attempt) return
    if (millis < Math.min(longestBackoffMillis, leastGrowth * before.millis)) {
      this.#world.violate("each restart waits longer than the last", `${millis} ms after ${before.millis} ms`)
    }
  }
}
