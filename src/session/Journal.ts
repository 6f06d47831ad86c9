/**
 * The one writer of a session's events and steps: what the agent said and what the machine decided, in one order.
 *
 * Chunks are coalesced here. The first is written at once, what follows every 50 ms while somebody reads the session, every
 * second while nobody does, or 32,768 characters, and the commit of a step includes everything that waits. News of events alone are told here, after their commit; those of a step when the
 * session has advanced to it.
 */
import { Cause, Clock, Deferred, Effect, Fiber, Latch, Semaphore } from "effect"
import type { AcpMessage } from "../domain/Acp.ts"
import type { SessionMachine, SessionSnapshot } from "../../machines/session/machine.ts"
import type { SessionId } from "../domain/Ids.ts"
import type { SessionRecord, StoredEvent } from "../domain/Session.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerWrite, LedgerError } from "../ledger/Ledger.ts"
import { eventsTotal } from "../runtime/Metrics.ts"
import { News } from "../runtime/News.ts"
import type { Stored } from "../runtime/News.ts"
import { WebhookTargets } from "../runtime/WebhookTargets.ts"
import { ChunkBuffer } from "./ChunkBuffer.ts"
import type { ClaimedWrites } from "./ClaimedWrites.ts"
import { entriesOf } from "./commit.ts"
import type { CommittedStep } from "./commit.ts"
import { EventRows } from "./EventRows.ts"
import { noticesOf } from "./notices.ts"
import type { Session } from "./Session.ts"
import { webhookEntries } from "./webhookEntries.ts"
import type { Draft, Step } from "./Step.ts"

/** How much may wait before it is stored, in characters. */
const mostWaiting = 32_768
/** And how long. A second is also what a kill may cost of what nobody reads. */
const strideMillis = { read: 50, unread: 1_000 } as const

export interface Journal {
  /**
   * Takes the message when it is called; its effect stores, or waits, and is done at once where neither is needed, which is
   * so for nearly every chunk. Awaited by the agent's reader, so that an agent that says too much waits for the ledger.
   */
  readonly append: (turn: number | null, message: AcpMessage) => Effect.Effect<void>
  /** Stores a step and everything that waits, as one commit. Nothing else of the session is written meanwhile. */
  readonly commit: (
    machine: SessionMachine,
    record: SessionRecord,
    draft: Draft
  ) => Effect.Effect<CommittedStep, LedgerError>
  readonly flush: Effect.Effect<void, LedgerError>
  /** Stores what waits, and ends the flush loop before its time. */
  readonly rest: Effect.Effect<void, LedgerError>
  /** Nothing waits to be written, and the flush loop is at rest. */
  readonly isIdle: () => boolean
}

