/**
 * Exchanges news with the other Troupes on the same ledger: what this one commits is announced to them, once for all that
 * one session committed meanwhile, and what they announce is told here.
 */
import { Effect, Latch } from "effect"
import type { Scope } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import type { Announcements } from "../ledger/Ledger.ts"
import type { RemovedSession, SessionLifecycle, SessionNews } from "./SessionNews.ts"
import * as Notes from "./newsNotes.ts"

/** Others forget a reader three renewals after its last. */
const renewedEvery = "5 seconds"
/** Between two announcements. The first after a pause goes out at once. */
const announcedEvery = "25 millis"

export interface NewsExchange {
  readonly announce: (news: SessionNews) => void
  readonly announceLifecycle: (lifecycle: SessionLifecycle) => void
  /** The session's events are read here from now on. */
  readonly announceReader: (session: SessionId) => void
}

/** Whoever has this Troupe's own readers and listeners. */
export interface Hearer {
  readonly told: (news: SessionNews) => void
  readonly removed: (record: RemovedSession) => void
  readonly moved: () => void
  readonly missed: () => void
  /** Somebody reads the session's events at another Troupe, or did a few seconds ago. */
  readonly read: (session: SessionId) => void
  /** The sessions whose events are read here. */
  readonly readHere: () => ReadonlyArray<SessionId>
}

export const make = Effect.fnUntraced(function* (
  announcements: Announcements,
  hearer: Hearer
): Effect.fn.Return<NewsExchange, never, Scope.Scope> {
  const sessions = new Map<SessionId, Notes.Told>()
  let removed: Array<RemovedSession> = []
  let someMoved = false
  const newlyRead = new Set<SessionId>()
  const someWait = yield* Latch.make()

  const hear = (text: string) => {
    const note = Notes.read(text)
    if (note === null) return
    if (note._tag === "Removed") return hearer.removed(note)
    if (note._tag === "Moved") return hearer.moved()
    if (note._tag === "Reading") return note.sessions.forEach(hearer.read)
    const { _tag: _, ...told } = note
    hearer.told({ ...told, stored: null })
  }
  yield* announcements.listen((heard) => {
    if (heard._tag === "Missed") hearer.missed()
    else heard.notes.forEach(hear)
  })

  const announceAll = Effect.gen(function* () {
    yield* someWait.await
    yield* someWait.close
    const notes = [
      ...Notes.ofReading([...newlyRead]),
      ...[...sessions.values()].map(Notes.ofTold),
      ...removed.map(Notes.ofRemoved),
      ...(someMoved ? [Notes.moved] : [])
    ]
    someMoved = false
    newlyRead.clear()
    sessions.clear()
    removed = []
    if (notes.length > 0) yield* announcements.announce(notes)
    yield* Effect.sleep(announcedEvery)
  })
  yield* Effect.forkScoped(Effect.forever(announceAll))
  const renew = Effect.suspend(() => {
    const sessions = announcements.hasListeners() ? hearer.readHere() : []
    return sessions.length === 0 ? Effect.void : announcements.announce(Notes.ofReading(sessions))
  })
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(renewedEvery), renew)))

  return {
    announce: ({ stored: _, ...told }) => {
      if (!announcements.hasListeners()) return
      sessions.set(told.session, Notes.merged(sessions.get(told.session), told))
      someWait.openUnsafe()
    },
    announceLifecycle: (lifecycle) => {
      if (lifecycle.what === "missed" || !announcements.hasListeners()) return
      if (lifecycle.what === "moved") someMoved = true
      else if (lifecycle.what === "removed") removed.push(lifecycle.record)
      else sessions.set(lifecycle.record.id, createdNote(lifecycle.record.id))
      someWait.openUnsafe()
    },
    announceReader: (session) => {
      if (!announcements.hasListeners()) return
      newlyRead.add(session)
      someWait.openUnsafe()
    }
  }
})

const createdNote = (session: SessionId): Notes.Told => ({
  session,
  step: 0,
  event: 0,
  stepped: true,
  settled: [],
  closed: false
})
