/**
 * Whoever in this process looks at what sessions become: told after each commit, in order, in the same breath.
 *
 * Nothing is missed here, so a picture can be kept true by it; it costs a session that nobody looks at one look into a
 * map. Who listens here must be quick, and only sees what is stored.
 */
import type { SessionEvent, SessionSnapshot } from "../../machines/session/machine.ts"
import type { ApprovalRecord } from "../domain/Approval.ts"
import type { SessionId } from "../domain/Ids.ts"
import type { SessionRecord } from "../domain/Session.ts"

/** A timer of a session that is stored in the ledger, and when it is due, in milliseconds since 1970. */
export interface NextTimer {
  readonly timer: string
  readonly dueAt: number
}

export interface Committed {
  readonly record: SessionRecord
  readonly seq: number
  readonly at: number
  readonly event: SessionEvent
  readonly before: SessionSnapshot
  readonly snapshot: SessionSnapshot
  /** When it came to where it stands. */
  readonly since: number
  readonly next: NextTimer | null
  /** The question that came with this step. */
  readonly newApproval: Pick<ApprovalRecord, "id" | "title"> | null
}

/** A session that came into being, or was deleted: no step of its machine. */
export interface SessionLifecycle {
  readonly what: "created" | "removed"
  readonly record: SessionRecord
}

type Listener = (stored: Committed) => void

export interface CommitObservers {
  readonly notify: (stored: Committed) => void
  /** Of one session, or of all. Returns what lets go of it. */
  readonly observe: (session: SessionId | null, listener: Listener) => () => void
  readonly notifyLifecycle: (coming: SessionLifecycle) => void
  readonly observeLifecycle: (listener: (coming: SessionLifecycle) => void) => () => void
}

/** `complain` hears of a listener that threw; its neighbours and the session go on. */
export const make = (complain: (session: SessionId, error: unknown) => void): CommitObservers => {
  const listeners = new Map<SessionId | null, Set<Listener>>()

  const waiting = new Set<(coming: SessionLifecycle) => void>()

  const tellThose = <A extends { readonly record: SessionRecord }>(
    those: ReadonlySet<(news: A) => void> | undefined,
    news: A
  ) => {
    if (those === undefined) return
    for (const listener of those) {
      try {
        listener(news)
      } catch (error) {
        complain(news.record.id, error)
      }
    }
  }

  return {
    notifyLifecycle: (coming) => tellThose(waiting, coming),
    observeLifecycle: (listener) => {
      waiting.add(listener)
      return () => void waiting.delete(listener)
    },
    notify: (stored) => {
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
