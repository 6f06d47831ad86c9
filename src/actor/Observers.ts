/**
 * Whoever in this process looks at what sessions become: told after each commit, in order, in the same breath.
 *
 * Unlike the hub of steps this misses nothing, so it is for those who keep a picture true; it costs a session that
 * nobody looks at one look into a map. Who listens here must be quick, and only sees what is stored.
 */
import type { SessionEvent, SessionSnapshot } from "../../machines/session.ts"
import type { SessionId } from "../domain/Ids.ts"
import type { SessionRecord } from "../domain/Session.ts"

export interface Stored {
  readonly record: SessionRecord
  readonly seq: number
  readonly at: number
  readonly event: SessionEvent
  readonly before: SessionSnapshot
  readonly snapshot: SessionSnapshot
}

type Listener = (stored: Stored) => void

export interface Observers {
  readonly tell: (stored: Stored) => void
  /** Of one session, or of all. Returns what lets go of it. */
  readonly observe: (session: SessionId | null, listener: Listener) => () => void
}

/** `complain` hears of a listener that threw; its neighbours and the session go on. */
export const make = (complain: (session: SessionId, error: unknown) => void): Observers => {
  const listeners = new Map<SessionId | null, Set<Listener>>()

  const tellThose = (those: ReadonlySet<Listener> | undefined, stored: Stored) => {
    if (those === undefined) return
    for (const listener of those) {
      try {
        listener(stored)
      } catch (error) {
        complain(stored.record.id, error)
      }
    }
  }

  return {
    tell: (stored) => {
      if (listeners.size === 0) return
      tellThose(listeners.get(stored.record.id), stored)
      tellThose(listeners.get(null), stored)
    },
    observe: (session, listener) => {
      const those = listeners.get(session) ?? new Set()
      listeners.set(session, those)
      those.add(listener)
      return () => {
        those.delete(listener)
        if (those.size === 0 && listeners.get(session) === those) listeners.delete(session)
      }
    }
  }
}