/** `fault` fails when a write in the background fails. */
export const make = Effect.fnUntraced(function* (
  state: Session,
  writes: ClaimedWrites,
  fault: Deferred.Deferred<never, LedgerError>
) {
  const session = state.record.id
  const ledger = yield* Ledger
  const news = yield* News
  const webhooks = yield* WebhookTargets
  const scope = yield* Effect.scope
  const clock = yield* Clock.Clock
  const context = yield* Effect.context<never>()
  const alone = yield* Semaphore.make(1)
  let written = yield* ledger.lastEvent(session)
  let flushedAt = 0
  let flushing: Fiber.Fiber<void> | null = null
  const buffer = new ChunkBuffer(session, written)
  const rows = new EventRows()
  /** Events that could not be stored have taken their numbers with them: nothing may be stored behind that gap. */
  let failure: LedgerError | null = null

  let isOver = endedIn(state.snapshot, state.record)

  /** Everything that waits, and `entries`. Returns the events among it. */
  const write = Effect.fnUntraced(function* (entries: ReadonlyArray<LedgerWrite>) {
    if (failure !== null) return yield* failure
    const events = buffer.take()
    if (events.length === 0 && entries.length === 0) return { events, characters: 0 }
    const { characters, entries: appended } = rows.entriesOf(events)
    const late = boundsOf(session, events, isOver)
    yield* Effect.tapError(writes.write([...appended, ...late, ...entries]), (error) =>
      Effect.sync(() => (failure = error))
    )
    written = events.at(-1)?.seq ?? written
    eventsTotal.updateUnsafe(events.length, context)
    return { events, characters }
  })

  /** The news of a commit without a step. */
  const tell = ({ characters, events }: Pick<Stored, "characters" | "events">) => {
    if (events.length === 0) return
    const stored = { events, characters, step: null }
    news.tell({ session, step: state.seq, event: written, stepped: false, settled: [], closed: false, stored })
  }

  const flush = alone.withPermit(
    Effect.gen(function* () {
      flushedAt = yield* Clock.currentTimeMillis
      tell(yield* write([]))
      // Also where its fiber is interrupted meanwhile: what is stored is told.
    }).pipe(Effect.uninterruptible)
  )

  const commit = Effect.fnUntraced(function* (machine: SessionMachine, previous: SessionRecord, draft: Draft) {
    const at = clock.currentTimeMillisUnsafe()
    const after = written
    const step: Step = { ...draft, at }
    const { approvals, entries, messages, outbox, record, settled } = entriesOf(machine, previous, step, buffer.last)
    const notices = noticesOf(previous, step, { approvals, record, settled })
    for (const { message, turn } of messages) buffer.append(turn, message, at)
    const owed = webhookEntries(webhooks.of(record.app), record, step, notices)
    const stored = yield* write([...entries, ...owed])
    isOver = endedIn(step.decision.next, record)
    if (owed.length > 0) webhooks.owed(owed.map(({ delivery }) => delivery.webhook))
    return { ...step, ...stored, previous, record, outbox, settled, approvals, notices, after } satisfies CommittedStep
  })

  const readerCame = yield* Latch.make()
  yield* news.writer(session, { readerCame: () => readerCame.openUnsafe(), flush: Effect.ignore(flush) })

  // Where the actor is ended by a defect, or with Troupe, what its agent has said is not lost with it.
  yield* Effect.addFinalizer(() => (ledger.away() === null ? Effect.ignore(flush) : Effect.void))

  const untilDue = Effect.gen(function* () {
    yield* readerCame.close
    const millis = news.isRead(session) ? strideMillis.read : strideMillis.unread
    const due = flushedAt + millis - (yield* Clock.currentTimeMillis)
    if (due <= 0) return
    // A reader that comes is not kept waiting for what it would have had by now.
    if (millis === strideMillis.unread) yield* Effect.raceFirst(Effect.sleep(due), readerCame.await)
    else yield* Effect.sleep(due)
  })
  const flushLoop = Effect.gen(function* () {
    while (buffer.waiting > 0) {
      yield* untilDue
      yield* flush
    }
  }).pipe(
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.asVoid(Deferred.failCause(fault, cause))
    ),
    Effect.ensuring(Effect.sync(() => (flushing = null)))
  )
  const startFlushLoop = Effect.gen(function* () {
    if (flushing === null) flushing = yield* Effect.forkIn(flushLoop, scope)
  })
  const flushNow = Effect.catchCause(flush, (cause) => Effect.asVoid(Deferred.failCause(fault, cause)))
  const rest = Effect.gen(function* () {
    yield* flush
    if (flushing !== null) yield* Fiber.interrupt(flushing)
    // Also where it had not begun.
    flushing = null
    // A chunk that came meanwhile has left itself to the loop that was ended.
    yield* flush
  })

  const journal: Journal = {
    append: (turn, message) => {
      buffer.append(turn, message, clock.currentTimeMillisUnsafe())
      if (buffer.waiting >= mostWaiting) return flushNow
      return flushing === null ? startFlushLoop : Effect.void
    },
    commit: (machine, previous, draft) => alone.withPermit(commit(machine, previous, draft)),
    flush,
    rest,
    isIdle: () => buffer.waiting === 0 && flushing === null
  }
  return journal
})

/** Which turns have their outcome. Known with each commit: the session itself advances a little later. */
const endedIn = (snapshot: SessionSnapshot, { turnCount }: SessionRecord) => {
  const { queue, turn: current } = snapshot.context
  const open = snapshot.hasTag("turnOpen") ? current : null
  return (turn: number): boolean =>
    turn <= turnCount && turn !== open && !queue.some((waiting) => waiting.turn === turn)
}

/** What comes of a turn behind its end is the last of it. */
const boundsOf = (
  session: SessionId,
  events: ReadonlyArray<StoredEvent>,
  isOver: (turn: number) => boolean
): ReadonlyArray<LedgerWrite> => {
  const lasts = new Map<number, number>()
  for (const { seq, turn } of events) if (turn !== null && isOver(turn)) lasts.set(turn, seq)
  return [...lasts].map(([index, last]) => ({ _tag: "TurnPatched", session, index, patch: {}, last }))
}
