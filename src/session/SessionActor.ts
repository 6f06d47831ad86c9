/**
 * Runs one session: interpret, decide, commit, advance, react.
 *
 * The order is the guarantee. A crash before the commit loses only an event that nobody was promised. A crash after it
 * leaves a command in the outbox, which the next actor performs. News tell only of what is stored. A refusal is an
 * answer; a defect ends this actor, and the supervisor starts the next one from the ledger. So does a claim of the session
 * by another node: from then on no commit of this actor succeeds.
 */
import { Cause, Clock, Deferred, Effect, Exit, Option, Queue } from "effect"
import { decide } from "../../machines/decide.ts"
import { restore } from "../../machines/session/machine.ts"
import type { SessionEvent, SessionMachine, SessionSnapshot } from "../../machines/session/machine.ts"
import { stateName } from "../../machines/session/stateInfo.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import * as OnTurnSettled from "../review/OnTurnSettled.ts"
import { Reviews } from "../review/Reviews.ts"
import { DrainState } from "../runtime/DrainState.ts"
import { isFenced } from "../runtime/errors.ts"
import { FleetCounts } from "../runtime/FleetCounts.ts"
import { News } from "../runtime/News.ts"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import type { RefusedEvents } from "../runtime/RefusedEvents.ts"
import { SessionShared } from "../runtime/SessionShared.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { ActorPort } from "./ActorPort.ts"
import * as ClaimedWrites from "./ClaimedWrites.ts"
import { ActorFailed, OwnedElsewhere } from "./Envelope.ts"
import type { Envelope, EventRefused, Reply } from "./Envelope.ts"
import { Fault } from "./Fault.ts"
import * as Interpreter from "./Interpreter.ts"
import { LogNotices } from "./LogNotices.ts"
import * as Journal from "./Journal.ts"
import * as OpenTurns from "./OpenTurns.ts"
import * as Outbox from "./Outbox.ts"
import * as PendingApprovals from "./PendingApprovals.ts"
import * as Reactions from "./reactions.ts"
import { Session } from "./Session.ts"
import type { SessionHandle } from "./SessionHandle.ts"
import * as SessionTimers from "./SessionTimers.ts"
import { draftOf } from "./Step.ts"
import * as TurnSpans from "./TurnSpans.ts"
import * as TurnWatch from "./TurnWatch.ts"

/** Ends by itself when the session sleeps with nothing left to do; `unload` runs synchronously with that decision. */
export const run = Effect.fnUntraced(function* (handle: SessionHandle, unload: () => void) {
  const actor = yield* open(handle)
  if (actor === null) return unload()
  yield* actor.recover()
  yield* actor.loop(unload)
})

/** `null`: the session is gone. */
const open = Effect.fnUntraced(function* (handle: SessionHandle) {
  const { id, mailbox } = handle
  const ledger = yield* Ledger
  const thisNode = yield* ThisNode
  const { machine, refusedEvents } = yield* SessionShared

  // First: what is read after it is not changed by anybody else.
  const claim = yield* thisNode.claim(id)
  const row = yield* ledger.session(id)
  if (claim === null || Option.isNone(row)) return null
  const writes = ClaimedWrites.make(ledger, claim)
  const session = new Session(row.value, restore(machine, yield* ledger.snapshot(id)), yield* ledger.lastStep(id))
  handle.session = session

  const wake = () => Queue.offerUnsafe(mailbox, { event: "wake", by: "troupe" })
  const fault = new Fault(wake)
  const journal = yield* Journal.make(session, writes, fault)
  const timers = yield* SessionTimers.make(handle)
  handle.timers = timers
  const turnWatch = yield* TurnWatch.make(session, timers, journal)
  handle.watch = turnWatch
  const approvals = yield* PendingApprovals.make(handle, session)
  const openTurns = yield* OpenTurns.make(session)
  const turnSpans = yield* TurnSpans.make
  const port = new ActorPort(writes, { session, mailbox, journal, turnWatch, approvals, openTurns, turnSpans })
  // A session that is only waiting for its commands to be done is looked at again, and unloaded.
  const onIdle = () => void (session.snapshot.hasTag("unloadable") && wake())
  const outbox = yield* Outbox.make({ session, port, fault, onIdle })
  const scope = yield* Effect.scope
  const reviews = yield* Reviews

  /** In this order: whoever is told of a step finds its timers armed and its slot's use known; the agent is asked last. */
  const afterCommit: ReadonlyArray<Reactions.Reacting> = [
    timers,
    new Reactions.UseSlots(yield* ProcessSlots, handle),
    new Reactions.TellNews(yield* News, session, timers),
    new Reactions.CountProcesses(yield* FleetCounts),
    new LogNotices(openTurns),
    turnSpans,
    openTurns,
    turnWatch,
    approvals,
    new Reactions.ReviewTurns(yield* OnTurnSettled.make, turnWatch, scope),
    new Reactions.CancelReviewWhenClosed(reviews, scope),
    outbox
  ]
  return new SessionActor(handle, {
    afterCommit,
    drainState: yield* DrainState,
    fault,
    interpreter: yield* Interpreter.make({ session, timers, journal, turnWatch }),
    journal,
    ledger,
    machine,
    openTurns,
    outbox,
    refusedEvents,
    session,
    timers,
    writes
  })
})

interface Parts {
  readonly afterCommit: ReadonlyArray<Reactions.Reacting>
  readonly drainState: DrainState["Service"]
  readonly fault: Fault
  readonly interpreter: Interpreter.Interpreter
  readonly journal: Journal.Journal
  readonly ledger: Ledger["Service"]
  readonly machine: SessionMachine
  readonly openTurns: OpenTurns.OpenTurns
  readonly outbox: Outbox.Outbox
  readonly refusedEvents: RefusedEvents
  readonly session: Session
  readonly timers: SessionTimers.SessionTimers
  readonly writes: ClaimedWrites.ClaimedWrites
}

