/**
 * Streams sessions' events to live readers.
 *
 * The ledger is the buffer: a reader first gets the events stored after its cursor, then those published, without a gap
 * or a repeat. For a reader that falls behind, memory keeps nothing: it reads on from the ledger.
 */
import { Cause, Context, Effect, Latch, Layer, Stream } from "effect"
import type { Scope } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import type { StoredEvent } from "../domain/Session.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"

/** Events that wait in memory for one reader; with more it reads them from the ledger. */
const readerCapacity = 256
const pageSize = 256

interface Reader {
  waiting: Array<StoredEvent>
  /** The ledger may have events that `waiting` has not. */
  isBehind: boolean
  /** The stream ends when the reader has got everything. */
  isEnding: boolean
  /** Open while there may be something to read. */
  readonly readable: Latch.Latch
}

export class EventFeed extends Context.Service<
  EventFeed,
  {
    /** To be called after the commit, in order of `seq`; `stepped`: the commit held more than events. */
    readonly publish: (session: SessionId, events: ReadonlyArray<StoredEvent>, stepped: boolean) => void
    /** The session is closed: its readers' streams end when they have got everything. */
    readonly finish: (session: SessionId) => void
    /** The events after `after`, in order. With `live: false` the stream ends with what is stored now. */
    readonly follow: (
      session: SessionId,
      after: number,
      options: { readonly live: boolean }
    ) => Stream.Stream<StoredEvent, LedgerError>
    /** Calls after each commit of the session, until the scope closes. The callee reads the ledger by itself. */
    readonly watch: (session: SessionId, call: (stepped: boolean) => void) => Effect.Effect<void, never, Scope.Scope>
    readonly readers: () => number
  }
>()("troupe/runtime/EventFeed") {
  static readonly layer = Layer.effect(
    EventFeed,
    Effect.gen(function* () {
      const ledger = yield* Ledger
      const readers = new Map<SessionId, Set<Reader>>()
      const watchers = new Map<SessionId, Set<(stepped: boolean) => void>>()

      const publish = (session: SessionId, events: ReadonlyArray<StoredEvent>, stepped: boolean) => {
        for (const call of watchers.get(session) ?? []) call(stepped)
        if (events.length === 0) return
        for (const reader of readers.get(session) ?? []) {
          if (reader.waiting.length + events.length > readerCapacity) {
            reader.waiting = []
            reader.isBehind = true
          } else reader.waiting.push(...events)
          reader.readable.openUnsafe()
        }
      }

      const finish = (session: SessionId) => {
        for (const call of watchers.get(session) ?? []) call(true)
        for (const reader of readers.get(session) ?? []) {
          reader.isEnding = true
          reader.readable.openUnsafe()
        }
      }

      const register = (session: SessionId, reader: Reader) => registerIn(readers, session, reader)

      const follow = (session: SessionId, after: number, { live }: { readonly live: boolean }) =>
        Stream.unwrap(
          Effect.gen(function* () {
            const reader: Reader = { waiting: [], isBehind: true, isEnding: !live, readable: yield* Latch.make() }
            if (live) yield* register(session, reader)
            let last = after

            const pull = Effect.gen(function* () {
              while (true) {
                yield* reader.readable.close
                if (reader.isBehind) {
                  // Reset before the read: it sees every earlier commit, and `waiting` gets every later one.
                  reader.isBehind = false
                  reader.waiting = []
                  const page = yield* ledger.events(session, last, pageSize)
                  if (page.length === pageSize) reader.isBehind = true
                  if (isNonEmpty(page)) {
                    last = page[page.length - 1]!.seq
                    return page
                  }
                }
                const fresh = reader.waiting.filter(({ seq }) => seq > last)
                reader.waiting = []
                if (isNonEmpty(fresh)) {
                  if (fresh[0].seq !== last + 1) {
                    reader.isBehind = true
                    continue
                  }
                  last = fresh[fresh.length - 1]!.seq
                  return fresh
                }
                if (reader.isEnding) return yield* Cause.done()
                yield* reader.readable.await
              }
            })
            return Stream.fromPull(Effect.succeed(pull))
          })
        )

      return EventFeed.of({
        publish,
        finish,
        follow,
        watch: (session, call) => registerIn(watchers, session, call),
        readers: () => [...readers.values()].reduce((sum, { size }) => sum + size, 0)
      })
    })
  )
}

/** Until the scope closes. */
const registerIn = <A>(bySession: Map<SessionId, Set<A>>, session: SessionId, member: A) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const members = bySession.get(session)
      if (members === undefined) bySession.set(session, new Set([member]))
      else members.add(member)
    }),
    () =>
      Effect.sync(() => {
        const members = bySession.get(session)
        members?.delete(member)
        if (members?.size === 0) bySession.delete(session)
      })
  )

const isNonEmpty = <A>(items: ReadonlyArray<A>): items is readonly [A, ...ReadonlyArray<A>] => items.length > 0
