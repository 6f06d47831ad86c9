/** Performs every command of the session machine on a real agent process. */
import { Effect, Fiber, FiberMap, Layer } from "effect"
import type { SessionCommand } from "../../machines/session/machine.ts"
import { AgentFailed } from "../agent/Agent.ts"
import type { AgentConnection } from "../agent/Agent.ts"
import { Processes } from "../agent/Processes.ts"
import type { SessionId } from "../domain/Ids.ts"
import { schemaInstruction } from "../conversation/structured.ts"
import type { Prompt } from "../domain/Turn.ts"
import { CommandHandler } from "../session/CommandHandler.ts"
import type { SessionPort, SteerOutcome } from "../session/CommandHandler.ts"
import * as AgentProcesses from "./AgentProcesses.ts"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import * as PromptFiles from "./promptFiles.ts"

export const layer = Layer.effect(
  CommandHandler,
  Effect.gen(function* () {
    const agentProcesses = yield* AgentProcesses.make
    const files = yield* PromptFiles.make
    const slots = yield* ProcessSlots
    const processes = yield* Processes
    const requests = yield* FiberMap.make<SessionId>()

    /** The session's process, unless it is another one than the command means. */
    const processOf = (session: SessionId, generation: number) => {
      const agentProcess = agentProcesses.of(session)
      return agentProcess?.generation === generation ? agentProcess : undefined
    }

    const perform = Effect.fnUntraced(function* (port: SessionPort, command: SessionCommand): Effect.fn.Return<void> {
      const { app, id: session } = port.record()
      switch (command.type) {
        case "takeSlot": {
          const { notBefore, urgent } = command.params
          const request = Effect.flatMap(slots.take({ app, session, notBefore, urgent, takesSpare: true }), (answer) =>
            port.post({
              event:
                answer === "granted"
                  ? { type: "slot.granted" }
                  : { type: "slot.refused", reason: "no process is free", urgent }
            })
          )
          yield* Fiber.await(yield* FiberMap.run(requests, session, request))
          return
        }
        case "releaseSlot":
          yield* FiberMap.remove(requests, session)
          slots.release(session)
          return
        case "startProcess":
          return yield* agentProcesses.start(port, command.params.generation, command.params.thread)
        case "handPrompt": {
          const { turn } = command.params
          const { kind, prompt } = yield* port.promptOf(turn)
          const { connection, conversation } = agentProcesses.of(session) ?? {}
          if (conversation != null) conversation.turn = turn
          const handed =
            kind === "compact"
              ? compactedBy(connection, turn)
              : connection == null
                ? processGone
                : Effect.flatMapEager(files.localised(app, prompt), (local) =>
                    connection.prompt(turn, withSchema(local, connection))
                  )
          return yield* Effect.catchTag(handed, "AgentFailed", ({ class: kind, message, stderr, wire }) => {
            const failure = { class: kind, message, ...(stderr === undefined ? {} : { stderr }) }
            const event = { type: "turn.ended", turn, stopReason: "error", failure } as const
            return port.post({ event, wire: wire ?? null })
          })
        }
        case "interruptTurn":
          return yield* agentProcesses.of(session)?.connection?.interrupt ?? Effect.void
        case "askToExit": {
          const agentProcess = processOf(session, command.params.generation)
          if (agentProcess === undefined) return
          return yield* agentProcess.connection?.askToExit ?? processes.signal(agentProcess.lease, "SIGTERM")
        }
        case "terminateProcess": {
          const agentProcess = processOf(session, command.params.generation)
          if (agentProcess !== undefined) yield* processes.signal(agentProcess.lease, "SIGTERM")
          return
        }
        case "endProcess":
          if (yield* agentProcesses.end(session)) yield* port.post({ event: { type: "process.gone" } })
          return
        case "openTurn":
        case "settleTurn":
        case "settleQueued":
          return yield* Effect.die(new Error(`${command.type} belongs to the commit`))
        default:
          return command satisfies never
      }
    })

    const steer = (session: SessionId, text: string): Effect.Effect<SteerOutcome> => {
      const connection = agentProcesses.of(session)?.connection
      if (connection == null) return Effect.succeed({ _tag: "NoTurn" })
      if (connection.steer === undefined) {
        const problem = "The session's agent takes no words while it works. Interrupt the turn, or wait for its end."
        return Effect.succeed({ _tag: "NotSupported", problem })
      }
      return connection.steer(text).pipe(
        Effect.map((outcome) => ({ _tag: outcome === "steered" ? "Steered" : "NoTurn" }) as const),
        Effect.catch(({ class: kind, message: problem }) =>
          Effect.succeed({ _tag: kind === "config" ? "NotSupported" : "Failed", problem } as const)
        )
      )
    }

    return CommandHandler.of({
      perform,
      steer,
      drop: (session) => Effect.andThen(FiberMap.remove(requests, session), Effect.asVoid(agentProcesses.end(session))),
      configured: (session) => agentProcesses.of(session)?.connection?.configured ?? null,
      choices: (session) => agentProcesses.of(session)?.connection?.choices() ?? null,
      use: agentProcesses.limits.use,
      exceeded: agentProcesses.limits.exceeded,
      samples: agentProcesses.limits.samples,
      pid: (session) => agentProcesses.of(session)?.pid ?? null,
      lease: (session) => agentProcesses.of(session)?.lease ?? null,
      sessionsWithProcess: agentProcesses.holding
    })
  })
)

const compactedBy = (connection: AgentConnection | null | undefined, turn: number) =>
  connection == null ? processGone : (connection.compact?.(turn) ?? Effect.fail(cannotCompact))

const withSchema = (prompt: Prompt, { capabilities }: AgentConnection): Prompt => {
  const { outputSchema } = prompt.settings
  return outputSchema === undefined || capabilities.outputSchema
    ? prompt
    : { ...prompt, blocks: [...prompt.blocks, { type: "text", text: schemaInstruction(outputSchema) }] }
}

const cannotCompact = new AgentFailed({
  class: "config",
  message: "The session's agent can't be asked to compact its context; it does so by itself, if at all."
})

const processGone = Effect.fail(
  new AgentFailed({ class: "crash", message: "The agent's process is gone; send the turn again." })
)
