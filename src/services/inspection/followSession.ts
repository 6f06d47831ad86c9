/**
 * One session's events and steps as one stream: what is stored after the reader's position, then what is committed, each
 * once and in order.
 *
 * The ledger is the buffer. A reader holds two sequence numbers and a latch that each commit of the session opens. What
 * it has not taken yet is in the ledger's rows and nowhere else, so a slow reader costs no memory, and one that
 * reconnects continues at its position. The stream of a closed session stays open and silent: clients reconnect to one
 * that ends, again and again.
 */
import { Effect, Latch, Option, Stream } from "effect"
import type { SessionId } from "../../domain/Ids.ts"
import type { StoredEvent } from "../../domain/Session.ts"
import { Ledger } from "../../ledger/Ledger.ts"
import type { LedgerError, StepRecord } from "../../ledger/Ledger.ts"
import { cannot } from "../../runtime/errors.ts"
import { News } from "../../runtime/News.ts"

const pageSize = 128
/** Within this time after a step its commands are carried out and its process has a pid. No commit reports either. */
const settledAfter = "1 second"

/** The last event and the last step that a reader has; 0: none. */
export interface StreamPosition {
  readonly event: number
  readonly step: number
}

export type SessionUpdate =
  | { readonly _tag: "Event"; readonly event: StoredEvent; readonly position: StreamPosition }
  | { readonly _tag: "Step"; readonly step: StepRecord; readonly position: StreamPosition }
  /** Once: the reader has everything that was stored when it came. */
  | { readonly _tag: "Live" }
  /** What is known of the session besides its steps and events may have changed: read the session again. */
  | { readonly _tag: "Changed" }

type Updates = readonly [SessionUpdate, ...ReadonlyArray<SessionUpdate>]

const live: SessionUpdate = { _tag: "Live" }
const changed: SessionUpdate = { _tag: "Changed" }

export const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const news = yield* News

  const open = Effect.fnUntraced(function* (id: SessionId, from: StreamPosition) {
    let position = from
    const committed = yield* Latch.make()
    // What an agent says is committed many times a second without a step, so steps are read only after one.
    let hasNewSteps = true
    yield* news.watch(id, ({ stepped }) => {
      hasNewSteps ||= stepped
      committed.openUnsafe()
    })
    yield* news.read(id)
    let isLive = false
    let isSettling = false

    const updateOf = (record: StoredEvent | StepRecord): SessionUpdate => {
      if (!isStep(record)) {
        position = { ...position, event: record.seq }
        return { _tag: "Event", event: record, position }
      }
      position = { ...position, step: record.seq }
      return { _tag: "Step", step: record, position }
    }

    const pull = Effect.gen(function* (): Effect.fn.Return<Updates, LedgerError> {
      while (true) {
        // Before the read: what is committed by now is read below, and what is committed later opens the latch again.
        yield* committed.close
        const events = yield* ledger.events(id, position.event, pageSize)
        const readsSteps = hasNewSteps
        hasNewSteps = false
        const steps = readsSteps ? yield* ledger.steps(id, position.step, pageSize) : []
        const merged = merge(events, steps, pageSize)
        // There may be more than a page of steps, or some were left for the next page.
        if (steps.length === pageSize || merged.length < events.length + steps.length) hasNewSteps = true
        const [first, ...rest] = merged.map(updateOf)
        if (first !== undefined) {
          if (!isLive || !merged.some(isStep)) return [first, ...rest]
          isSettling = true
          return [first, ...rest, changed]
        }
        if (!isLive) {
          isLive = true
          isSettling = true
          return [live]
        }
        if (!isSettling) {
          yield* committed.await
          continue
        }
        if (Option.isSome(yield* Effect.timeoutOption(committed.await, settledAfter))) continue
        isSettling = false
        return [changed]
      }
    }).pipe(cannot("read the session's news"))
    return Stream.fromPull(Effect.succeed(pull))
  })

  return (id: SessionId, from: StreamPosition) => Stream.unwrap(open(id, from))
})

const isStep = (record: StoredEvent | StepRecord): record is StepRecord => "commands" in record

/**
 * By time, each kind in its own order; a step comes before the events of its own commit. `full` is the size of a page:
 * of a kind whose page is full more may follow that belongs before the rest of the other kind, which waits for the next
 * page.
 */
export const merge = (
  events: ReadonlyArray<StoredEvent>,
  steps: ReadonlyArray<StepRecord>,
  full: number
): ReadonlyArray<StoredEvent | StepRecord> => {
  const merged: Array<StoredEvent | StepRecord> = []
  let e = 0
  let s = 0
  while (true) {
    const event = events[e]
    const step = steps[s]
    if (event === undefined && (step === undefined || events.length === full)) return merged
    if (step === undefined && steps.length === full) return merged
    if (event === undefined || (step !== undefined && step.at <= event.at)) {
      if (step !== undefined) merged.push(step)
      s++
    } else {
      merged.push(event)
      e++
    }
  }
}
