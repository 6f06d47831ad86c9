/**
 * The drain of a runtime that is about to stop.
 *
 * Turns that are with their agents may finish within a deadline and are interrupted then. A turn that no agent has yet is
 * left as it is: it was accepted, and the next start of Troupe goes on with it.
 */
import { Clock, Effect, Schedule } from "effect"
import type { SessionEvent } from "../../machines/session/machine.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { DrainState } from "../runtime/DrainState.ts"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import { CommandHandler } from "../session/CommandHandler.ts"
import type { SessionState } from "../session/Session.ts"
import * as ExpectEnds from "./expectEnds.ts"
import { Supervisor } from "./Supervisor.ts"

/** The deadlines of a retirement one after the other, with a margin. */
const retireWithin = "20 seconds"

export const make = Effect.gen(function* () {
  const commandHandler = yield* CommandHandler
  const drainState = yield* DrainState
  const expect = yield* ExpectEnds.make
  const ledger = yield* Ledger
  const slots = yield* ProcessSlots
  const supervisor = yield* Supervisor

  const withOpenTurn = () => supervisor.views().filter(({ snapshot }) => snapshot.hasTag("turnOpen"))

  /**
   * Whether the open turn's prompt is still to be claimed. No agent ends such a turn, also where it is being interrupted:
   * the next start of Troupe settles that one as interrupted.
   */
  const waits = ({ record, snapshot }: SessionState) => {
    if (snapshot.hasTag("promptPending")) return Effect.succeed(true)
    return ledger.outbox(record.id).pipe(
      Effect.map((commands) => commands.some(({ claimed, type }) => type === "handPrompt" && !claimed)),
      // Unknown: it is treated as one that the agent has.
      Effect.orElseSucceed(() => false)
    )
  }

  /** Leaves the sessions whose open turn waits, and returns those whose turn is with an agent. */
  const leaveWaiting = Effect.gen(function* () {
    const atWork: Array<SessionState> = []
    for (const session of withOpenTurn()) {
      if (yield* waits(session)) yield* supervisor.leave(session.record.id)
      else atWork.push(session)
    }
    return atWork
  })

  /** Waits for the turns that the sessions have open by now. */
  const settled = (sessions: ReadonlyArray<SessionState>) =>
    all(
      sessions.map(({ record: { id }, snapshot }) => {
        const isOpen = supervisor.view(id) !== null && snapshot.hasTag("turnOpen")
        return Effect.ignore(expect(id).turn(snapshot.context.turn, isOpen))
      })
    )

  const send = (
    { record }: SessionState,
    event: Extract<SessionEvent, { readonly type: "interrupt.requested" | "hibernate.requested" }>
  ) => Effect.ignore(supervisor.send(record.id, { event, by: "troupe" }))

  const all = <A>(effects: ReadonlyArray<Effect.Effect<A>>) =>
    Effect.all(effects, { concurrency: "unbounded", discard: true })

  return Effect.fn("Operator.drain")(function* (deadlineMillis: number) {
    if (drainState.draining()) return
    drainState.drain()
    const began = yield* Clock.currentTimeMillis
    const running = yield* leaveWaiting
    // After that: a request of a turn that waits would be refused, and the turn with it.
    slots.drain()
    if (running.length > 0) yield* Effect.logInfo(`draining: ${running.length} turns may finish first`)
    yield* Effect.timeoutOption(settled(running), deadlineMillis)

    const reason = "Troupe is shutting down"
    const late = yield* leaveWaiting
    yield* all(late.map((session) => send(session, { type: "interrupt.requested", reason })))
    yield* Effect.timeoutOption(settled(late), retireWithin)
    yield* leaveWaiting
    yield* all(supervisor.views().map((session) => send(session, { type: "hibernate.requested", reason })))
    yield* Effect.sync(() => commandHandler.sessionsWithProcess().length).pipe(
      Effect.repeat({ schedule: Schedule.spaced("20 millis"), until: (left) => left === 0 }),
      Effect.timeoutOption(retireWithin)
    )
    // A turn that waited behind one that was interrupted is next by now, and its wait for a slot must not run out.
    yield* leaveWaiting
    yield* Effect.logInfo(`drained in ${(yield* Clock.currentTimeMillis) - began} ms`)
  })
})
