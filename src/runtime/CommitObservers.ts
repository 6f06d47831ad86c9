/**
 * Observers of sessions' commits in this process. Each is called synchronously after each commit, in the commits' order.
 *
 * An observer misses no commit and sees nothing that is not stored, so a picture of a session can be kept true by it. It
 * must be quick: the session waits for it. A session that nobody observes pays one lookup in a map per commit.
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
  /** When the session entered its present state. */
  readonly since: number
  readonly next: NextTimer | null
  /** The approval that this step requested. */
  readonly newApproval: Pick<ApprovalRecord, "id" | "title"> | null
}

/** A session was created or deleted, which is no step of its machine. */
export interface SessionLifecycle {
  readonly what: "created" | "removed"
  readonly record: SessionRecord
}

type Listener<A> = (notice: A) => void

export interface CommitObservers {
  readonly notify: (committed: Committed) => void
  /** `null`: of all sessions. Returns what ends the observation. */
  readonly observe: (session: SessionId | null, listener: Listener<Committed>) => () => void
  readonly notifyLifecycle: (lifecycle: SessionLifecycle) => void
  readonly observeLifecycle: (listener: Listener<SessionLifecycle>) => () => void
}

/** `onError` gets what a listener threw; other listeners and the session continue. */
export const make = (onError: (session: SessionId, error: unknown) => void): CommitObservers => {
  const listeners = new Map<SessionId | null, Set<Listener<Committed>>>()
  const lifecycleListeners = new Set<Listener<SessionLifecycle>>()

  const callEach = <A extends { readonly record: SessionRecord }>(
    called: ReadonlySet<Listener<A>> | undefined,
    notice: A
  ) => {
    if (called === undefined) return
    for (const listener of called) {
      try {
        listener(notice)
      } catch (error) {
        onError(notice.record.id, error)
      }
    }
  }

  return {
    notifyLifecycle: (lifecycle) => callEach(lifecycleListeners, lifecycle),
    observeLifecycle: (listener) => {
      lifecycleListeners.add(listener)
      return () => void lifecycleListeners.delete(listener)
    },
    notify: (committed) => {
      if (listeners.size === 0) return
      callEach(listeners.get(committed.record.id), committed)
      callEach(listeners.get(null), committed)
    },
    observe: (session, listener) => {
      const ofSession = listeners.get(session) ?? new Set()
      listeners.set(session, ofSession)
      ofSession.add(listener)
      return () => {
        ofSession.delete(listener)
        if (ofSession.size === 0 && listeners.get(session) === ofSession) listeners.delete(session)
      }
    }
  }
}
