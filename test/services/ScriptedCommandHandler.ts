/**
 * A command handler without processes: a prompt's first word says what the agent does (`AgentScript.ts`).
 *
 * It answers every command at once and never sleeps, so that `TestClock` moves every deadline. Slots are the real ones.
 */
import { Clock, Context, Effect, Layer } from "effect"
import type { SessionCommand } from "../../machines/session/machine.ts"
import { CommandHandler } from "../../src/session/CommandHandler.ts"
import type { SessionPort } from "../../src/session/CommandHandler.ts"
import { ProcessSlots } from "../../src/runtime/ProcessSlots.ts"
import { steeringMessage } from "../../src/domain/Acp.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { makeNotices } from "../until.ts"
import type { Observe } from "../until.ts"
import { AgentScript, crashed, play } from "./AgentScript.ts"

/** The process of a session whose actor died was dropped: no command of the machine. */
const drop = { type: "drop", params: undefined } as const

export type PerformedCommand = (SessionCommand | typeof drop) & {
  readonly session: SessionId
  /** A `handPrompt` is done when the agent has done all that its prompt says; `takeSlot`, when it was answered. */
  isDone: boolean
}

/** What the handler was given to perform, in order. It outlives a runtime, so that a test can run two in a row. */
export class PerformedCommands extends Context.Service<
  PerformedCommands,
  {
    readonly all: () => ReadonlyArray<PerformedCommand>
    readonly of: (session: SessionId) => ReadonlyArray<PerformedCommand>
    readonly clear: () => void
    /** Runs `work` and lists the command, from before it begins. */
    readonly record: <A>(
      session: SessionId,
      command: SessionCommand | typeof drop,
      work: Effect.Effect<A>
    ) => Effect.Effect<A>
    /** Notices of each command that was begun or is done. */
    readonly observe: Observe
  }
>()("test/PerformedCommands") {
  static readonly layer = Layer.sync(PerformedCommands, () => {
    let commands: Array<PerformedCommand> = []
    const { notify, observe } = makeNotices()
    return PerformedCommands.of({
      all: () => commands,
      of: (session) => commands.filter((command) => command.session === session),
      clear: () => void (commands = []),
      record: (session, command, work) =>
        Effect.suspend(() => {
          const performed: PerformedCommand = { ...command, session, isDone: false }
          commands.push(performed)
          notify()
          return Effect.tap(work, () =>
            Effect.sync(() => {
              performed.isDone = true
              notify()
            })
          )
        }),
      observe
    })
  })
}

export const layer = Layer.effect(
  CommandHandler,
  Effect.gen(function* () {
    const performed = yield* PerformedCommands
    const script = yield* AgentScript
    const slots = yield* ProcessSlots
    const withProcess = new Set<SessionId>()
    /** Turns that can be steered. */
    const hanging = new Map<SessionId, { readonly port: SessionPort; readonly turn: number }>()

    const start = Effect.fnUntraced(function* (port: SessionPort, threadBefore: string | null) {
      const session = port.record().id
      if (script.start === "silent") return
      if (script.start !== "ready") {
        return yield* port.post({ event: { type: "process.failed", ...(yield* crashed(script.start.failsWith)) } })
      }
      withProcess.add(session)
      const exit = Effect.flatMap(crashed("killed from outside"), (death) =>
        port.post({ event: { type: "process.exited", ...death } })
      )
      script.exits.set(session, exit)
      const at = yield* Clock.currentTimeMillis
      const thread = threadBefore ?? `thread of ${session}`
      const { contextLost = null, ...has } = script.has
      yield* port.post({ event: { type: "process.ready", thread, at, ...has }, contextLost })
    })

    const handPrompt = Effect.fnUntraced(function* (port: SessionPort, turn: number) {
      const { kind, prompt } = yield* port.promptOf(turn)
      const { text } = prompt
      if (text === "hang") hanging.set(port.record().id, { port, turn })
      yield* play(port, turn, kind === "compact" ? "compact" : text)
    })

    const endProcess = (session: SessionId) =>
      Effect.sync(() => {
        hanging.delete(session)
        withProcess.delete(session)
        script.exits.delete(session)
        slots.release(session)
      })

    const work = Effect.fnUntraced(function* (port: SessionPort, command: SessionCommand): Effect.fn.Return<void> {
      const { app, id: session } = port.record()
      switch (command.type) {
        case "takeSlot": {
          const answer = yield* slots.take({ app, session, ...command.params })
          const { urgent } = command.params
          return yield* port.post({
            event: answer === "granted" ? { type: "slot.granted" } : { type: "slot.refused", reason: "full", urgent }
          })
        }
        case "releaseSlot":
          return slots.release(session)
        case "startProcess":
          return yield* start(port, command.params.thread)
        case "handPrompt":
          return yield* handPrompt(port, command.params.turn)
        case "interruptTurn": {
          if (script.isUnresponsive) return
          const { turn } = command.params
          return yield* port.post({ event: { type: "turn.ended", turn, stopReason: "cancelled", failure: null } })
        }
        case "askToExit":
          if (!script.exitsWhenAsked) return
          return yield* port.post({ event: { type: "process.exited", ...(yield* crashed("it was asked to exit")) } })
        case "endProcess":
          yield* endProcess(session)
          return yield* port.post({ event: { type: "process.gone" } })
        default:
        // The scripted process does not heed a termination.
      }
    })

    return CommandHandler.of({
      perform: (port, command) => performed.record(port.record().id, command, work(port, command)),
      steer: (session, text) => {
        const turn = hanging.get(session)
        if (turn === undefined) return Effect.succeed({ _tag: "NoTurn" })
        if (script.isUnresponsive) return Effect.succeed({ _tag: "NotSupported", problem: "It takes no steering." })
        return Effect.as(turn.port.append(turn.turn, steeringMessage("thread", text)), { _tag: "Steered" } as const)
      },
      drop: (session) => performed.record(session, drop, endProcess(session)),
      configured: () => null,
      choices: () => null,
      use: () => null,
      exceeded: () => null,
      samples: () => [],
      pid: (session) => (withProcess.has(session) ? 4242 : null),
      lease: () => null,
      sessionsWithProcess: () => [...withProcess]
    })
  })
)
