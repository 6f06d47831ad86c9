/**
 * The one writer of a session's events and steps: what the agent said and what the machine decided, in one order.
 *
 * Chunks are coalesced here. The first is written at once, what follows every 50 ms while somebody reads the session, every
 * second while nobody does, or 32,768 characters, and the commit of a step includes everything that waits. News of events alone are told here, after their commit; those of a step when the
 * session has advanced to it.
 */
import { Clock, Effect, Scope, Semaphore } from "effect"
import type { Context } from "effect"
import type { AcpMessage } from "../domain/Acp.ts"
import type { SessionMachine, SessionSnapshot } from "../../machines/session/machine.ts"
import type { SessionId } from "../domain/Ids.ts"
import type { SessionRecord, StoredEvent } from "../domain/Session.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError, LedgerWrite } from "../ledger/Ledger.ts"
import { eventsTotal } from "../runtime/Metrics.ts"
import { News } from "../runtime/News.ts"
import type { Stored } from "../runtime/News.ts"
import type { EventWriter } from "../runtime/Readers.ts"
import { WebhookTargets } from "../runtime/WebhookTargets.ts"
import { ChunkBuffer } from "./ChunkBuffer.ts"
import type { ClaimedWrites } from "./ClaimedWrites.ts"
import { entriesOf } from "./commit.ts"
import type { CommittedStep } from "./commit.ts"
import { EventRows } from "./EventRows.ts"
import type { Fault } from "./Fault.ts"
import { noticesOf } from "./notices.ts"
import type { Session } from "./Session.ts"
import { turnPatch } from "./turnEntries.ts"
import { TurnRows } from "./TurnRows.ts"
import { webhookEntries } from "./webhookEntries.ts"
import type { Draft, Step } from "./Step.ts"

/** How much may wait before it is stored, in characters. */
const mostWaiting = 32_768
/** And how long. A second is also what a kill may cost of what nobody reads. */
const strideMillis = { read: 50, unread: 1_000 } as const

interface Services {
  readonly news: News["Service"]
  readonly webhooks: (typeof WebhookTargets)["Service"]
  readonly clock: Clock.Clock
  /** Of the actor. */
  readonly context: Context.Context<never>
}

export class Journal implements EventWriter {
  readonly #state: Session
  readonly #writes: ClaimedWrites
  readonly #fault: Fault
  readonly #services: Services
  readonly #alone = Semaphore.makeUnsafe(1)
  readonly #buffer: ChunkBuffer
  readonly #rows = new EventRows()
  readonly #turns = new TurnRows()
  #written: number
  #flushedAt = 0
  /** For whom `news` says when what waits is due; `null`: nothing is to be said. */
  #waitsFor: keyof typeof strideMillis | null = null
  /** What waits is due, and is being stored. */
  #isStoring = false
  /** Events that could not be stored have taken their numbers with them: nothing may be stored behind that gap. */
  #failure: LedgerError | null = null
  #isOver: (turn: number) => boolean

  constructor(state: Session, writes: ClaimedWrites, fault: Fault, services: Services, written: number) {
    this.#state = state
    this.#writes = writes
    this.#fault = fault
    this.#services = services
    this.#written = written
    this.#buffer = new ChunkBuffer(state.record.id, written)
    this.#isOver = endedIn(state.snapshot, state.record)
  }

  /**
   * Takes the message when it is called; its effect stores, or waits, and is done at once where neither is needed, which is
   * so for nearly every chunk. Awaited by the agent's reader, so that an agent that says too much waits for the ledger.
   */
  append(turn: number | null, message: AcpMessage): Effect.Effect<void> {
    this.#buffer.append(turn, message, this.#services.clock.currentTimeMillisUnsafe())
    if (this.#buffer.waiting >= mostWaiting) return this.#flushOrFault(this.flush)
    if (this.#waitsFor === null) this.#waitUntilDue()
    return Effect.void
  }

  /** Stores a step and everything that waits, as one commit. Nothing else of the session is written meanwhile. */
  commit(machine: SessionMachine, previous: SessionRecord, draft: Draft): Effect.Effect<CommittedStep, LedgerError> {
    return this.#alone.withPermit(Journal.#commit(this, machine, previous, draft))
  }

  static readonly #commit = Effect.fnUntraced(function* (
    self: Journal,
    machine: SessionMachine,
    previous: SessionRecord,
    draft: Draft
  ) {
    const { clock, webhooks } = self.#services
    const at = clock.currentTimeMillisUnsafe()
    const after = self.#written
    const step: Step = { ...draft, at }
    const last = self.#buffer.last
    const { approvals, entries, messages, outbox, record, settled } = entriesOf(machine, previous, step, last)
    const notices = noticesOf(previous, step, { approvals, record, settled })
    for (const { message, turn } of messages) self.#buffer.append(turn, message, at)
    const owed = webhookEntries(webhooks.of(record.app), record, step, notices)
    const stored = yield* self.#write([...entries, ...owed])
    const ended = self.#turns.stored(entries)
    self.#isOver = endedIn(step.decision.next, record)
    if (owed.length > 0) webhooks.owed(owed.map(({ delivery }) => delivery.webhook))
    return {
      ...step,
      ...stored,
      previous,
      record,
      outbox,
      settled,
      ended,
      approvals,
      notices,
      after
    } satisfies CommittedStep
  })

