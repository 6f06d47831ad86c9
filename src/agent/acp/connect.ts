/**
 * Connects to an ACP agent: spawns its process, shakes hands, and opens or resumes the session.
 *
 * From the first line on, updates are emitted as facts and permission requests are answered.
 */
import { Clock, Effect } from "effect"
import { AgentFailed } from "../Agent.ts"
import type { DriverConfig, OpenRequest } from "../Agent.ts"
import { shownIn } from "../../domain/json.ts"
import { startMillisOf } from "../../domain/Settings.ts"
import type { Child } from "../Child.ts"
import type * as JsonRpc from "../JsonRpc.ts"
import { mcpServersOf } from "../launchDirectory.ts"
import type { Processes } from "../Processes.ts"
import { secretsIn } from "../redact.ts"
import { secretsOfRequest } from "../secretsOfRequest.ts"
import * as Started from "../Started.ts"
import { wireLine } from "../wireLine.ts"
import * as AgentSettings from "./agentSettings.ts"
import * as Controls from "./Controls.ts"
import type * as FailureProse from "./FailureProse.ts"
import * as Failures from "./failures.ts"
import * as Handshake from "./handshake.ts"
import * as KnownAgents from "./knownAgents.ts"
import { Listening } from "./Listening.ts"
import type * as OpenRequests from "./OpenRequests.ts"
import * as OpenSession from "./openSession.ts"
import * as RefusedStart from "./refusedStart.ts"
import * as Request from "./request.ts"
import type { AcpSpec } from "./spec.ts"
import * as Start from "./start.ts"
import * as TurnTracker from "./TurnTracker.ts"

/** What opening a session gets of the start's time at least, after a slow handshake. claude-agent-acp takes 0.4 s. */
const leastOpenMillis = 10_000

export interface Connected {
  readonly child: Child
  readonly peer: JsonRpc.Peer
  readonly tracker: TurnTracker.TurnTracker
  readonly openRequests: OpenRequests.OpenRequests
  readonly prose: FailureProse.FailureProse
  readonly send: Request.SendRequest
  readonly announced: Handshake.Announced
  /** What it takes to resume the session later, in this process. */
  readonly opening: OpenSession.SessionOpening
  readonly opened: OpenSession.Opened
  /** The line by which the agent opened the session (`wireLine`); empty where it sent none. */
  readonly openedBy: string
  readonly toWireLine: (raw: string) => string
}

export const connect = Effect.fnUntraced(function* (
  processes: Processes["Service"],
  config: DriverConfig,
  spec: AcpSpec,
  given: OpenRequest
) {
  const request = { ...given, mcpServers: yield* mcpServersOf(processes, given, spec.trustedRoots) }
  const secrets = [...secretsIn(config), ...secretsOfRequest(request)]
  const startMillis = startMillisOf(spec) ?? 0
  const startedAt = yield* Clock.currentTimeMillis
  const waited = Effect.map(Clock.currentTimeMillis, (now) => now - startedAt)
  const started = yield* request.spare === undefined
    ? Start.forSession(processes, config, spec, request, secrets)
    : Started.takeOver(request.spare, secrets)
  const { child, peer } = started
  const tracker = TurnTracker.make(Failures.identify(config.name))
  const toWireLine = (raw: string) => wireLine(raw, secrets)
  const listening = new Listening(tracker, request, toWireLine)
  yield* started.listen(listening)

  let lastReply = ""
  const send = Request.make(peer, (line) => {
    lastReply = toWireLine(line)
  })

  return yield* Effect.gen(function* () {
    const announced = Handshake.read(started.initialized)
    const { agent } = announced
    listening.agent = agent
    if (announced.name !== null) tracker.identity = Failures.identify(announced.name)
    if (announced.protocol !== 1) {
      const problem = `it speaks version ${shownIn(announced.protocol)} of the Agent Client Protocol, Troupe speaks version 1.`
      return yield* new AgentFailed(Failures.malformed(tracker.identity, problem))
    }
    const launched = KnownAgents.ofCommand(config.command, spec)
    const problem = agent === launched ? null : AgentSettings.permissionsProblem(agent, config, spec, request)
    if (problem !== null) return yield* new AgentFailed({ class: "config", message: problem })
    const controls = Controls.make(send, tracker, announced, request.permissions)
    listening.controls = controls
    const opening: OpenSession.SessionOpening = {
      send,
      tracker,
      announced,
      request,
      login: { env: config.env, method: spec.authMethod },
      trust: { trustedRoots: spec.trustedRoots },
      withinMillis: Math.max(Math.min(leastOpenMillis, startMillis), startMillis - (yield* waited)),
      configured: {},
      controls
    }
    const opened = yield* OpenSession.open(opening)
    opening.withinMillis = startMillis
    const connected: Connected = {
      child,
      peer,
      tracker,
      openRequests: listening.openRequests,
      prose: listening.prose,
      send,
      announced,
      opening,
      opened,
      openedBy: lastReply,
      toWireLine
    }
    return connected
  }).pipe(
    Effect.catchTags({
      // Its refusal was looked at, and a login tried: what it said last belongs to the failure.
      AgentFailed: (failure) =>
        failure.class === "auth" && lastReply !== ""
          ? new AgentFailed({ class: failure.class, message: failure.message, wire: lastReply })
          : Effect.fail(failure),
      RpcError: (error) =>
        new AgentFailed({ ...RefusedStart.ofStart(tracker.identity, error, request.thread), wire: lastReply }),
      RpcSilent: (silent) =>
        Effect.flatMap(waited, (millis) => Request.failSilent(child, tracker.identity, silent, millis))
    })
  )
})
