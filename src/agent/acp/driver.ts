/**
 * The driver of any agent that speaks the Agent Client Protocol, version 1, over its stdin and stdout.
 *
 * A connection is one process with one session and one prompt at a time. The agent's updates pass through unchanged;
 * the driver adds the turn that each belongs to, an end for every turn, and an answer to every request.
 */
import { Effect, Scope } from "effect"
import type { AgentConnection, AgentDriver, DriverConfig, OpenRequest } from "../Agent.ts"
import type { Failure } from "../../domain/Turn.ts"
import { Processes } from "../Processes.ts"
import { askingPolicyOf } from "../../domain/Permissions.ts"
import * as Abilities from "./abilities.ts"
import * as AgentSettings from "./agentSettings.ts"
import { connect } from "./connect.ts"
import * as ConversationFiles from "./conversationFiles.ts"
import { closeWithinMillis, Interrupts } from "./Interrupts.ts"
import * as KnownAgents from "./knownAgents.ts"
import * as Modes from "./modes.ts"
import * as Prompts from "./Prompts.ts"
import { promptProblem } from "./promptProblem.ts"
import type { AcpSpec } from "./spec.ts"
import * as Start from "./start.ts"
import * as Steering from "./steering.ts"
import * as Threads from "./threads.ts"
import { watch } from "./watch.ts"

export const make = (config: DriverConfig, spec: AcpSpec = {}): Effect.Effect<AgentDriver, never, Processes> =>
  Effect.gen(function* () {
    const processes = yield* Processes
    const launched = KnownAgents.ofCommand(config.command, spec)
    const { threads, ...capabilities } = Abilities.beforeHandshake(launched)
    const driver: AgentDriver = {
      name: config.name,
      protocol: "acp",
      capabilities: { ...capabilities, threads },
      promptProblem,
      permissionsProblem: (permissions, cwd) =>
        AgentSettings.permissionsProblem(launched, config, spec, {
          cwd,
          permissions: askingPolicyOf(permissions)
        }),
      modeProblem: (mode, permissions) => Modes.modeProblem(launched, config.name, mode, permissions),
      ...(threads ? { threads: Threads.make(processes, config, spec) } : {}),
      spare: Start.spare(processes, config, spec),
      conversations: ({ cwd, env }) => ConversationFiles.of(launched, { ...config.env, ...env }, cwd),
      // No parent of what it forks, which lasts as long as the process: it would be kept as long.
      open: (request) => Effect.useSpan("Acp.open", () => open(processes, config, spec, request))
    }
    return driver
  })

const open = Effect.fnUntraced(function* (
  processes: Processes["Service"],
  config: DriverConfig,
  spec: AcpSpec,
  request: OpenRequest
) {
  const { emit } = request
  const scope = yield* Scope.Scope
  const connected = yield* connect(processes, config, spec, request)
  const { announced, child, opened, openedBy, opening, openRequests, peer, send, tracker } = connected
  const { thread } = opened
  const prompts = yield* Prompts.make(connected, request)
  const interrupts = new Interrupts(processes, connected, prompts, request)

  const askToExit = Effect.gen(function* () {
    if (tracker.running() !== null) yield* interrupts.cancel
    if (announced.close) {
      yield* Effect.ignore(send("session/close", { sessionId: thread }, closeWithinMillis))
    }
    yield* child.end
  }).pipe(Effect.forkIn(scope), Effect.asVoid)

  /** Ends what waits when the connection is over. A broken protocol ends the turn by its name; else `Exited` does. */
  const end = (failure: Failure | null) =>
    Effect.suspend(() => {
      const turn = tracker.running()
      tracker.abandon()
      return Effect.andThen(
        Effect.andThen(openRequests.withdrawAll, Effect.forEach(connected.prose.end(failure !== null), emit)),
        turn === null || failure === null
          ? prompts.heldEnd.release
          : Effect.suspend(() => emit({ _tag: "TurnEnded", turn, stopReason: "error", usage: null, failure }))
      )
    })

  yield* watch({ child, end, peer, processes, request }).pipe(Effect.forkIn(scope))

  return {
    pid: child.pid,
    thread,
    ...(openedBy === "" ? {} : { wire: openedBy }),
    contextLost: opened.contextLost,
    version: announced.version,
    capabilities: Abilities.afterHandshake(announced, opening.controls),
    configured: opening.configured,
    choices: () => opening.controls.choices(),
    prompt: (turn, content) => prompts.prompt(turn, content),
    ...(Abilities.compacts(announced.agent) ? { compact: (turn: number) => prompts.compact(turn) } : {}),
    ...(announced.steer ? { steer: Steering.make({ child, emit, peer, thread, tracker }) } : {}),
    interrupt: interrupts.interrupt,
    askToExit
  } satisfies AgentConnection
})
