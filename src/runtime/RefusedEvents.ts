/**
 * Events that sessions' machines refused, as far back as memory reaches: a refusal changes nothing, so no book has it.
 *
 * For whoever asks why nothing happened. Gone with this process; the last of each session, and of a session that was
 * long quiet none.
 */
import type { SessionId } from "../domain/Ids.ts"

export interface Refusal {
  readonly event: string
  readonly state: string
  readonly at: number
}

export interface Refusals {
  readonly note: (session: SessionId, refusal: Refusal) => void
  /** Oldest first. */
  readonly of: (session: SessionId) => ReadonlyArray<Refusal>
}

const mostOfOne = 32
const mostSessions = 1_024

export const make = (): Refusals => {
  const noted = new Map<SessionId, ReadonlyArray<Refusal>>()
  return {
    note: (session, refusal) => {
      const before = noted.get(session) ?? []
      // The last refused stands last, so the first is the one that gives way.
      noted.delete(session)
      noted.set(session, [...before, refusal].slice(-mostOfOne))
      const [oldest] = noted.keys()
      if (noted.size > mostSessions && oldest !== undefined) noted.delete(oldest)
    },
    of: (session) => noted.get(session) ?? []
  }
}
