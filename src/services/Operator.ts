/** `Runtime`, as it really is: readiness, sweeps, numbers, and the way out. */
import { Clock, Effect, Layer, Schedule } from "effect"
import type { SessionEvent } from "../../machines/session/machine.ts"
import { Agents } from "../agent/Agents.ts"
import { Unavailable } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { CommandHandler } from "../session/CommandHandler.ts"
import { DrainState } from "../runtime/DrainState.ts"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import { SessionState as SessionStateName } from "../domain/Session.ts"
import { Operator } from "./Runtime.ts"
import type { SessionState } from "../session/Session.ts"
import { Supervisor } from "../supervision/Supervisor.ts"
import { Sweeper } from "./Sweeper.ts"

/** The ladder of a retirement, with room to spare. */
const retireWithin = "20 seconds"

const hasOpenTurn = ({ snapshot }: SessionState) => snapshot.hasTag("turnOpen")

export const layer = Layer.effect(
  Operator,
  Effect.gen(function* () {
    const agents = yield* Agents
    const commandHandler = yield* CommandHandler
    const ledger = yield* Ledger
    const drainState = yield* DrainState
    const slots = yield* ProcessSlots
    const supervisor = yield* Supervisor
    const { sweep } = yield* Sweeper

    const openTurnsOf = ({ snapshot: { context } }: SessionState) => [
      context.turn,
      ...context.queue.map(({ turn }) => turn)
    ]

    const turnsSettled = (sessions: ReadonlyArray<SessionState>) =>
      Effect.forEach(
        sessions.flatMap((session) => openTurnsOf(session).map((turn) => [session.record.id, turn] as const)),
        ([id, turn]) => supervisor.turnSettled(id, turn),
        { concurrency: "unbounded", discard: true }
      )

    const drain = Effect.fn("Operator.drain")(function* (deadlineMillis: number) {
      if (drainState.draining()) return
      drainState.drain()
      slots.drain()
      const began = yield* Clock.currentTimeMillis
      const running = supervisor.views().filter(hasOpenTurn)
      if (running.length > 0) yield* Effect.logInfo(`draining: ${running.length} turns may finish first`)
      yield* Effect.timeoutOption(turnsSettled(running), deadlineMillis)

      const reason = "Troupe is shutting down"
      const send = (
        { record }: SessionState,
        event: Extract<SessionEvent, { readonly type: "interrupt.requested" | "hibernate.requested" }>
      ) => Effect.ignore(supervisor.send(record.id, { event, by: "troupe" }))
      const late = supervisor.views().filter(hasOpenTurn)
      // Turns in line first, or the end of the running turn would hand the next one over.
      const inLine = late.flatMap((session) =>
        session.snapshot.context.queue.map(({ turn }) => send(session, { type: "interrupt.requested", reason, turn }))
      )
      yield* Effect.all(inLine, { concurrency: "unbounded" })
      yield* Effect.forEach(late, (session) => send(session, { type: "interrupt.requested", reason }), {
        concurrency: "unbounded"
      })
      yield* Effect.timeoutOption(turnsSettled(late), retireWithin)
      yield* Effect.forEach(supervisor.views(), (session) => send(session, { type: "hibernate.requested", reason }), {
        concurrency: "unbounded"
      })
      yield* Effect.sync(() => commandHandler.sessionsWithProcess().length).pipe(
        Effect.repeat({ schedule: Schedule.spaced("20 millis"), until: (left) => left === 0 }),
        Effect.timeoutOption(retireWithin)
      )
      yield* Effect.logInfo(`drained in ${(yield* Clock.currentTimeMillis) - began} ms`)
    })

    return Operator.of({
      ready: Effect.gen(function* () {
        const reasons: Array<string> = []
        if (drainState.draining()) reasons.push("draining: no new work is taken")
        const written = yield* Effect.exit(ledger.ping)
        if (written._tag === "Failure")
          reasons.push("the ledger can't be written: see the log, and the disk's free space")
        const driver = yield* Effect.option(agents.driver(null))
        if (driver._tag === "None") reasons.push("no default agent: run `troupe doctor`")
        return { ready: reasons.length === 0, reasons }
      }),
      sweep: Effect.mapError(sweep, (cause) => new Unavailable({ operation: "sweep", cause })),
      counts: Effect.gen(function* () {
        const count = (state: SessionStateName) =>
          Effect.map(ledger.sessions({ app: null, state, cursor: null, limit: 1 }), (page) => page.count)
        const sessions = yield* Effect.all(countsByState(count))
        const { size, waiting } = slots.counts()
        return { sessions, processes: commandHandler.sessionsWithProcess().length, maxProcesses: size, waiting }
      }).pipe(Effect.mapError((cause) => new Unavailable({ operation: "count", cause }))),
      drain
    })
  })
)

/** One for each of the states that the ledger counts by. */
const countsByState = <A>(of: (state: SessionStateName) => A): Readonly<Record<SessionStateName, A>> =>
  Object.fromEntries(SessionStateName.literals.map((state) => [state, of(state)])) as Record<SessionStateName, A>
