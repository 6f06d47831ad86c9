/**
 * Opens an agent's connection under its lease, and passes on what comes from it: facts (`agentFacts.ts`), and questions as
 * decisions.
 *
 * The lease is in the ledger before the driver spawns anything.
 */
import { Clock, Effect, Path } from "effect"
import { AgentFailed } from "../agent/Agent.ts"
import type { AgentDriver, AgentQuestion, ApprovalRequest, OpenRequest } from "../agent/Agent.ts"
import { Agents } from "../agent/Agents.ts"
import { Processes } from "../agent/Processes.ts"
import type { JsonRecord } from "../domain/json.ts"
import type { McpServer } from "../domain/McpServer.ts"
import { askingPolicyOf } from "../domain/Permissions.ts"
import type { Permissions } from "../domain/Permissions.ts"
import { questionKind } from "../domain/Question.ts"
import { kindShown } from "../domain/RequestedAction.ts"
import { questionsUnder } from "../domain/Session.ts"
import type { SessionRecord, SessionSetup } from "../domain/Session.ts"
import type { Settings } from "../domain/Settings.ts"
import * as Tally from "../domain/Tally.ts"
import { Ledger } from "../ledger/Ledger.ts"
import * as CheckAppBounds from "../runtime/checkAppBounds.ts"
import { FleetCounts } from "../runtime/FleetCounts.ts"
import * as Metrics from "../runtime/Metrics.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import type { SessionPort } from "../session/CommandHandler.ts"
import type { AgentFacts } from "./agentFacts.ts"
import type { AgentProcess } from "./AgentProcess.ts"
import type { Capsules } from "./Capsules.ts"
import { CircuitBreaker } from "./CircuitBreaker.ts"
import * as FirstStart from "./firstStart.ts"
import * as OwnOrSpare from "./ownOrSpare.ts"
import { decidePermission } from "./permissions.ts"
import * as Placement from "./placement.ts"
import * as RecoverTurns from "./recoverTurns.ts"
import * as Workdir from "./workdir.ts"

