/**
 * Runs one session: takes a letter, decides, commits, then performs.
 *
 * The order is the whole point. A crash before the commit loses nothing but an event nobody was promised; a crash after
 * it leaves an owed command, which the next life performs again. What the XState actor beside it shows is what is
 * stored. A refusal is an answer; a defect ends this life, and the supervisor begins the next one from the ledger.
 */
import { Cause, Clock, Context, Deferred, Effect, Layer, Option, PubSub, Queue, Semaphore } from "effect"
import type { Scope } from "effect"
import { createActor } from "xstate"
import { decide } from "../../machines/decision.ts"
import { sessionMachineWith } from "../../machines/session.ts"
import type { SessionCommand, SessionEvent, SessionMachine, SessionSnapshot } from "../../machines/session.ts"
import type { SessionId } from "../domain/Ids.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { Entry, LedgerError, OwedCommand } from "../ledger/Ledger.ts"
import { keep, nameOf } from "./Bookkeeping.ts"
import { Feed } from "./Feed.ts"
import { Hands } from "./Hands.ts"
import type { Stage } from "./Hands.ts"
import { ActorFailed, EventRefused, isSubmission } from "./Letter.ts"
import type { Letter, Reply } from "./Letter.ts"
import { Pool } from "./Pool.ts"
import { Recorder } from "./Recorder.ts"
import { RuntimeSettings } from "./RuntimeSettings.ts"
import { shown } from "./Shown.ts"
import { Timekeeper } from "./Timekeeper.ts"

/** Chunks of one message are written at once, then at most this often or this big. */
const coalesceMillis = 50
const coalesceCharacters = 4096

/** What outlives one life of the actor: the mailbox, and those who wait for an outcome. */
export interface Residence {
  readonly id: SessionId
  readonly mailbox: Queue.Queue<Letter>
  readonly outcomes: Map<number, Deferred.Deferred<void>>
  /** Done when the session is closed. */
  readonly closed: Deferred.Deferred<void>
  /** Done when a life has settled what the last one, or a dead supervisor, left. */
  readonly settled: Deferred.Deferred<void, ActorFailed>
  snapshot: SessionSnapshot | null
  record: SessionRecord | null
}

/** One commit, as the dashboard and the tests see it. */
export interface StepSeen {
  readonly session: SessionId
  readonly seq: number
  readonly at: number
  readonly event: string
  readonly from: string
  readonly to: string
  readonly commands: ReadonlyArray<string>
}

/** What all actors share: ten thousand machines and hubs would cost more than ten thousand sessions. */
export class Commons extends Context.Service<
  Commons,
  { readonly machine: SessionMachine; readonly steps: PubSub.PubSub<StepSeen> }
>()("troupe/actor/Commons") {
  static readonly layer = Layer.effect(
    Commons,
    Effect.gen(function* () {
      const { limits } = yield* RuntimeSettings
      const steps = yield* PubSub.sliding<StepSeen>({ capacity: 4_096, replay: 0 })
      return Commons.of({ machine: sessionMachineWith(limits), steps })
    })
  )
}

