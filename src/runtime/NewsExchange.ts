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

/** Between two announcements. The first after a pause goes out at once. */
const announcedEvery = "25 millis"

export interface NewsExchange {
  readonly announce: (news: SessionNews) => void
  readonly announceLifecycle: (lifecycle: SessionLifecycle) => void
}

/** What is done with the news of others. */
export interface Hearer {
  readonly told: (news: SessionNews) => void
  readonly removed: (record: RemovedSession) => void
  readonly missed: () => void
}

export const make = Effect.fnUntraced(function* (
  announcements: Announcements,
  hearer: Hearer
): Effect.fn.Return<NewsExchange, never, Scope.Scope> {
  const sessions = new Map<SessionId, Notes.Told>()
  let removed: Array<RemovedSession> = []
  const someWait = yield* Latch.make()

  const hear = (text: string) => {
    const note = Notes.read(text)
    if (note === null) return
    if (note._tag === "Removed") return hearer.removed(note)
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
    const notes = [...[...sessions.values()].map(Notes.ofTold), ...removed.map(Notes.ofRemoved)]
    sessions.clear()
    removed = []
    if (notes.length > 0) yield* announcements.announce(notes)
    yield* Effect.sleep(announcedEvery)
  })
  yield* Effect.forkScoped(Effect.forever(announceAll))

  return {
    announce: ({ stored: _, ...told }) => {
      if (!announcements.hasListeners()) return
      sessions.set(told.session, Notes.merged(sessions.get(told.session), told))
      someWait.openUnsafe()
    },
    announceLifecycle: (lifecycle) => {
      if (lifecycle.what === "missed" || !announcements.hasListeners()) return
      const { id } = lifecycle.record
      if (lifecycle.what === "removed") removed.push(lifecycle.record)
      else sessions.set(id, { session: id, step: 0, event: 0, stepped: true, settled: [], closed: false })
      someWait.openUnsafe()
    }
  }
})
