/**
 * The one pen that writes in a session's book: what the agent said and what the machine decided, in one order.
 *
 * Chunks are coalesced here: the first is written at once, what follows at most every 50 ms or 4 kB, and the commit of
 * a step takes along whatever waits. Readers hear of an event after its commit, never before.
 */
import { Clock, Deferred, Effect, Metric, Semaphore } from "effect"
import type { AcpMessage } from "../domain/Acp.ts"
import type { SessionId } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerWrite, LedgerError } from "../ledger/Ledger.ts"
import { EventFeed } from "../runtime/EventFeed.ts"
import { eventsTotal } from "../runtime/Metrics.ts"
import { ChunkBuffer } from "./ChunkBuffer.ts"

const flushMillis = 50
const flushCharacters = 4096

export interface Journal {
  /** Awaited by whoever reads the agent, so that one who says too much waits for the ledger. */
  readonly append: (turn: number | null, message: AcpMessage) => Effect.Effect<void>
  /**
   * Runs alone: what `step` says and writes is one commit with all that waited. Its answer comes with the number of the
   * last event before it.
   */
  readonly commit: <A, E>(
    step: (draft: { readonly at: number; readonly news: (turn: number | null, message: AcpMessage) => void }) => {
      readonly entries: ReadonlyArray<LedgerWrite>
      readonly answer: A
    },
    /** In the same breath as the commit's success. */
    done: (answer: A, after: number, at: number) => Effect.Effect<E>
  ) => Effect.Effect<E, LedgerError>
  readonly flush: Effect.Effect<void, LedgerError>
  /** Nothing waits to be written and nothing is being written in strides. */
  readonly isIdle: () => boolean
}

/** `fault` is failed where writing in the background fails. */
export const make = Effect.fnUntraced(function* (session: SessionId, fault: Deferred.Deferred<never, LedgerError>) {
  const ledger = yield* Ledger
  const feed = yield* EventFeed
  const scope = yield* Effect.scope
  const alone = yield* Semaphore.make(1)
  let written = yield* ledger.lastEvent(session)
  let flushedAt = 0
  let isFlushing = false
  const buffer = new ChunkBuffer(session, written)

  /** Everything that waits, and `entries`. */
  const commit = (entries: ReadonlyArray<LedgerWrite>) =>
    Effect.suspend(() => {
      const events = buffer.take()
      if (events.length === 0 && entries.length === 0) return Effect.void
      const appended = events.map((event): LedgerWrite => ({ _tag: "EventAppended", event }))
      return Effect.flatMap(ledger.write([...appended, ...entries]), () => {
        written = events.at(-1)?.seq ?? written
        feed.publish(session, events, entries.length > 0)
        return Metric.update(eventsTotal, events.length)
      })
    })

  const flush = alone.withPermit(
    Effect.gen(function* () {
      flushedAt = yield* Clock.currentTimeMillis
      yield* commit([])
    })
  )
  const flushLoop = Effect.gen(function* () {
    while (buffer.waiting > 0) {
      const due = flushedAt + flushMillis - (yield* Clock.currentTimeMillis)
      if (due > 0) yield* Effect.sleep(due)
      yield* flush
    }
  }).pipe(
    Effect.catchCause((cause) => Deferred.failCause(fault, cause)),
    Effect.ensuring(Effect.sync(() => (isFlushing = false)))
  )

  const journal: Journal = {
    append: Effect.fnUntraced(function* (turn, message) {
      buffer.append(turn, message, yield* Clock.currentTimeMillis)
      if (buffer.waiting >= flushCharacters) {
        yield* Effect.catchCause(flush, (cause) => Deferred.failCause(fault, cause))
      } else if (!isFlushing) {
        isFlushing = true
        yield* Effect.forkIn(flushLoop, scope)
      }
    }),
    commit: (step, done) =>
      alone.withPermit(
        Effect.gen(function* () {
          const at = yield* Clock.currentTimeMillis
          const after = written
          const { answer, entries } = step({
            at,
            news: (turn, message) => buffer.append(turn, message, at)
          })
          yield* commit(entries)
          return yield* done(answer, after, at)
        })
      ),
    flush,
    isIdle: () => buffer.waiting === 0 && !isFlushing
  }
  return journal
})