/** `received` takes what comes from a process (`agentFacts.ts`). */
export const make = Effect.fnUntraced(function* (received: AgentFacts, capsules: Capsules) {
  const agents = yield* Agents
  const checkAppBounds = yield* CheckAppBounds.make
  const ledger = yield* Ledger
  const path = yield* Path.Path
  const place = yield* Placement.make
  const processes = yield* Processes
  const settings = yield* RuntimeSettings
  const { dataDir } = settings
  const findWorkdir = yield* Workdir.make
  const recoverTurns = yield* RecoverTurns.make
  const breaker = yield* CircuitBreaker
  const fleet = yield* FleetCounts
  const alone = FirstStart.make()
  const ownOrSpare = yield* OwnOrSpare.make

  const audit = Effect.fnUntraced(function* (port: SessionPort, detail: JsonRecord) {
    const { app, id: session } = port.record()
    const at = yield* Clock.currentTimeMillis
    yield* ledger.writeLater([
      { _tag: "Audited", record: { at, session, app, action: "approval", actor: "troupe", detail } }
    ])
  })

  /** By the permissions that the process was started with: a change is for the turns of the next one. */
  const approve = (port: SessionPort, permissions: Permissions) => (request: ApprovalRequest) =>
    Effect.gen(function* () {
      const { app, cwd } = port.record()
      const attachments = path.join(path.resolve(dataDir), "files", app)
      const placement = yield* place(request.action, { cwd, attachments, permissions })
      const { by: policy, outcome: decision } = decidePermission(permissions, { action: request.action, placement })
      const kind = kindShown(request.action, request.kind)
      const { turn } = request
      const isElsewhere = request.action._tag === "Command" && placement.elsewhere
      const title = isElsewhere ? `${request.title} (in ${request.action.directories.join(", ")})` : request.title
      if (decision === "ask") return yield* port.requestApproval({ ...request, kind, title })
      yield* audit(port, { turn, kind, title, decision, policy })
      return decision
    })

  /** Nobody may be there to answer, so a session can be made to decline every question. */
  const decline =
    (port: SessionPort) =>
    ({ title, turn }: AgentQuestion) =>
      Effect.gen(function* () {
        yield* audit(port, { turn, kind: questionKind, title, decision: "deny", policy: "decline" })
        return null
      })

  const turnsChoseModel = ({ id, turnCount }: SessionRecord) =>
    Effect.map(ledger.turnOutlines(id, Math.max(0, turnCount - turnsLookedAt), turnsLookedAt), (turns) =>
      turns.some(({ settings }) => settings.model !== undefined)
    )

  const opens = Effect.fnUntraced(function* (driver: AgentDriver, request: OpenRequest) {
    const begunAt = yield* Clock.currentTimeMillis
    const open = driver.sharesLogin === true ? alone(driver.name, driver.open(request)) : driver.open(request)
    const connection = yield* Effect.tapError(open, (failure) =>
      Effect.map(Clock.currentTimeMillis, (now) => breaker.failed(driver.name, failure, now))
    )
    breaker.started(driver.name, (yield* Clock.currentTimeMillis) - begunAt)
    return connection
  })

  /** Posts `process.ready` when the agent can take a prompt. */
  return Effect.fnUntraced(function* (port: SessionPort, agentProcess: AgentProcess, thread: string | null) {
    const { agent, app, cwd, effort, id, mode, model, ownsCwd, permissions, setup, systemPrompt } = port.record()
    const openedAt = yield* Clock.currentTimeMillis
    const questions = (setup.questions ?? questionsUnder(permissions)) === "ask"
    const env = setup.env ?? {}
    const driver = yield* agents.driver(agent)
    const wish = { cwd, env, permissions: askingPolicyOf(permissions), questions }
    const spareSpec = yield* ownOrSpare.lease(port, agentProcess, driver, wish)
    const broken = breaker.check(driver.name, openedAt)
    if (broken !== null) return yield* broken
    const workdirLost = yield* findWorkdir(port.record(), agentProcess.generation)
    // The agent of this name, or the repository, may have become another since the session was made.
    const unenforceable = driver.permissionsProblem?.(permissions, cwd) ?? null
    if (unenforceable !== null) return yield* new AgentFailed({ class: "config", message: unenforceable })
    yield* Effect.forEach(
      [
        { agent: driver.name, permissions, cwd: ownsCwd ? undefined : cwd },
        ...(setup.additionalDirectories ?? []).map((directory) => ({ cwd: directory })),
        ...(setup.mcpServers?.some((server) => typeof server !== "string") ? [{ mcpServer: "mcp_servers" }] : [])
      ],
      (asked) => checkAppBounds(app, asked)
    ).pipe(
      Effect.catchTag("NotAllowed", ({ detail }) => Effect.fail(new AgentFailed({ class: "config", message: detail })))
    )
    const wanted = thread ?? setup.fork?.threadId
    const found =
      wanted === undefined ? null : yield* capsules.place(port.record(), driver, { cwd, env, thread: wanted })
    const request: OwnOrSpare.Request = {
      ...wish,
      session: id,
      model,
      mode,
      effort,
      systemPrompt,
      mcpServers: yield* mcpServersOf(setup, settings.mcpServers),
      additionalDirectories: setup.additionalDirectories ?? [],
      thread,
      turnsChoseModel: thread !== null && model === null && (yield* turnsChoseModel(port.record())),
      fork: thread === null ? (setup.fork ?? null) : null,
      ask: questions ? (question) => port.ask(question) : decline(port),
      emit: received(port, agentProcess),
      approve: approve(port, permissions),
      spawned: (pid) =>
        Effect.gen(function* () {
          agentProcess.pid ??= pid
          const startTime = yield* processes.startTime(pid)
          yield* Effect.orDie(ledger.write([{ _tag: "LeaseSpawned", lease: agentProcess.lease, pid, startTime }]))
        })
    }
    const connection = yield* ownOrSpare.connect(port, agentProcess, driver, request, (own) => opens(driver, own))
    yield* ownOrSpare.used(driver, spareSpec)
    agentProcess.connection = connection
    agentProcess.pid = connection.pid ?? agentProcess.pid
    if (thread !== null && connection.contextLost === null) yield* recoverTurns(port, connection)
    agentProcess.conversation = yield* capsules.follow(port.record(), driver, { cwd, env, thread: connection.thread })
    const at = yield* Clock.currentTimeMillis
    yield* Metrics.agentStarted(driver.name, at - openedAt)
    fleet.add(app, driver.name, { start: Tally.one(at - openedAt) })
    const contextAsOf = connection.contextLost === null ? (found?.asOf ?? null) : null
    yield* port.post({
      event: {
        type: "process.ready",
        thread: connection.thread,
        at,
        ...(contextAsOf === null ? {} : { contextAsOf }),
        ...(workdirLost ? { workdirLost } : {})
      },
      contextLost: connection.contextLost,
      wire: connection.wire ?? null
    })
  })
})

/** A turn's choice counts until another turn has reached the agent, which is seldom long after. */
const turnsLookedAt = 16

/** A server that the configuration had when the session was made may be gone from it. */
const mcpServersOf = ({ mcpServers = [] }: SessionSetup, configured: Settings["mcpServers"] = {}) =>
  Effect.forEach(mcpServers, (server): Effect.Effect<McpServer, AgentFailed> => {
    if (typeof server !== "string") return Effect.succeed(server)
    const spec = Object.hasOwn(configured, server) ? configured[server] : undefined
    if (spec !== undefined) return Effect.succeed({ name: server, ...spec })
    const message = `The configuration has no MCP server ${JSON.stringify(server)} any more. Restore it in mcpServers, or make a new session without it.`
    return Effect.fail(new AgentFailed({ class: "config", message }))
  })
