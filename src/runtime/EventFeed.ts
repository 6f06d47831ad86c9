/**
 * Streams sessions' events to live readers.
 *
 * The ledger is the buffer: a reader first gets the events stored after its cursor, then those that news tell of, without a
 * gap or a repeat. For a reader that falls behind, memory keeps nothing: it reads on from the ledger, as it does after news
 * without events.
 */
import { Cause, Context, Effect, Latch, Layer, Option, Stream } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import type { StoredEvent } from "../domain/Session.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import { News } from "./News.ts"
import type { SessionNews, Stored } from "./News.ts"

/**
 * Events that wait in memory for one reader, and the characters of their messages; with more it reads them from the ledger. A
 * reader of an agent that says much in many updates has a thousand behind it in a moment, and to read them costs more than to
 * keep them.
 */
const readerCapacity = 4_096
const readerCharacters = 2 * 1024 * 1024
const pageSize = 256

interface Reader {
  /** Told, and not taken yet. */
  waiting: Array<StoredEvent>
  characters: number
  /** The ledger may have events that `waiting` has not. */
  isBehind: boolean
  /** News without what was stored came: the session may have been closed. */
  mayBeClosed: boolean
  /** The stream ends when the reader has got everything. */
  isEnding: boolean
  /** Open while there may be something to read. */
  readonly readable: Latch.Latch
}

export class EventFeed extends Context.Service<
  EventFeed,
  {
    /** The events after `after`, in order. With `live: false` the stream ends with what is stored now. */
    readonly follow: (
      session: SessionId,
      after: number,
      options: { readonly live: boolean }
    ) => Stream.Stream<StoredEvent, LedgerError>
  }
>()("troupe/runtime/EventFeed") {
  static readonly layer = Layer.effect(
    EventFeed,
    Effect.gen(function* () {
      const ledger = yield* Ledger
      const news = yield* News

      const hear = (reader: Reader, { closed, stored }: SessionNews) => {
        const { characters, events } = stored ?? nothing
        reader.characters += characters
        if (
          stored === null ||
          reader.waiting.length + events.length > readerCapacity ||
          reader.characters > readerCharacters
        ) {
          forget(reader)
          reader.isBehind = true
        } else reader.waiting.push(...events)
        reader.mayBeClosed ||= stored === null
        if (closed) reader.isEnding = true
        if (reader.isBehind || events.length > 0 || closed) reader.readable.openUnsafe()
      }

      const follow = (session: SessionId, after: number, { live }: { readonly live: boolean }) =>
        Stream.unwrap(
          Effect.gen(function* () {
            const reader: Reader = {
              waiting: [],
              characters: 0,
              isBehind: true,
              mayBeClosed: false,
              isEnding: !live,
              readable: yield* Latch.make()
            }
            if (live) {
              yield* news.watch(session, (told) => hear(reader, told))
              yield* news.read(session)
            }
            let last = after

            const pull = Effect.gen(function* () {
              while (true) {
                yield* reader.readable.close
                if (reader.mayBeClosed) {
                  reader.mayBeClosed = false
                  // Before the events are read: a closed session gets no more of them.
                  const row = yield* ledger.session(session)
                  if (Option.isNone(row) || row.value.closedAt !== null) reader.isEnding = true
                }
                if (reader.isBehind) {
                  // Reset before the read: it sees every earlier commit, and `waiting` gets every later one.
                  reader.isBehind = false
                  forget(reader)
                  const page = yield* ledger.events(session, last, pageSize)
                  if (page.length === pageSize) reader.isBehind = true
                  if (isNonEmpty(page)) {
                    last = page[page.length - 1]!.seq
                    return page
                  }
                }
                const fresh = reader.waiting.filter(({ seq }) => seq > last)
                forget(reader)
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

      return EventFeed.of({ follow })
    })
  )
}

const nothing: Pick<Stored, "characters" | "events"> = { events: [], characters: 0 }

const forget = (reader: Reader) => {
  reader.waiting = []
  reader.characters = 0
}

const isNonEmpty = <A>(items: ReadonlyArray<A>): items is readonly [A, ...ReadonlyArray<A>] => items.length > 0
