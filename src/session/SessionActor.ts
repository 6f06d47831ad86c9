/**
 * Runs one session: takes a letter, decides, commits, then performs.
 *
 * The order is the whole point. A crash before the commit loses nothing but an event nobody was promised; a crash after
 * it leaves an owed command, which the next life performs again. What those who look are shown is what is
 * stored. A refusal is an answer; a defect ends this life, and the supervisor begins the next one from the ledger.
 */
import { Cause, Clock, Deferred, Effect, Metric, Option, Queue } from "effect"
import { decide } from "../../machines/decide.ts"
import { restore } from "../../machines/session/machine.ts"
import type { SessionCommand, SessionEvent, SessionSnapshot, Settlement } from "../../machines/session/machine.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import * as Alarms from "./SessionTimers.ts"
import { approvalTimer } from "./approvalEntries.ts"
import { entriesOf } from "./commit.ts"
import { EventFeed } from "../runtime/EventFeed.ts"
import { CommandHandler } from "./CommandHandler.ts"
import type { TurnPrompt, SessionPort } from "./CommandHandler.ts"
import { ActorFailed, stamped, EventRefused, isSubmission } from "./Envelope.ts"
import type { Envelope, Incoming, Reply } from "./Envelope.ts"
import * as Listening from "./Listening.ts"
import * as Metrics from "../runtime/Metrics.ts"
import * as Pen from "./Journal.ts"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import * as Questions from "./PendingApprovals.ts"
import { SessionShared } from "../runtime/SessionShared.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import type { SessionHandle } from "./SessionHandle.ts"
import { nameOf } from "./Step.ts"
import * as ReviewedTurn from "../review/onTurnSettled.ts"
import { Reviews } from "../review/Reviews.ts"

