/**
 * Who reads sessions' events as they come, at this Troupe and at others on the ledger: what an agent says is stored in short
 * strides for somebody, and in long ones for nobody.
 */
import { Effect } from "effect"
import type { Clock, Scope } from "effect"
import type { SessionId } from "../domain/Ids.ts"

/** A reader at another Troupe, and one that only looked, counts so long after its last sign. */
const countsForMillis = 15_000

/** Stores what the agent of a session says. */
export interface EventWriter {
  /** Called when a reader comes, or the sign of one at another Troupe; there may be others. */
  readonly readerCame: () => void
  /** Stores what waits. */
  readonly flush: Effect.Effect<void>
}

export interface Readers {
  /** Counts as a reader until the scope closes. */
  readonly enter: (session: SessionId) => Effect.Effect<void, never, Scope.Scope>
  /** Counts as a reader for a while. */
  readonly look: (session: SessionId) => void
  readonly isRead: (session: SessionId) => boolean
  /** Registers the one that stores a session's events here, until the scope closes. */
  readonly writer: (session: SessionId, writer: EventWriter) => Effect.Effect<void, never, Scope.Scope>
  readonly flush: (session: SessionId) => Effect.Effect<void>
  /** The sessions that are read here. */
  readonly here: () => ReadonlyArray<SessionId>
}

/** `onFirst` gets a session that was not read here before. */
export const make = (clock: Clock.Clock, onFirst: (session: SessionId) => void): Readers => {
  const present = new Map<SessionId, number>()
  /** Until when each session counts as read without a reader that is present. */
  const until = new Map<SessionId, number>()
  /** When those that are over are looked for again. */
  let forgetAt = 0
  const writers = new Map<SessionId, EventWriter>()

  const isRead = (session: SessionId) => {
    if (present.has(session)) return true
    const at = until.get(session)
    if (at === undefined) return false
    if (at > clock.currentTimeMillisUnsafe()) return true
    until.delete(session)
    return false
  }

  return {
    enter: (session) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const others = present.get(session) ?? 0
          present.set(session, others + 1)
          writers.get(session)?.readerCame()
          if (others === 0) onFirst(session)
        }),
        () =>
          Effect.sync(() => {
            const others = (present.get(session) ?? 1) - 1
            if (others > 0) present.set(session, others)
            else present.delete(session)
          })
      ),
    look: (session) => {
      const now = clock.currentTimeMillisUnsafe()
      if (now >= forgetAt) {
        forgetAt = now + countsForMillis
        for (const [other, at] of until) if (at <= now) until.delete(other)
      }
      until.set(session, now + countsForMillis)
      writers.get(session)?.readerCame()
    },
    isRead,
    writer: (session, writer) =>
      Effect.acquireRelease(
        Effect.sync(() => void writers.set(session, writer)),
        () =>
          Effect.sync(() => {
            if (writers.get(session) === writer) writers.delete(session)
          })
      ),
    flush: (session) => Effect.suspend(() => writers.get(session)?.flush ?? Effect.void),
    here: () => [...present.keys()]
  }
}
