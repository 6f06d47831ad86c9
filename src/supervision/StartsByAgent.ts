/** How the starts of each agent went, since this Troupe was started: how many, how long, and the last that failed. */
import type { Failure } from "../domain/Turn.ts"

/** Of so many of the last good starts the time is kept. */
const kept = 200

export interface AgentStarts {
  readonly succeeded: number
  readonly failed: number
  /** Of the last good starts, from the spawn to the agent's readiness; `null`: there was none. */
  readonly p50Millis: number | null
  readonly p95Millis: number | null
  /** In milliseconds since 1970. */
  readonly lastFailure: { readonly at: number; readonly class: Failure["class"]; readonly message: string } | null
}

interface Starts {
  succeeded: number
  failed: number
  /** A ring. */
  readonly millis: Array<number>
  lastFailure: AgentStarts["lastFailure"]
}

export class StartsByAgent {
  readonly #agents = new Map<string, Starts>()

  succeeded(agent: string, millis: number): void {
    const record = this.#of(agent)
    record.millis[record.succeeded % kept] = millis
    record.succeeded += 1
  }

  failed(agent: string, { class: kind, message }: Pick<Failure, "class" | "message">, at: number): void {
    const record = this.#of(agent)
    record.failed += 1
    record.lastFailure = { at, class: kind, message }
  }

  agents(): ReadonlyArray<string> {
    return [...this.#agents.keys()]
  }

  of(agent: string): AgentStarts {
    const { failed, lastFailure, millis, succeeded } = this.#agents.get(agent) ?? none
    const sorted = millis.toSorted((a, b) => a - b)
    return { succeeded, failed, lastFailure, p50Millis: percentile(sorted, 0.5), p95Millis: percentile(sorted, 0.95) }
  }

  #of(agent: string): Starts {
    const known = this.#agents.get(agent)
    if (known !== undefined) return known
    const record: Starts = { succeeded: 0, failed: 0, millis: [], lastFailure: null }
    this.#agents.set(agent, record)
    return record
  }
}

const none = { succeeded: 0, failed: 0, millis: [], lastFailure: null }

/** The least that so many of them do not exceed. */
const percentile = (sorted: ReadonlyArray<number>, share: number): number | null =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null