class SessionActor {
  readonly #handle: SessionHandle
  readonly #parts: Parts

  constructor(handle: SessionHandle, parts: Parts) {
    this.#handle = handle
    this.#parts = parts
  }

  /** Takes up what the last actor, or a dead supervisor, left: its turn, its timers, its commands. */
  recover(): Effect.Effect<void, LedgerError> {
    return Effect.gen({ self: this }, function* () {
      const { id, recovered } = this.#handle
      const { ledger, outbox, session, timers, writes } = this.#parts
      const commands = yield* ledger.outbox(id)
      for (const { dueAt, event, timer } of yield* ledger.timers(id)) {
        timers.arm({ timer, dueAt, event: event as SessionEvent })
      }
      if (session.snapshot.context.process || session.openTurn !== null) {
        // The supervisor that held the process is dead, and the process with it.
        const isPending = session.snapshot.hasTag("promptPending")
        const claimed = !isPending && commands.every((command) => !command.once || command.claimed)
        yield* SessionActor.#answer(this, { event: { type: "process.lost", claimed }, by: "troupe" })
        yield* writes.write(commands.map(({ nth, step }) => ({ _tag: "CommandDone", session: id, step, nth })))
      } else {
        yield* outbox.resume(commands)
      }
      Deferred.doneUnsafe(recovered, Effect.void)
    })
  }

  /** Fails with whatever goes wrong in the background. */
  loop(unload: () => void): Effect.Effect<void, LedgerError> {
    return Effect.gen({ self: this }, function* () {
      const { mailbox } = this.#handle
      const { fault, journal, outbox, session } = this.#parts
      const answerNext = this.#answerNext()
      while (true) {
        if (fault.cause !== null) return yield* Effect.failCause(fault.cause)
        if (session.snapshot.hasTag("unloadable") && Queue.sizeUnsafe(mailbox) === 0 && outbox.isIdle()) {
          // Synchronous on purpose: nothing may be offered to the mailbox between this look and `unload`.
          if (journal.isIdle()) return unload()
          yield* journal.flush
          continue
        }
        yield* Queue.peek(mailbox)
        if (fault.cause === null) yield* answerNext
      }
    })
  }

  /** Taken and answered in one: an envelope that was taken must not get lost in between. */
  #answerNext(): Effect.Effect<void, LedgerError> {
    return Effect.suspend(() => {
      const next = Queue.takeUnsafe(this.#handle.mailbox)
      return next?._tag === "Success" ? SessionActor.#answer(this, next.value) : Effect.void
    }).pipe(Effect.uninterruptible)
  }

  /**
   * Replies to the sender. What is neither a reply nor a refusal ends this actor as well.
   *
   * Uninterruptible: where a write in the background ends this actor, a step that is stored is still reacted to, and
   * those who wait for it learn of it.
   */
  static readonly #answer = Effect.fnUntraced(function* (
    self: SessionActor,
    envelope: Envelope
  ): Effect.fn.Return<void, LedgerError> {
    const exit = yield* Effect.exit(SessionActor.#receive(self, envelope))
    const reply = (result: Effect.Effect<Reply, EventRefused | ActorFailed>) => {
      if (envelope.replyTo !== undefined) Deferred.doneUnsafe(envelope.replyTo, result)
    }
    if (Exit.isSuccess(exit)) return exit.value === null ? undefined : reply(Effect.succeed(exit.value))
    const error = Cause.findErrorOption(exit.cause)
    if (Option.isSome(error) && error.value._tag === "EventRefused") return reply(Effect.fail(error.value))
    const { id } = self.#handle
    const cause = isFenced(exit.cause) ? new OwnedElsewhere({ id, owner: null }) : Cause.squash(exit.cause)
    reply(Effect.fail(new ActorFailed({ id, cause })))
    return yield* Effect.failCause(exit.cause as Cause.Cause<LedgerError>)
  }, Effect.uninterruptible)

  static readonly #receive = Effect.fnUntraced(function* (
    self: SessionActor,
    envelope: Envelope
  ): Effect.fn.Return<Reply | null, EventRefused | LedgerError> {
    const { id } = self.#handle
    const { afterCommit, drainState, interpreter, journal, machine, openTurns, refusedEvents, session } = self.#parts
    const known = yield* openTurns.knownBy(envelope)
    if (known !== null) {
      const state = stateName(session.snapshot)
      return { from: state, to: state, turn: known.index, after: 0, known }
    }
    const event = yield* interpreter.interpret(envelope)
    if (event === null) return null
    const decision = decide(machine, session.snapshot, event)
    if (!decision.handled || isStale(envelope, event, session.snapshot)) {
      const refusal = session.refusal(event)
      refusedEvents.note(id, { event: event.type, state: refusal.state, at: yield* Clock.currentTimeMillis })
      return yield* refusal
    }
    const draft = draftOf(session, openTurns.compaction(), envelope, event, decision, drainState.holdsBack(id))
    const committed = yield* journal.commit(machine, session.record, draft)
    session.advance(committed)
    for (const part of afterCommit) {
      const effect = part.react(committed)
      if (effect !== undefined) yield* effect
    }
    const { after, before, from, to } = committed
    return { from, to, turn: event.type === "turn.submitted" ? event.turn : before.context.turn, after }
  })
}

/** An answer to an approval that is not open any more, or a question of a turn that is not the running one. */
const isStale = ({ approval }: Envelope, event: SessionEvent, { context }: SessionSnapshot): boolean =>
  (approval !== undefined && approval.turn !== context.turn) ||
  (event.type === "approval.settled" && !context.approvals.includes(event.id))
