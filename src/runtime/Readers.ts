/**
 * Who reads sessions' events as they come, at this Troupe and at others on the ledger: what an agent says is stored in short
 * strides for somebody, and in long ones for nobody.
 */
import { Effect, Scope } from "effect"
import type { Clock } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import type { Alarms } from "./Alarms.ts"

/** A reader at another Troupe, and one that only looked, counts so long after its last sign. */
const countsForMillis = 15_000

/** Stores what the agent of a session says. */
export interface EventWriter {
  /** Called when a reader comes, or the sign of one at another Troupe; there may be others. */
  readonly readerCame: () => void
  /** Called when what waits is due to be stored (`Readers.wakeWriter`). */
  readonly isDue: () => void
  /** Stores what waits. */
  readonly flush: Effect.Effect<void, unknown>
}

export interface Readers {
  /** Counts as a reader until the scope closes. */
  readonly enter: (session: SessionId) => Effect.Effect<void, never, Scope.Scope>
  /** Counts as a reader for a while. */
  readonly look: (session: SessionId) => void
  readonly isRead: (session: SessionId) => boolean
  /** Registers the one that stores a session's events here, until the scope closes. */
  readonly writer: (session: SessionId, writer: EventWriter) => Effect.Effect<void, never, Scope.Scope>
  /** Calls `isDue` of the session's writer at that time, in milliseconds since 1970, and not when it was to be called before. */
  readonly wakeWriter: (session: SessionId, at: number) => void
  readonly flush: (session: SessionId) => Effect.Effect<void>
  /** The sessions that are read here. */
  readonly here: () => ReadonlyArray<SessionId>
}

/** `onFirst` gets a session that was not read here before. */
export const make = (clock: Clock.Clock, alarms: Alarms, onFirst: (session: SessionId) => void): Readers => {
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
      Effect.flatMap(Effect.scope, (scope) => {
        writers.set(session, writer)
        const leaves = Effect.sync(() => {
          if (writers.get(session) !== writer) return
          writers.delete(session)
          alarms.disarm(session)
        })
        return Scope.addFinalizer(scope, leaves)
      }),
    wakeWriter: (session, at) =>
      alarms.arm(session, at, () => {
        writers.get(session)?.isDue()
        return true
      }),
    flush: (session) => Effect.suspend(() => Effect.ignore(writers.get(session)?.flush ?? Effect.void)),
    here: () => [...present.keys()]
  }
}
