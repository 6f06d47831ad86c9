/**
 * Live readers of sessions' events.
 *
 * The ledger is the buffer: a reader first gets what is stored after its cursor, then what is published, without a gap
 * or a repeat. One that falls behind loses its place in memory, not in the stream: it goes back to the ledger.
 */
import { Cause, Context, Effect, Latch, Layer, Stream } from "effect"
import type { Scope } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import type { StoredEvent } from "../domain/Session.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"

/** Events that wait in memory for one reader; past that it reads them from the ledger. */
const readerCapacity = 256
const pageSize = 256

interface Reader {
  waiting: Array<StoredEvent>
  /** The ledger may hold something that `waiting` does not. */
  behind: boolean
  ended: boolean
  readonly news: Latch.Latch
}

export class EventFeed extends Context.Service<
  EventFeed,
  {
    /** Call after the commit, in order of `seq`; `stepped`: more than events was in it. */
    readonly publish: (session: SessionId, events: ReadonlyArray<StoredEvent>, stepped: boolean) => void
    /** The session is closed: its readers end when they have got everything. */
    readonly finish: (session: SessionId) => void
    /** `live: false` ends with what is stored now. */
    readonly follow: (
      session: SessionId,
      after: number,
      options: { readonly live: boolean }
    ) => Stream.Stream<StoredEvent, LedgerError>
    /** `call` after each commit of the session, until the scope closes: for whoever reads the ledger itself. */
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
            reader.behind = true
          } else reader.waiting.push(...events)
          reader.news.openUnsafe()
        }
      }

      const finish = (session: SessionId) => {
        for (const call of watchers.get(session) ?? []) call(true)
        for (const reader of readers.get(session) ?? []) {
          reader.ended = true
          reader.news.openUnsafe()
        }
      }

      const register = (session: SessionId, reader: Reader) => keepIn(readers, session, reader)

      const follow = (session: SessionId, after: number, { live }: { readonly live: boolean }) =>
        Stream.unwrap(
          Effect.gen(function* () {
            const reader: Reader = { waiting: [], behind: true, ended: !live, news: yield* Latch.make() }
            if (live) yield* register(session, reader)
            let last = after

            const pull = Effect.gen(function* () {
              while (true) {
                yield* reader.news.close
                if (reader.behind) {
                  // Before the read: what is committed by now is in it, what is published from now on is in `waiting`.
                  reader.behind = false
                  reader.waiting = []
                  const page = yield* ledger.events(session, last, pageSize)
                  if (page.length === pageSize) reader.behind = true
                  if (isFilled(page)) {
                    last = page[page.length - 1]!.seq
                    return page
                  }
                }
                const fresh = reader.waiting.filter(({ seq }) => seq > last)
                reader.waiting = []
                if (isFilled(fresh)) {
                  if (fresh[0].seq !== last + 1) {
                    reader.behind = true
                    continue
                  }
                  last = fresh[fresh.length - 1]!.seq
                  return fresh
                }
                if (reader.ended) return yield* Cause.done()
                yield* reader.news.await
              }
            })
            return Stream.fromPull(Effect.succeed(pull))
          })
        )

      return EventFeed.of({
        publish,
        finish,
        follow,
        watch: (session, call) => keepIn(watchers, session, call),
        readers: () => [...readers.values()].reduce((sum, { size }) => sum + size, 0)
      })
    })
  )
}

/** Until the scope closes. */
const keepIn = <A>(all: Map<SessionId, Set<A>>, session: SessionId, one: A) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const known = all.get(session)
      if (known === undefined) all.set(session, new Set([one]))
      else known.add(one)
    }),
    () =>
      Effect.sync(() => {
        const known = all.get(session)
        known?.delete(one)
        if (known?.size === 0) all.delete(session)
      })
  )

const isFilled = <A>(items: ReadonlyArray<A>): items is readonly [A, ...ReadonlyArray<A>] => items.length > 0
