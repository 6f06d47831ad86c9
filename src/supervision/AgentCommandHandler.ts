/** The hands that hold real agents: every command of the session machine, done to a process. */
import { Effect, Fiber, FiberMap, Layer } from "effect"
import type { SessionCommand } from "../../machines/session/machine.ts"
import { AgentFailed } from "../agent/Agent.ts"
import type { AgentConnection } from "../agent/Agent.ts"
import { Processes } from "../agent/Processes.ts"
import type { SessionId } from "../domain/Ids.ts"
import { Hands } from "../session/CommandHandler.ts"
import type { Stage, Steering } from "../session/CommandHandler.ts"
import * as Lives from "./AgentProcesses.ts"
import { Pool } from "../runtime/ProcessSlots.ts"

export const layer = Layer.effect(
  Hands,
  Effect.gen(function* () {
    const lives = yield* Lives.make
    const pool = yield* Pool
    const processes = yield* Processes
    const requests = yield* FiberMap.make<SessionId>()

    const ofThis = (session: SessionId, generation: number) => {
      const life = lives.of(session)
      return life?.generation === generation ? life : undefined
    }

    const perform = Effect.fnUntraced(function* (stage: Stage, command: SessionCommand): Effect.fn.Return<void> {
      const { app, id: session } = stage.record()
      switch (command.type) {
        case "takeSlot": {
          const { notBefore, urgent } = command.params
          const asking = Effect.flatMap(pool.take({ app, session, notBefore, urgent }), (answer) =>
            stage.tell({
              event:
                answer === "granted" ? { type: "slot.granted" } : { type: "slot.refused", reason: "no process is free" }
            })
          )
          yield* Fiber.await(yield* FiberMap.run(requests, session, asking))
          return
        }
        case "releaseSlot":
          yield* FiberMap.remove(requests, session)
          pool.release(session)
          return
        case "startProcess":
          return yield* lives.start(stage, command.params.generation, command.params.thread)
        case "handPrompt": {
          const { turn } = command.params
          const { kind, prompt } = yield* stage.askOf(turn)
          const connection = lives.of(session)?.connection
          const handed = (kind === "compact" ? compactedBy(connection, turn) : connection?.prompt(turn, prompt)) ?? gone
          return yield* Effect.catchTag(handed, "AgentFailed", ({ class: kind, message, stderr, wire }) => {
            const failure = { class: kind, message, ...(stderr === undefined ? {} : { stderr }) }
            const event = { type: "turn.ended", turn, stopReason: "error", failure } as const
            return stage.tell({ event, wire: wire ?? null })
          })
        }
        case "interruptTurn":
          return yield* lives.of(session)?.connection?.interrupt ?? Effect.void
        case "askToExit": {
          const life = ofThis(session, command.params.generation)
          if (life === undefined) return
          return yield* life.connection?.askToExit ?? processes.signal(life.lease, "SIGTERM")
        }
        case "terminateProcess": {
          const life = ofThis(session, command.params.generation)
          if (life !== undefined) yield* processes.signal(life.lease, "SIGTERM")
          return
        }
        case "endProcess":
          if (yield* lives.end(session)) yield* stage.tell({ event: { type: "process.gone" } })
          return
        case "openTurn":
        case "settleTurn":
        case "settleQueued":
          return yield* Effect.die(new Error(`${command.type} belongs to the commit`))
        default:
          return command satisfies never
      }
    })

    const steer = (session: SessionId, text: string): Effect.Effect<Steering> => {
      const connection = lives.of(session)?.connection
      if (connection == null) return Effect.succeed({ _tag: "NoTurn" })
      if (connection.steer === undefined) {
        const problem = "The session's agent takes no words while it works. Interrupt the turn, or wait for its end."
        return Effect.succeed({ _tag: "NotSupported", problem })
      }
      return connection.steer(text).pipe(
        Effect.map((came) => ({ _tag: came === "steered" ? "Steered" : "NoTurn" }) as const),
        Effect.catch(({ class: kind, message: problem }) =>
          Effect.succeed({ _tag: kind === "config" ? "NotSupported" : "Failed", problem } as const)
        )
      )
    }

    return Hands.of({
      perform,
      steer,
      drop: (session) => Effect.andThen(FiberMap.remove(requests, session), Effect.asVoid(lives.end(session))),
      pid: (session) => lives.of(session)?.pid ?? null,
      lease: (session) => lives.of(session)?.lease ?? null,
      holding: lives.holding
    })
  })
)

const compactedBy = (connection: AgentConnection | null | undefined, turn: number) =>
  connection == null ? undefined : (connection.compact?.(turn) ?? Effect.fail(incompressible))

const incompressible = new AgentFailed({
  class: "config",
  message: "The session's agent can't be asked to compact its context; it does so by itself, if at all."
})

const gone = Effect.fail(
  new AgentFailed({ class: "crash", message: "The agent's process is gone; send the turn again." })
)
