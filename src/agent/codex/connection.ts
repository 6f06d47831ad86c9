/** Opens a connection to one `codex app-server` and its one thread. All its facts are emitted in wire order. */
import { Effect } from "effect"
import { objectIn, textIn } from "../../domain/json.ts"
import type { AgentConnection, DriverConfig, OpenRequest } from "../Agent.ts"
import type { Capabilities } from "../Capabilities.ts"
import { mcpServersOf } from "../launchDirectory.ts"
import type { Processes } from "../Processes.ts"
import { secretsIn } from "../redact.ts"
import { secretsOfRequest } from "../secretsOfRequest.ts"
import * as Started from "../Started.ts"
import { wireLine } from "../wireLine.ts"
import * as Approvals from "./Approvals.ts"
import { wentAway } from "./failures.ts"
import * as Handshake from "./handshake.ts"
import * as Interrupt from "./interrupt.ts"
import * as ManagedSettings from "./managedSettings.ts"
import { transports } from "./mcpServers.ts"
import * as McpStartup from "./McpStartup.ts"
import * as Models from "./Models.ts"
import type { Patience } from "./patience.ts"
import * as MissingEnd from "./MissingEnd.ts"
import * as Configuration from "./configuration.ts"
import * as Placeholders from "./placeholders.ts"
import * as Prompts from "./prompts.ts"
import * as Questions from "./Questions.ts"
import { sandboxProblem } from "./sandboxCheck.ts"
import type { CodexSpec } from "./spec.ts"
import * as Start from "./start.ts"
import * as Recover from "./recover.ts"
import * as Steering from "./steering.ts"
import * as Translator from "./Translator.ts"
import * as TurnChoices from "./TurnChoices.ts"
import * as TurnDelivery from "./TurnDelivery.ts"
import { watch } from "./watch.ts"

export const capabilities: Capabilities = {
  resume: true,
  steer: true,
  compact: true,
  images: true,
  mcp: transports,
  model: true,
  mode: true,
  effort: true,
  outputSchema: true,
  questions: true,
  fork: true,
  threads: true,
  additionalDirectories: true
}

export const open = Effect.fnUntraced(function* (
  processes: Processes["Service"],
  config: DriverConfig,
  spec: CodexSpec,
  given: OpenRequest,
  patience: Patience
) {
  const request = { ...given, mcpServers: yield* mcpServersOf(processes, given, spec.trustedRoots) }
  const { cwd, emit } = request
  const secrets = [...secretsIn(config), ...secretsOfRequest(request)]
  const removePlaceholders = yield* Placeholders.remember(cwd)
  const started = yield* request.spare === undefined
    ? Start.forSession(processes, config, spec, request, secrets, patience)
    : Started.takeOver(request.spare, secrets)
  const { child, env, initialized, peer } = started
  const translator = Translator.make(request.thread)
  const toWireLine = (raw: string): string => wireLine(raw, secrets)
  const delivery = TurnDelivery.make({
    translator,
    emit,
    toWireLine,
    removePlaceholders,
    killCommands: (onReply) =>
      peer.post("thread/backgroundTerminals/clean", { threadId: thread }, (reply) => onReply(reply.ok))
  })
  const mcp = McpStartup.make(new Set(request.mcpServers.map(({ name }) => name)))
  const forbidden: Array<string> = []
  const noteForbidden = (method: string, params: unknown) => {
    if (method !== "configWarning" && method !== "warning") return
    const { message, summary } = objectIn(params)
    const text = textIn(summary ?? message) ?? ""
    if (ManagedSettings.isForbidden(text) && forbidden.length < 8) forbidden.push(text)
  }
  const questions = Questions.make({ translator, ask: request.ask, toWireLine })
  const approvals = Approvals.make({ translator, approve: request.approve, questions, toWireLine })
  const missingEnd = MissingEnd.make({
    child,
    translator,
    delivery,
    endMillis: patience.endMillis,
    scope: yield* Effect.scope,
    thread: () => thread,
    interrupt: (turnId, timeoutMillis) =>
      peer.request("turn/interrupt", { threadId: thread, turnId }, { timeoutMillis })
  })
  yield* started.listen({
    onNotification: (method, params, raw) => {
      if (method === "serverRequest/resolved") return approvals.resolved(params)
      noteForbidden(method, params)
      const mcpFailed = method === "mcpServer/startupStatus/updated" ? mcp.failedOfSession(params) : null
      if (mcpFailed !== null)
        return Effect.andThen(mcp.note(params), Effect.forEach(mcpFailed, emit, { discard: true }))
      const emitted = delivery.onNotification(method, params, raw)
      if (method === "mcpServer/startupStatus/updated") return Effect.andThen(mcp.note(params), emitted)
      return missingEnd.watches(method) ? Effect.andThen(emitted, missingEnd.onNotification(method, params)) : emitted
    },
    onRequest: approvals.answer
  })
  const retrying = (method: string, reason: string) => delivery.deliver([translator.overloaded(method, reason)])
  const configuration = yield* Configuration.of(peer)
  const { contextLost, isNew, opened, thread, turnSettings, version, wire } = yield* Handshake.run({
    peer,
    initialized,
    configuration,
    child,
    request,
    spec,
    env,
    mcp,
    forbidden,
    patience,
    toWireLine,
    retrying
  })
  translator.adopt(thread)

  // A turn that runs ends with the process, after an end that codex has reported.
  const end = Effect.andThen(
    Effect.andThen(removePlaceholders, delivery.release),
    Effect.sync(() => {
      const turn = delivery.active()
      if (turn !== null) delivery.abandon(turn, wentAway)
    })
  )
  yield* watch({ processes, request, peer, child, end }).pipe(Effect.forkScoped)

  const turnChoices = TurnChoices.make({
    models: yield* Models.make(peer, configuration),
    session: request,
    opened,
    isNew
  })
  const { compact, prompt } = Prompts.make({
    peer,
    thread,
    turnSettings,
    turnChoices,
    translator,
    delivery,
    patience
  })
  const steer = Steering.make({
    peer,
    thread,
    patience,
    emit,
    running: translator.running,
    activeTurn: delivery.active
  })
  const interrupt = Interrupt.make(peer, thread, translator, delivery)

  return {
    pid: child.pid,
    thread,
    wire,
    contextLost,
    version,
    capabilities,
    configured: turnSettings,
    choices: turnChoices.choices,
    prompt,
    compact,
    steer,
    interrupt,
    recover: Recover.make(peer, thread),
    findProblem: sandboxProblem(peer, cwd, spec),
    askToExit: interrupt.pipe(Effect.andThen(child.end), Effect.forkIn(yield* Effect.scope), Effect.asVoid)
  } satisfies AgentConnection
})