/** One life. Ends by itself when the session sleeps with nothing left to do; `vacate` is called in the same breath. */
export const run = Effect.fnUntraced(function* (handle: SessionHandle, unload: () => void) {
  const { id, mailbox } = handle
  const ledger = yield* Ledger
  const commandHandler = yield* CommandHandler
  const slots = yield* ProcessSlots
  const feed = yield* EventFeed
  const { machine, observers, refusedEvents: refusals } = yield* SessionShared
  const reviews = yield* Reviews
  const review = yield* ReviewedTurn.make
  const { limits } = yield* RuntimeSettings
  const scope = yield* Effect.scope

  const found = yield* ledger.session(id)
  if (Option.isNone(found)) return unload()
  let record = found.value
  let snapshot = restore(machine, yield* ledger.snapshot(id))
  let seq = yield* ledger.lastStep(id)
  /** When it came to where it stands. */
  let since = record.lastActivityAt
  /** Failed by whatever goes wrong in the background: it ends this life like any other defect. */
  const fault = yield* Deferred.make<never, LedgerError>()
  const journal = yield* Pen.make(id, fault)
  const timers = yield* Alarms.make(handle)
  const listening = yield* Listening.make(id, timers, journal, limits.postToolQuietMillis)
  const approvals = yield* Questions.make(handle, () => record)
  const asks = new Map<number, TurnPrompt & { readonly at: number }>()

  handle.snapshot = snapshot
  handle.record = record

  const port: SessionPort = {
    record: () => record,
    post: (envelope) => Effect.asVoid(Queue.offer(mailbox, { ...envelope, by: "troupe" })),
    append: Effect.fnUntraced(function* (turn, message) {
      yield* journal.append(turn, message)
      yield* listening.heard(turn, message, record.state === "turning" ? snapshot.context.turn : null)
    }),
    requestApproval: approvals.request,
    promptOf: (turn) =>
      Effect.suspend((): Effect.Effect<TurnPrompt> => {
        const known = asks.get(turn)
        if (known !== undefined) return Effect.succeed(known)
        return Effect.map(Effect.orDie(ledger.turn(id, turn)), Option.getOrThrow)
      })
  }

  /** Performs in the background, so that no slow agent keeps the mailbox waiting; then ticks it off. */
  const pay = (step: number, nth: number, command: SessionCommand, once: boolean) =>
    Effect.gen(function* () {
      if (once) yield* ledger.write([{ _tag: "CommandClaimed", session: id, step, nth }])
      // A review gives way to a live turn, which waits 2 s for it at most.
      if (command.type === "handPrompt") yield* reviews.cancel(id, "A turn began.")
      yield* commandHandler.perform(port, command)
      yield* ledger.writeLater([{ _tag: "CommandDone", session: id, step, nth }])
    }).pipe(
      Effect.catchCause((cause) => (Cause.hasInterruptsOnly(cause) ? Effect.void : Deferred.failCause(fault, cause))),
      Effect.forkIn(scope)
    )

  /** Whoever waits for the turn hears of it after its outcome is stored. */
  const settle = ({ status, turn }: Settlement, running: number, at: number) => {
    const begun = asks.get(turn)?.at
    asks.delete(turn)
    if (turn === running) listening.rest()
    const waiting = handle.outcomes.get(turn)
    handle.outcomes.delete(turn)
    if (waiting !== undefined) Deferred.doneUnsafe(waiting, Effect.void)
    return Metrics.turnEnded({
      outcome: status,
      agent: record.agent,
      durationMillis: begun === undefined ? 0 : at - begun
    })
  }

  /** In the order in which they settled, beside the mailbox: what is due must not keep a letter waiting. */
  const reviewed = (turns: ReadonlyArray<number>) =>
    Effect.forEach(turns, (turn) => review(record, turn, () => record.state !== "turning"), {
      discard: true
    }).pipe(Effect.forkIn(scope))

  /** Tells the pool and the readers where the session stands now. */
  const place = (from: string, to: string) => {
    if (to === "idle.awake") {
      const event = { type: "hibernate.requested", reason: "another session needs its place" } as const
      slots.idle(id, () => Queue.offerUnsafe(mailbox, { event, by: "troupe" }))
    } else if (to.startsWith("retiring")) slots.retiring(id)
    else if (from === "idle.awake") slots.busy(id)
    if (to === "closed") {
      feed.finish(id)
      Deferred.doneUnsafe(handle.closed, Effect.void)
    }
  }

  const receive = Effect.fnUntraced(function* (
    envelope: Envelope,
    asked: Incoming
  ): Effect.fn.Return<Reply, EventRefused | LedgerError> {
    const submission = isSubmission(asked) ? asked : null
    const now = yield* Clock.currentTimeMillis
    const event = stamped(asked, record.turnCount + 1, now)
    const before = snapshot
    const decision = decide(machine, before, event)
    if (!decision.handled || isStale(envelope, before)) {
      const { closing, limit, queue, reason, turn } = before.context
      const state = nameOf(before)
      refusals.note(id, { event: event.type, state, at: now })
      return yield* new EventRefused({
        id,
        event: event.type,
        state,
        closing,
        turn,
        waiting: queue.length,
        limit: limit.pauseMillis > 0 ? { until: limit.until, reason } : null
      })
    }
    const disarmed = envelope.timer === undefined ? decision.cancel : [envelope.timer.id, ...decision.cancel]
    return yield* journal.commit(
      ({ at, news }) => {
        const written = entriesOf(record, {
          seq: seq + 1,
          at,
          by: envelope.by,
          event,
          before,
          decision,
          persisted: machine.getPersistedSnapshot(decision.next),
          submission,
          disarmed,
          usage: envelope.usage ?? null,
          contextLost: envelope.contextLost ?? null,
          approval: envelope.approval ?? null,
          resolution: envelope.resolution ?? null,
          wire: envelope.wire ?? null
        })
        for (const { message, turn } of written.messages) news(turn, message)
        return { entries: written.entries, answer: written }
      },
      Effect.fnUntraced(function* (written, after, at) {
        seq++
        if (written.record.restarts > record.restarts) yield* Metric.update(Metrics.restartsTotal, 1)
        record = written.record
        snapshot = decision.next
        handle.snapshot = snapshot
        handle.record = record
        const from = nameOf(before)
        const to = nameOf(snapshot)
        if (from !== to) since = at
        const { asked: question, decided } = written.approvals
        for (const timer of disarmed) timers.disarm(timer)
        for (const { id } of decided) timers.disarm(approvalTimer(id))
        for (const { delayMillis, event: rings, id: timer } of decision.arm) {
          timers.arm(timer, at + delayMillis, rings as SessionEvent)
        }
        if (question !== null) {
          timers.arm(approvalTimer(question.id), question.deadlineAt, { type: "approval.settled", id: question.id })
        }
        observers.notify({
          record,
          seq,
          at,
          event,
          before,
          snapshot,
          since,
          next: timers.next(),
          newApproval: question
        })

        if (submission !== null && event.type === "turn.submitted") {
          asks.set(event.turn, { kind: submission.kind ?? "prompt", prompt: submission.prompt, at })
          handle.outcomes.set(event.turn, Deferred.makeUnsafe())
        }
        for (const settlement of written.settled) yield* settle(settlement, before.context.turn, at)
        if (written.settled.length > 0) yield* reviewed(written.settled.map(({ turn }) => turn))
        listening.hold(to === "turning.asking")
        for (const { decision, id } of decided) {
          if (to === "turning.interrupting") approvals.holdWhileInterrupting(id)
          else approvals.settle(id, decision)
        }
        if (to !== "turning.interrupting") approvals.denyHeld()
        place(from, to)
        if (to === "closed") {
          // At once, or this life is over before its review hears of it.
          yield* Effect.forkIn(reviews.cancel(id, "The session was closed."), scope, { startImmediately: true })
        }
        for (const { command, nth, once } of written.outbox) yield* pay(seq, nth, command, once)
        return { from, to, turn: event.type === "turn.submitted" ? event.turn : snapshot.context.turn, after }
      })
    )
  })

  const answered = (envelope: Envelope) =>
    Effect.gen(function* () {
      // A timer that was disarmed while its letter lay in the mailbox is not heard.
      if (envelope.timer !== undefined && !timers.isArmed(envelope.timer)) return
      if (envelope.event === "wake") return
      const heard = listening.hear(envelope.event, snapshot)
      const exit = yield* Effect.exit(
        Effect.flatMap(heard, (news) => (news === null ? Effect.succeed(null) : receive(envelope, news)))
      )
      if (exit._tag === "Success") {
        if (exit.value === null) return
        if (envelope.replyTo !== undefined) Deferred.doneUnsafe(envelope.replyTo, Effect.succeed(exit.value))
        return
      }
      const refusal = Cause.findErrorOption(exit.cause)
      if (Option.isSome(refusal) && refusal.value._tag === "EventRefused") {
        if (envelope.replyTo !== undefined) Deferred.doneUnsafe(envelope.replyTo, Effect.fail(refusal.value))
        return
      }
      const cause = Cause.squash(exit.cause)
      if (envelope.replyTo !== undefined)
        Deferred.doneUnsafe(envelope.replyTo, Effect.fail(new ActorFailed({ id, cause })))
      return yield* Effect.failCause(exit.cause as Cause.Cause<LedgerError>)
    })

  const owed = yield* ledger.outbox(id)
  if (snapshot.context.process || nameOf(snapshot).startsWith("turning")) {
    // Whoever held the process is dead, and the process with it.
    yield* answered({
      event: { type: "process.lost", claimed: owed.every(({ claimed, once }) => !once || claimed) },
      by: "troupe"
    })
    yield* ledger.write(owed.map(({ nth, step }) => ({ _tag: "CommandDone", session: id, step, nth })))
  } else {
    for (const { dueAt, event, timer } of yield* ledger.timers(id)) timers.arm(timer, dueAt, event as SessionEvent)
    for (const { nth, once, params, step, type } of owed) {
      yield* pay(step, nth, { type, params } as SessionCommand, once)
    }
  }
  Deferred.doneUnsafe(handle.settled, Effect.void)

  const loop = Effect.gen(function* () {
    while (true) {
      const at = nameOf(snapshot)
      if ((at === "idle.asleep" || at === "closed") && Queue.sizeUnsafe(mailbox) === 0) {
        // Between this look and `vacate` nothing else can run: no letter is lost in a mailbox that nobody reads.
        if (journal.isIdle()) return unload()
        yield* Effect.andThen(journal.flush, Effect.yieldNow)
        continue
      }
      yield* answered(yield* Queue.take(mailbox))
    }
  })
  yield* Effect.raceFirst(loop, Deferred.await(fault))
})

/** An answer to what is not open any more, or a question of a turn that is not the running one. */
const isStale = ({ approval, event }: Envelope, { context }: SessionSnapshot) =>
  (approval !== undefined && approval.turn !== context.turn) ||
  (event !== "wake" && "type" in event && event.type === "approval.settled" && !context.approvals.includes(event.id))
