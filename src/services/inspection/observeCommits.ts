/**
 * Steps of sessions as they are, with the snapshot after each. Those of this process come right after their commit, inside
 * the session's loop, each one and in order: the listener must be quick. Of a session that another Troupe works on, the
 * last step is read after news of it, so some may be passed over.
 */
import { Effect } from "effect"
import { restore } from "../../../machines/session/machine.ts"
import type { SessionEvent, SessionSnapshot } from "../../../machines/session/machine.ts"
import type { SessionId } from "../../domain/Ids.ts"
import { SessionNotFound, Unavailable } from "../../domain/Refusal.ts"
import type { SessionRecord } from "../../domain/Session.ts"
import { Ledger } from "../../ledger/Ledger.ts"
import { sees } from "../../runtime/Caller.ts"
import type { Caller } from "../../runtime/Caller.ts"
import { cannot } from "../../runtime/errors.ts"
import { News } from "../../runtime/News.ts"
import type { Committed, SessionNews } from "../../runtime/News.ts"
import * as Rereads from "../../runtime/Rereads.ts"
import { SessionShared } from "../../runtime/SessionShared.ts"
import { Supervisor } from "../../supervision/Supervisor.ts"
import * as StoredPicture from "../storedPicture.ts"

/** A session as it was at one commit. */
export interface LoadedSession {
  readonly record: SessionRecord
  readonly snapshot: SessionSnapshot
}

/** `before` is `null` where the step was read from the ledger. */
export type ObservedStep = Pick<Committed, "record" | "seq" | "at" | "event" | "snapshot"> & {
  readonly before: SessionSnapshot | null
}

export const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const { machine } = yield* SessionShared
  const news = yield* News
  const readPicture = yield* StoredPicture.make
  const supervisor = yield* Supervisor

  /** Copies, since a view shows its session's next step too. */
  const loadedSessions = (caller: Caller): ReadonlyArray<LoadedSession> =>
    supervisor.views().flatMap(({ record, snapshot }) => (sees(caller, record) ? [{ record, snapshot }] : []))

  const snapshotOf = ({ id }: SessionRecord) =>
    Effect.suspend(() => {
      const loaded = supervisor.view(id)?.snapshot ?? null
      if (loaded !== null) return Effect.succeed(loaded)
      return Effect.flatMap(
        ledger.snapshot(id),
        (stored): Effect.Effect<SessionSnapshot, SessionNotFound | Unavailable> =>
          stored === null
            ? Effect.fail(new SessionNotFound({ id }))
            : Effect.try({
                try: () => restore(machine, stored),
                catch: (cause) => new Unavailable({ operation: "look at the session", cause })
              })
      )
    })

  return Effect.fnUntraced(function* (
    caller: Caller,
    session: SessionRecord | null,
    listener: (step: ObservedStep) => void
  ) {
    /** The last step of each that was passed on: news of other Troupes may tell of one again. */
    const last = new Map<SessionId, number>()
    const observe = (step: ObservedStep) => {
      const { record, seq, snapshot } = step
      if (!sees(caller, record) || seq <= (last.get(record.id) ?? 0)) return
      if (snapshot.status === "active") last.set(record.id, seq)
      else last.delete(record.id)
      listener(step)
    }
    const rereads = yield* Rereads.make((id) =>
      Effect.map(readPicture(id), (picture) => () => {
        if (picture === null || picture.step === null) return
        const { record, snapshot, step } = picture
        observe({ record, snapshot, seq: step.seq, at: step.at, event: step.event as SessionEvent, before: null })
      })
    )
    const hear = ({ session: id, stepped, stored }: SessionNews) => {
      if (stored === null && stepped) rereads.due(id)
      if (stored === null || stored.step === null) return
      rereads.drop(id)
      observe(stored.step)
    }
    // Synchronous on purpose: every commit is either in the snapshots that are returned, or reported to the listener.
    const { loaded } = yield* Effect.acquireRelease(
      Effect.sync(() => ({
        stops: [
          news.watchUnsafe(session?.id ?? null, hear),
          news.watchLifecycleUnsafe(({ what }) => {
            // Sessions that are not known yet are introduced with their next step.
            if (what === "missed" && session === null) for (const id of last.keys()) rereads.due(id)
          })
        ],
        loaded: session === null ? loadedSessions(caller) : []
      })),
      ({ stops }) => Effect.sync(() => stops.forEach((stop) => stop()))
    )
    return session === null ? loaded : [{ record: session, snapshot: yield* snapshotOf(session) }]
  }, cannot("look at the session"))
})
