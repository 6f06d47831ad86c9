/** `Runtime`, as it really is: readiness, sweeps, numbers, and the way out. */
import { Clock, Deferred, Effect, Layer, Schedule } from "effect"
import type { SessionEvent } from "../../machines/session/machine.ts"
import { Agents } from "../agent/Agents.ts"
import { Unavailable } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { CommandHandler } from "../session/CommandHandler.ts"
import { DrainState } from "../runtime/DrainState.ts"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import { Operator } from "./Runtime.ts"
import type { SessionHandle } from "../session/SessionHandle.ts"
import { nameOf } from "../session/Step.ts"
import { Supervisor } from "../supervision/Supervisor.ts"
import { Sweeper } from "./Sweeper.ts"

/** The ladder of a retirement, with room to spare. */
const retireWithin = "20 seconds"

const turning = ({ snapshot }: SessionHandle) => snapshot !== null && nameOf(snapshot).startsWith("turning")

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

    const outcomesOf = (residences: ReadonlyArray<SessionHandle>) =>
      Effect.forEach(
        residences.flatMap(({ outcomes }) => [...outcomes.values()]),
        Deferred.await,
        { concurrency: "unbounded", discard: true }
      )

    const drain = Effect.fn("Runtime.drain")(function* (deadlineMillis: number) {
      if (drainState.draining()) return
      drainState.drain()
      slots.drain()
      const began = yield* Clock.currentTimeMillis
      const running = supervisor.loaded().filter(turning)
      if (running.length > 0) yield* Effect.logInfo(`draining: ${running.length} turns may finish first`)
      yield* Effect.timeoutOption(outcomesOf(running), deadlineMillis)

      const reason = "Troupe is shutting down"
      const tell =
        (event: Extract<SessionEvent, { readonly type: "interrupt.requested" | "hibernate.requested" }>) =>
        ({ id }: SessionHandle) =>
          Effect.ignore(supervisor.send(id, { event, by: "troupe" }))
      const late = supervisor.loaded().filter(turning)
      // Who waits in line first, or the end of the running turn would hand the next one over.
      const waiting = late.flatMap((handle) =>
        (handle.snapshot?.context.queue ?? []).map(({ turn }) =>
          tell({ type: "interrupt.requested", reason, turn })(handle)
        )
      )
      yield* Effect.all(waiting, { concurrency: "unbounded" })
      yield* Effect.forEach(late, tell({ type: "interrupt.requested", reason }), { concurrency: "unbounded" })
      yield* Effect.timeoutOption(outcomesOf(late), retireWithin)
      yield* Effect.forEach(supervisor.loaded(), tell({ type: "hibernate.requested", reason }), {
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
        const count = (state: "idle" | "turning" | "retiring" | "closed") =>
          Effect.map(ledger.sessions({ app: null, state, cursor: null, limit: 1 }), (page) => page.count)
        const sessions = {
          idle: yield* count("idle"),
          turning: yield* count("turning"),
          retiring: yield* count("retiring"),
          closed: yield* count("closed")
        }
        const { size, waiting } = slots.counts()
        return { sessions, processes: commandHandler.sessionsWithProcess().length, maxProcesses: size, waiting }
      }).pipe(Effect.mapError((cause) => new Unavailable({ operation: "count", cause }))),
      drain
    })
  })
)
