/**
 * Events that sessions' machines refused, in memory only: a refusal changes nothing, so the ledger has no row of it.
 *
 * They explain why nothing happened. Kept are the last of each session, for the sessions that refused something most
 * recently, until this process ends.
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

const eventsPerSession = 32
const sessionsKept = 1_024

export const make = (): RefusedEvents => {
  const bySession = new Map<SessionId, ReadonlyArray<RefusedEvent>>()
  return {
    note: (session, refusal) => {
      const earlier = bySession.get(session) ?? []
      // Moves the session to the end: the first is the one whose last refusal is oldest.
      bySession.delete(session)
      bySession.set(session, [...earlier, refusal].slice(-eventsPerSession))
      const [oldest] = bySession.keys()
      if (bySession.size > sessionsKept && oldest !== undefined) bySession.delete(oldest)
    },
    of: (session) => bySession.get(session) ?? []
  }
}