/** One life. Ends by itself when the session sleeps with nothing left to do; `vacate` is called in the same breath. */
export const live = Effect.fnUntraced(function* (residence: Residence, vacate: () => void) {
  const { id, mailbox } = residence
  const ledger = yield* Ledger
  const hands = yield* Hands
  const pool = yield* Pool
  const feed = yield* Feed
  const timekeeper = yield* Timekeeper
  const { machine, steps } = yield* Commons
  const scope = yield* Effect.scope

  const found = yield* ledger.session(id)
  if (Option.isNone(found)) return vacate()
  let record = found.value
  let snapshot = machine.resolveState((yield* ledger.snapshot(id)) as never) as SessionSnapshot
  let seq = yield* ledger.lastStep(id)
  const recorder = new Recorder(id, yield* ledger.lastEvent(id))
  const pen = yield* Semaphore.make(1)
  const prompts = new Map<number, string>()
  const armed = new Map<string, number>()
  let armings = 0
  let flushing = false
  let flushedAt = 0
  let published = yield* ledger.lastEvent(id)

  const actor = createActor(shown(machine), { snapshot })
  // A listener of an embedder that throws must end neither us nor its neighbours.
  actor.subscribe({ error: () => {} })
  actor.start()
  residence.snapshot = snapshot
  residence.record = record
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      actor.stop()
      for (const timer of armed.keys()) timekeeper.disarm(`${id} ${timer}`)
    })
  )

  const post = (letter: Letter) => Effect.asVoid(Queue.offer(mailbox, letter))
  const arm = (timer: string, dueAt: number, event: { readonly type: string }) => {
    const arming = ++armings
    armed.set(timer, arming)
    const letter: Letter = { event: event as SessionEvent as never, by: "troupe", timer: { id: timer, arming } }
    const ring = () => {
      // A full mailbox is no reason to forget a deadline.
      if (!Queue.offerUnsafe(mailbox, letter)) timekeeper.arm(`${id} ${timer}`, dueAt, ring)
    }
    timekeeper.arm(`${id} ${timer}`, dueAt, ring)
  }
  const disarm = (timer: string) => {
    armed.delete(timer)
    timekeeper.disarm(`${id} ${timer}`)
  }

  /** Everything that waits, and `entries`, in one commit; readers hear of it afterwards. */
  const commit = (entries: ReadonlyArray<Entry>) =>
    Effect.suspend(() => {
      const events = recorder.take()
      if (events.length === 0 && entries.length === 0) return Effect.void
      const appended = events.map((event): Entry => ({ _tag: "EventAppended", event }))
      return Effect.map(ledger.write([...appended, ...entries]), () => {
        published = events.at(-1)?.seq ?? published
        feed.publish(id, events)
      })
    })
  const flush = pen.withPermit(
    Effect.gen(function* () {
      flushedAt = yield* Clock.currentTimeMillis
      yield* commit([])
    })
  )
  /** The first at once, the rest in strides. A ledger that fails here ends this life like any other defect. */
  const flusher = Effect.gen(function* () {
    while (recorder.waiting > 0) {
      const due = flushedAt + coalesceMillis - (yield* Clock.currentTimeMillis)
      if (due > 0) yield* Effect.sleep(due)
      yield* flush
    }
  }).pipe(
    Effect.catchCause((cause) => Deferred.failCause(fault, cause)),
    Effect.ensuring(Effect.sync(() => (flushing = false)))
  )
  const fault = yield* Deferred.make<never, LedgerError>()

  const stage: Stage = {
    record: () => record,
    tell: (letter) => post({ ...letter, by: "troupe" }),
    say: Effect.fnUntraced(function* (turn, message) {
      recorder.append(turn, message, yield* Clock.currentTimeMillis)
      if (recorder.waiting >= coalesceCharacters) {
        yield* Effect.catchCause(flush, (cause) => Deferred.failCause(fault, cause))
      } else if (!flushing) {
        flushing = true
        yield* Effect.forkIn(flusher, scope)
      }
    }),
    promptOf: (turn) =>
      Effect.suspend(() => {
        const known = prompts.get(turn)
        if (known !== undefined) return Effect.succeed(known)
        return Effect.map(Effect.orDie(ledger.turn(id, turn)), (row) => Option.getOrThrow(row).prompt)
      })
  }

  /** Performs in the background, so that no slow agent keeps the mailbox waiting; then ticks it off. */
  const pay = (step: number, nth: number, command: SessionCommand, once: boolean) =>
    Effect.gen(function* () {
      if (once) yield* ledger.write([{ _tag: "CommandAttempted", session: id, step, nth }])
      yield* hands.perform(stage, command)
      yield* ledger.writeLater([{ _tag: "CommandSettled", session: id, step, nth }])
    }).pipe(
      Effect.catchCause((cause) => (Cause.hasInterruptsOnly(cause) ? Effect.void : Deferred.failCause(fault, cause))),
      Effect.forkIn(scope)
    )

  const receive = Effect.fnUntraced(function* (
    letter: Letter,
    asked: Exclude<Letter["event"], "wake">
  ): Effect.fn.Return<Reply, EventRefused | LedgerError> {
    const submission = isSubmission(asked) ? asked : null
    const event = isSubmission(asked)
      ? ({ type: "turn.submitted", turn: record.turnCount + 1, ...timing(asked) } as const)
      : asked
    const before = snapshot
    const decision = decide(machine, before, event)
    if (!decision.handled) {
      const { closing, queue, turn } = before.context
      const state = nameOf(before)
      return yield* new EventRefused({ id, event: event.type, state, closing, turn, waiting: queue.length })
    }
    return yield* pen.withPermit(
      Effect.gen(function* () {
        const at = yield* Clock.currentTimeMillis
        const persisted = machine.getPersistedSnapshot(decision.next)
        const disarmed = letter.timer === undefined ? decision.cancel : [letter.timer.id, ...decision.cancel]
        const written = keep(record, {
          seq: seq + 1,
          at,
          by: letter.by,
          event,
          before,
          decision,
          persisted,
          submission,
          disarmed,
          usage: letter.usage ?? null,
          tools: recorder.tools,
          contextLost: letter.contextLost ?? null
        })
        for (const { message, turn } of written.news) recorder.append(turn, message, at)
        const after = published
        yield* commit(written.entries)

        seq++
        record = written.record
        snapshot = decision.next
        residence.snapshot = snapshot
        residence.record = record
        actor.send(event)
        const { turn } = snapshot.context
        const from = nameOf(before)
        const to = nameOf(snapshot)
        const commands = decision.commands.map(({ type }) => type)
        PubSub.publishUnsafe(steps, { session: id, seq, at, event: event.type, from, to, commands })

        if (submission !== null && event.type === "turn.submitted") {
          prompts.set(event.turn, submission.prompt)
          residence.outcomes.set(event.turn, Deferred.makeUnsafe())
        }
        for (const over of written.settled) {
          prompts.delete(over)
          recorder.forgetTools()
          const waiting = residence.outcomes.get(over)
          residence.outcomes.delete(over)
          if (waiting !== undefined) Deferred.doneUnsafe(waiting, Effect.void)
        }
        for (const timer of disarmed) disarm(timer)
        for (const { delayMillis, event: rings, id: timer } of decision.arm) arm(timer, at + delayMillis, rings)
        if (to === "idle.awake") {
          const reason = "another session needs its place"
          pool.idle(id, () =>
            Queue.offerUnsafe(mailbox, { event: { type: "hibernate.requested", reason }, by: "troupe" })
          )
        } else if (to.startsWith("retiring")) pool.retiring(id)
        else if (from === "idle.awake") pool.busy(id)
        if (to === "closed") {
          feed.finish(id)
          Deferred.doneUnsafe(residence.closed, Effect.void)
        }
        for (const { command, nth, once } of written.owed) yield* pay(seq, nth, command, once)
        return { from, to, turn: event.type === "turn.submitted" ? event.turn : turn, after }
      })
    )
  })

  const answered = (letter: Letter) =>
    Effect.gen(function* () {
      // A timer that was disarmed while its letter lay in the mailbox is not heard.
      if (letter.timer !== undefined && armed.get(letter.timer.id) !== letter.timer.arming) return
      if (letter.event === "wake") return
      const exit = yield* Effect.exit(receive(letter, letter.event))
      if (exit._tag === "Success") {
        if (letter.answer !== undefined) Deferred.doneUnsafe(letter.answer, Effect.succeed(exit.value))
        return
      }
      const refusal = Cause.findErrorOption(exit.cause)
      if (Option.isSome(refusal) && refusal.value._tag === "EventRefused") {
        if (letter.answer !== undefined) Deferred.doneUnsafe(letter.answer, Effect.fail(refusal.value))
        return
      }
      const cause = Cause.squash(exit.cause)
      if (letter.answer !== undefined) Deferred.doneUnsafe(letter.answer, Effect.fail(new ActorFailed({ id, cause })))
      return yield* Effect.failCause(exit.cause as Cause.Cause<LedgerError>)
    })

  const owed = yield* ledger.owed(id)
  if (snapshot.context.process || nameOf(snapshot).startsWith("turning")) {
    // Whoever held the process is dead, and the process with it.
    yield* answered({ event: { type: "process.lost", failure: lossOf(nameOf(snapshot), owed) }, by: "troupe" })
    yield* ledger.write(owed.map(({ nth, step }) => ({ _tag: "CommandSettled", session: id, step, nth })))
  } else {
    for (const { dueAt, event, timer } of yield* ledger.timers(id)) arm(timer, dueAt, event)
    for (const { nth, once, params, step, type } of owed) {
      yield* pay(step, nth, { type, params } as SessionCommand, once)
    }
  }
  Deferred.doneUnsafe(residence.settled, Effect.void)

  const loop = Effect.gen(function* () {
    while (true) {
      const at = nameOf(snapshot)
      if ((at === "idle.asleep" || at === "closed") && Queue.sizeUnsafe(mailbox) === 0) {
        // Between this look and `vacate` nothing else can run: no letter is lost in a mailbox that nobody reads.
        if (recorder.waiting === 0 && !flushing) return vacate()
        yield* Effect.andThen(flush, Effect.yieldNow)
        continue
      }
      yield* answered(yield* Queue.take(mailbox))
    }
  })
  yield* Effect.raceFirst(loop, Deferred.await(fault))
})

const timing = ({ queue, timeoutMillis }: { readonly queue: boolean; readonly timeoutMillis: number }) => ({
  timeoutMillis,
  queue
})

/** What is true of a turn whose process was lost: its prompt was attempted, or it never was. */
const lossOf = (state: string, owed: ReadonlyArray<OwedCommand>) =>
  state === "turning.queued" ||
  state === "turning.starting" ||
  owed.some(({ attempted, type }) => type === "handPrompt" && !attempted)
    ? {
        class: "not_delivered",
        message: "Troupe stopped before the prompt was handed to the agent. It is safe to send it again."
      }
    : {
        class: "outcome_unknown",
        message:
          "Troupe stopped while the agent was at work on this turn. Whether it finished is not known; look at what it did before you send the prompt again."
      }

export type Life = Effect.Effect<void, LedgerError, Ledger | Hands | Pool | Feed | Timekeeper | Commons | Scope.Scope>
