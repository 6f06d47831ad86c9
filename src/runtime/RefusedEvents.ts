/**
 * Events that sessions' machines refused, as far back as memory reaches: a refusal changes nothing, so no book has it.
 *
 * For whoever asks why nothing happened. Gone with this process; the last of each session, and of a session that was
 * long quiet none.
 */
import type { SessionId } from "../domain/Ids.ts"

export interface RefusedEvent {
  readonly event: string
  readonly state: string
  readonly at: number
}

export interface RefusedEvents {
  readonly note: (session: SessionId, refusal: RefusedEvent) => void
  /** Oldest first. */
  readonly of: (session: SessionId) => ReadonlyArray<RefusedEvent>
}

const mostOfOne = 32
const mostSessions = 1_024

export const make = (): RefusedEvents => {
  const bySession = new Map<SessionId, ReadonlyArray<RefusedEvent>>()
  return {
    note: (session, refusal) => {
      const before = bySession.get(session) ?? []
      // The last refused stands last, so the first is the one that gives way.
      bySession.delete(session)
      bySession.set(session, [...before, refusal].slice(-mostOfOne))
      const [oldest] = bySession.keys()
      if (bySession.size > mostSessions && oldest !== undefined) bySession.delete(oldest)
    },
    of: (session) => bySession.get(session) ?? []
  }
}