  /** The agent's own id of a turn. */
  agentTurn(index: number, agentTurnId: string): Effect.Effect<void> {
    const session = this.#state.record.id
    const entries = [turnPatch(session, index, { agentTurnId })]
    // It is stored with the next commit, which is before that of the turn's end.
    this.#turns.stored(entries)
    return this.#writes.writeLater(entries)
  }

  get flush(): Effect.Effect<void, LedgerError> {
    return this.#alone.withPermit(this.#store())
  }

  /** Nothing waits to be written, and nothing is being written in the background. */
  isIdle(): boolean {
    return this.#buffer.waiting === 0 && !this.#isStoring
  }

  readerCame(): void {
    // A reader that comes is not kept waiting for what it would have had by now.
    if (this.#waitsFor === "unread") this.#services.news.wakeWriter(this.#state.record.id, 0)
  }

  isDue(): void {
    this.#waitsFor = null
    if (this.#buffer.waiting === 0 || this.#isStoring) return
    this.#isStoring = true
    const stored = Effect.ensuring(
      this.#store(),
      Effect.sync(() => {
        this.#isStoring = false
        // What came meanwhile.
        if (this.#buffer.waiting > 0 && this.#waitsFor === null) this.#waitUntilDue()
      })
    )
    Effect.runForkWith(this.#services.context)(this.#flushOrFault(this.#alone.withPermit(stored)))
  }

  #waitUntilDue(): void {
    const { news } = this.#services
    const { id } = this.#state.record
    this.#waitsFor = news.isRead(id) ? "read" : "unread"
    news.wakeWriter(id, this.#flushedAt + strideMillis[this.#waitsFor])
  }

  #flushOrFault(flush: Effect.Effect<void, LedgerError>): Effect.Effect<void> {
    return Effect.catchCause(flush, (cause) => Effect.sync(() => this.#fault.fail(cause)))
  }

  /** Also where its fiber is interrupted meanwhile: what is stored is told. */
  #store(): Effect.Effect<void, LedgerError> {
    return Effect.suspend(() => {
      this.#flushedAt = this.#services.clock.currentTimeMillisUnsafe()
      return Effect.map(this.#write([]), (stored) => this.#tell(stored))
    }).pipe(Effect.uninterruptible)
  }

  /** Everything that waits, and `entries`. Returns the events among it. */
  #write(entries: ReadonlyArray<LedgerWrite>): Effect.Effect<Pick<Stored, "characters" | "events">, LedgerError> {
    return Effect.suspend(() => {
      if (this.#failure !== null) return Effect.fail(this.#failure)
      const events = this.#buffer.take()
      if (events.length === 0 && entries.length === 0) return Effect.succeed({ events, characters: 0 })
      const { characters, entries: appended } = this.#rows.entriesOf(events)
      const late = boundsOf(this.#state.record.id, events, this.#isOver)
      return this.#writes.write([...appended, ...late, ...entries]).pipe(
        Effect.tapError((error) => Effect.sync(() => (this.#failure = error))),
        Effect.map(() => {
          this.#written = events.at(-1)?.seq ?? this.#written
          eventsTotal.updateUnsafe(events.length, this.#services.context)
          return { events, characters }
        })
      )
    })
  }

  /** The news of a commit without a step. */
  #tell({ characters, events }: Pick<Stored, "characters" | "events">): void {
    if (events.length === 0) return
    const { record, seq: step } = this.#state
    const stored = { events, characters, step: null }
    const event = this.#written
    this.#services.news.tell({ session: record.id, step, event, stepped: false, settled: [], closed: false, stored })
  }
}

/** `fault` gets the failure of a write in the background. */
export const make = Effect.fnUntraced(function* (state: Session, writes: ClaimedWrites, fault: Fault) {
  const { id } = state.record
  const ledger = yield* Ledger
  const news = yield* News
  const services = {
    news,
    webhooks: yield* WebhookTargets,
    clock: yield* Clock.Clock,
    context: yield* Effect.context<never>()
  }
  const journal = new Journal(state, writes, fault, services, yield* ledger.lastEvent(id))
  yield* news.writer(id, journal)
  // Where the actor is ended by a defect, or with Troupe, what its agent has said is not lost with it.
  const stores = Effect.suspend(() => (ledger.away() === null ? Effect.ignore(journal.flush) : Effect.void))
  yield* Scope.addFinalizer(yield* Effect.scope, stores)
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
  return [...lasts].map(([index, last]) => ({ ...turnPatch(session, index, {}), last }))
}
