/** What the processes of a session used over the last minutes, for who looks; and who looks. Bounded in both directions. */
import { forgetOldest } from "../agent/forgetOldest.ts"
import type { ResourceUse } from "../agent/Processes.ts"
import type { SessionId } from "../domain/Ids.ts"

/** One a second: five minutes. */
const mostSamples = 300
const mostSessions = 64
/** A page asks every few seconds. */
const lookMillis = 15_000
/** Between two samples that are further apart nobody looked: of the time between them nothing is known. */
const mostApart = 5_000

export interface UseSample {
  /** In milliseconds since 1970. */
  readonly at: number
  readonly rssBytes: number
  /** How many processors it kept busy since the sample before. */
  readonly cpu: number
  readonly processes: number
}

interface Kept {
  readonly samples: Array<UseSample>
  cpu: ReadonlyMap<number, number>
}

export class UseSamples {
  readonly #sessions = new Map<SessionId, Kept>()

  add(session: SessionId, { cpu, processes, rssBytes }: ResourceUse, at: number): void {
    const kept = this.#sessions.get(session) ?? { samples: [], cpu }
    const before = kept.samples.at(-1)
    const seconds = before === undefined ? 0 : (at - before.at) / 1_000
    const isNext = seconds > 0 && seconds * 1_000 <= mostApart
    const sample = { at, rssBytes, processes, cpu: isNext ? usedSince(kept.cpu, cpu) / seconds : 0 }
    kept.samples.push(sample)
    if (kept.samples.length > mostSamples) kept.samples.shift()
    kept.cpu = cpu
    // The one that was measured last is forgotten last.
    this.#sessions.delete(session)
    this.#sessions.set(session, kept)
    forgetOldest(this.#sessions, mostSessions)
  }

  of(session: SessionId): ReadonlyArray<UseSample> {
    return [...(this.#sessions.get(session)?.samples ?? [])]
  }
}

/** A process that came since has used all of its time since; what one that has ended used last is not known. */
const usedSince = (before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): number =>
  after.entries().reduce((sum, [pid, seconds]) => sum + Math.max(0, seconds - (before.get(pid) ?? 0)), 0)

/** Which sessions somebody has looked at lately. */
export class Looks {
  readonly #until = new Map<SessionId, number>()

  note(session: SessionId, now: number): void {
    this.#until.delete(session)
    this.#until.set(session, now + lookMillis)
    forgetOldest(this.#until, mostSessions)
  }

  has(session: SessionId, now: number): boolean {
    return (this.#until.get(session) ?? 0) > now
  }

  hasAny(now: number): boolean {
    for (const [session, until] of this.#until) if (until <= now) this.#until.delete(session)
    return this.#until.size > 0
  }
}
