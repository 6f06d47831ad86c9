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
import type { SessionEvent, SessionSnapshot } from "../../machines/session/machine.ts"
import { stateName } from "../../machines/session/stateInfo.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import { DrainState } from "../runtime/DrainState.ts"
import { isFenced } from "../runtime/errors.ts"
import { SessionShared } from "../runtime/SessionShared.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import * as ClaimedWrites from "./ClaimedWrites.ts"
import type { SessionPort, TurnPrompt } from "./CommandHandler.ts"
import { ActorFailed, OwnedElsewhere } from "./Envelope.ts"
import type { Envelope, EventRefused, Reply } from "./Envelope.ts"
import * as Interpret from "./interpret.ts"
import * as LogNotices from "./logNotices.ts"
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
  const { id, mailbox } = handle
  const ledger = yield* Ledger
  const drainState = yield* DrainState
  const { machine, refusedEvents } = yield* SessionShared
  const thisNode = yield* ThisNode

  // First: what is read after it is not changed by anybody else.
  const claim = yield* thisNode.claim(id)
  const row = yield* ledger.session(id)
  if (claim === null || Option.isNone(row)) return unload()
  const writes = ClaimedWrites.make(ledger, claim)
  const session = new Session(row.value, restore(machine, yield* ledger.snapshot(id)), yield* ledger.lastStep(id))
  handle.session = session

  /** Fails with whatever goes wrong in the background, which ends this actor like any other defect. */
  const fault = yield* Deferred.make<never, LedgerError>()
  const journal = yield* Journal.make(session, writes, fault)
  const timers = yield* SessionTimers.make(handle)
  handle.timers = timers
  const turnWatch = yield* TurnWatch.make(session, timers, journal)
  handle.watch = turnWatch
  const approvals = yield* PendingApprovals.make(handle, session)
  const openTurns = yield* OpenTurns.make(session)
  const turnSpans = yield* TurnSpans.make
  const interpret = yield* Interpret.make(session, timers, journal, turnWatch)
  const postNow: SessionPort["postNow"] = (posted) => {
    const envelope: Envelope = { ...posted, by: "troupe" }
    return Queue.offerUnsafe(mailbox, envelope) ? Effect.void : Effect.asVoid(Queue.offer(mailbox, envelope))
  }
  const port: SessionPort = {
    record: () => session.record,
    post: (envelope) => Effect.suspend(() => postNow(envelope)),
    postNow,
    append: (turn, message) => afterBoth(journal.append(turn, message), turnWatch.received(turn, message)),
    requestApproval: approvals.request,
    ask: approvals.ask,
    promptOf: (turn) => withTrace(openTurns.promptOf(turn), turnSpans.traceparent(turn)),
    writes
  }
  // A session that is only waiting for its commands to be done is looked at again, and unloaded.
  const look = () => {
    if (session.snapshot.hasTag("unloadable")) Queue.offerUnsafe(mailbox, { event: "wake", by: "troupe" })
  }
  const outbox = yield* Outbox.make(session, port, writes, fault, look)

  /** In this order: whoever is told of a step finds its timers armed and its slot's use known; the agent is asked last. */
  const afterCommit: ReadonlyArray<Reactions.Reaction> = [
    timers.react,
    yield* Reactions.useSlots(handle),
    yield* Reactions.tellNews(session, timers),
    yield* Reactions.countProcesses,
    LogNotices.reaction(openTurns),
    turnSpans.react,
    openTurns.react,
    turnWatch.react,
    approvals.react,
    yield* Reactions.reviewTurns(turnWatch),
    yield* Reactions.cancelReviewWhenClosed,
    outbox.react
  ]

  const receive = Effect.fnUntraced(function* (
    envelope: Envelope
  ): Effect.fn.Return<Reply | null, EventRefused | LedgerError> {
    const known = yield* openTurns.knownBy(envelope)
    if (known !== null) {
      const state = stateName(session.snapshot)
      return { from: state, to: state, turn: known.index, after: 0, known }
    }
    const event = yield* interpret(envelope)
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
    for (const react of afterCommit) {
      const effect = react(committed)
      if (effect !== undefined) yield* effect
    }
    const { after, before, from, to } = committed
    return { from, to, turn: event.type === "turn.submitted" ? event.turn : before.context.turn, after }
  })

  /**
   * Replies to the sender. What is neither a reply nor a refusal ends this actor as well.
   *
   * Uninterruptible: where a write in the background ends this actor, a step that is stored is still reacted to, and
   * those who wait for it learn of it.
   */
  const answer = Effect.fnUntraced(function* (envelope: Envelope) {
    const exit = yield* Effect.exit(receive(envelope))
    const reply = (result: Effect.Effect<Reply, EventRefused | ActorFailed>) => {
      if (envelope.replyTo !== undefined) Deferred.doneUnsafe(envelope.replyTo, result)
    }
    if (Exit.isSuccess(exit)) return exit.value === null ? undefined : reply(Effect.succeed(exit.value))
    const error = Cause.findErrorOption(exit.cause)
    if (Option.isSome(error) && error.value._tag === "EventRefused") return reply(Effect.fail(error.value))
    const cause = isFenced(exit.cause) ? new OwnedElsewhere({ id, owner: null }) : Cause.squash(exit.cause)
    reply(Effect.fail(new ActorFailed({ id, cause })))
    return yield* Effect.failCause(exit.cause as Cause.Cause<LedgerError>)
  }, Effect.uninterruptible)

  /** Taken and answered in one: an envelope that was taken must not get lost in between. */
  const answerNext = Effect.suspend(() => {
    const next = Queue.takeUnsafe(mailbox)
    return next?._tag === "Success" ? answer(next.value) : Effect.void
  }).pipe(Effect.uninterruptible)

  /** Takes up what the last actor, or a dead supervisor, left: its turn, its timers, its commands. */
  const recover = Effect.gen(function* () {
    const commands = yield* ledger.outbox(id)
    for (const { dueAt, event, timer } of yield* ledger.timers(id)) {
      timers.arm({ timer, dueAt, event: event as SessionEvent })
    }
    if (session.snapshot.context.process || session.openTurn !== null) {
      // The supervisor that held the process is dead, and the process with it.
      const isPending = session.snapshot.hasTag("promptPending")
      const claimed = !isPending && commands.every((command) => !command.once || command.claimed)
      yield* answer({ event: { type: "process.lost", claimed }, by: "troupe" })
      yield* writes.write(commands.map(({ nth, step }) => ({ _tag: "CommandDone", session: id, step, nth })))
    } else {
      yield* outbox.resume(commands)
    }
    Deferred.doneUnsafe(handle.recovered, Effect.void)
  })

  const loop = Effect.gen(function* () {
    while (true) {
      if (session.snapshot.hasTag("unloadable") && Queue.sizeUnsafe(mailbox) === 0 && outbox.isIdle()) {
        // Synchronous on purpose: nothing may be offered to the mailbox between this look and `unload`.
        if (journal.isIdle()) return unload()
        yield* journal.rest
        continue
      }
      yield* Queue.peek(mailbox)
      yield* answerNext
    }
  })
  yield* recover
  yield* Effect.raceFirst(loop, Deferred.await(fault))
})

/** An answer to an approval that is not open any more, or a question of a turn that is not the running one. */
const isStale = ({ approval }: Envelope, event: SessionEvent, { context }: SessionSnapshot): boolean =>
  (approval !== undefined && approval.turn !== context.turn) ||
  (event.type === "approval.settled" && !context.approvals.includes(event.id))

const withTrace = (asked: Effect.Effect<TurnPrompt>, traceparent: string | undefined) =>
  traceparent === undefined
    ? asked
    : Effect.map(asked, ({ kind, prompt }) => ({ kind, prompt: { ...prompt, traceparent } }))

/** Costs nothing where both are done already, as they are for nearly every chunk of a text. */
const afterBoth = (first: Effect.Effect<void>, second: Effect.Effect<void>) =>
  second === Effect.void ? first : first === Effect.void ? second : Effect.andThen(first, second)
