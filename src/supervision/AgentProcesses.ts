/**
 * The agent processes of sessions, each under its lease: from before the spawn until the kernel knows none of it.
 *
 * The lease is in the ledger before the process is spawned, and the slot is given back after its last child is gone.
 */
import { Clock, Deferred, Effect, Exit, Fiber, Random, Scope } from "effect"
import { AgentFailed } from "../agent/Agent.ts"
import type { AgentConnection, AgentDriver, AgentFact, ApprovalRequest, OpenRequest } from "../agent/Agent.ts"
import { Agents } from "../agent/Agents.ts"
import { Processes } from "../agent/Processes.ts"
import { exitLine } from "../agent/wireLine.ts"
import { newLeaseId } from "../domain/Ids.ts"
import type { LeaseId, SessionId } from "../domain/Ids.ts"
import { policyOf } from "../domain/Session.ts"
import type { Failure } from "../domain/Turn.ts"
import { Ledger } from "../ledger/Ledger.ts"
import * as CircuitBreaker from "./CircuitBreaker.ts"
import type { SessionPort } from "../session/CommandHandler.ts"
import { decidePermission } from "./permissions.ts"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"

export interface AgentProcess {
  readonly generation: number
  readonly lease: LeaseId
  readonly scope: Scope.Closeable
  readonly opening: Deferred.Deferred<Fiber.Fiber<void>>
  connection: AgentConnection | null
  pid: number | null
}

/** A driver promises to stop at once when it is interrupted; this bounds one that does not. */
const releaseWithin = "10 seconds"

export const make = Effect.gen(function* () {
  const agents = yield* Agents
  const ledger = yield* Ledger
  const slots = yield* ProcessSlots
  const processes = yield* Processes
  const breaker = CircuitBreaker.make()
  const scope = yield* Effect.scope
  const agentProcesses = new Map<SessionId, AgentProcess>()

  const failureAt = Effect.fnUntraced(function* (failure: Failure) {
    return { failure, at: yield* Clock.currentTimeMillis, jitter: yield* Random.next }
  })

  const received = (port: SessionPort, agentProcess: AgentProcess) =>
    Effect.fnUntraced(function* (fact: AgentFact) {
      const session = port.record().id
      switch (fact._tag) {
        case "Update":
          return yield* port.append(fact.turn, fact.message)
        case "TurnStarted":
          return yield* ledger.writeLater([
            { _tag: "TurnPatched", session, index: fact.turn, patch: { agentTurnId: fact.agentTurnId } }
          ])
        case "TurnEnded": {
          const { failure, stopReason, turn, usage, wire = null } = fact
          return yield* port.post({ event: { type: "turn.ended", turn, stopReason, failure }, usage, wire })
        }
        case "Exited": {
          // A process that is being ended, or was, does not die unexpectedly.
          if (agentProcesses.get(session) !== agentProcess) return
          const failure = { class: "crash" as const, message: deathOf(fact), stderr: fact.stderr }
          const wire = exitLine(fact, fact.stderr)
          return yield* port.post({ event: { type: "process.exited", ...(yield* failureAt(failure)) }, wire })
        }
        default:
          return fact satisfies never
      }
    })

  const approve = (port: SessionPort) =>
    Effect.fnUntraced(function* (request: ApprovalRequest) {
      const { app, id: session, permissions } = port.record()
      const { by: policy, outcome: decision } = decidePermission(permissions, request)
      if (decision === "ask") return yield* port.requestApproval(request)
      const { kind, title, turn } = request
      const at = yield* Clock.currentTimeMillis
      const detail = { turn, kind, title, decision, policy }
      yield* ledger.writeLater([
        { _tag: "Audited", record: { at, session, app, action: "approval", actor: "troupe", detail } }
      ])
      return decision
    })

  const opens = Effect.fnUntraced(function* (driver: AgentDriver, request: OpenRequest) {
    const connection = yield* Effect.tapError(driver.open(request), (failure) =>
      Effect.map(Clock.currentTimeMillis, (now) => breaker.failed(driver.name, failure, now))
    )
    breaker.started(driver.name)
    return connection
  })

  const open = Effect.fnUntraced(function* (port: SessionPort, agentProcess: AgentProcess, thread: string | null) {
    const { agent, cwd, id, model, permissions, systemPrompt } = port.record()
    const openedAt = yield* Clock.currentTimeMillis
    const { bootId } = processes
    const { generation, lease } = agentProcess
    yield* ledger.write([
      {
        _tag: "LeaseOpened",
        lease: { id: lease, session: id, generation, bootId, openedAt, pid: null, startTime: null }
      }
    ])
    const driver = yield* agents.driver(agent)
    const broken = breaker.check(driver.name, openedAt)
    if (broken !== null) return yield* broken
    // The agent of this name may have become another since the session was made.
    const unenforceable = driver.permissionsProblem?.(permissions) ?? null
    if (unenforceable !== null) return yield* new AgentFailed({ class: "config", message: unenforceable })
    const connection = yield* opens(driver, {
      session: id,
      lease,
      cwd,
      model,
      permissions: policyOf(permissions),
      systemPrompt,
      thread,
      emit: received(port, agentProcess),
      approve: approve(port),
      spawned: (pid) =>
        Effect.gen(function* () {
          agentProcess.pid ??= pid
          const startTime = yield* processes.startTime(pid)
          yield* Effect.orDie(ledger.write([{ _tag: "LeaseSpawned", lease, pid, startTime }]))
        })
    })
    agentProcess.connection = connection
    agentProcess.pid = connection.pid ?? agentProcess.pid
    const at = yield* Clock.currentTimeMillis
    yield* port.post({
      event: { type: "process.ready", thread: connection.thread, at },
      contextLost: connection.contextLost,
      wire: connection.wire ?? null
    })
  })

  const start = Effect.fnUntraced(function* (port: SessionPort, generation: number, thread: string | null) {
    const session = port.record().id
    if (agentProcesses.has(session)) yield* end(session)
    const processScope = yield* Scope.fork(scope)
    const opening = yield* Deferred.make<Fiber.Fiber<void>>()
    const agentProcess: AgentProcess = {
      generation,
      lease: newLeaseId(),
      scope: processScope,
      opening,
      connection: null,
      pid: null
    }
    agentProcesses.set(session, agentProcess)
    const opened = open(port, agentProcess, thread).pipe(
      Scope.provide(processScope),
      Effect.catchTags({
        AgentFailed: (failure) => fails(port, failure),
        UnknownAgent: ({ detail }) => fails(port, new AgentFailed({ class: "config", message: detail }))
      }),
      Effect.catchDefect((defect) => {
        const message = `The agent could not be started: ${defect instanceof Error ? defect.message : String(defect)}`
        return fails(port, new AgentFailed({ class: "protocol", message }))
      }),
      Effect.orDie
    )
    yield* Deferred.succeed(opening, yield* Effect.forkIn(opened, scope))
  })

  const fails = Effect.fnUntraced(function* (port: SessionPort, { class: kind, message, stderr, wire }: AgentFailed) {
    const failure = { class: kind, message, ...(stderr === undefined ? {} : { stderr }) }
    yield* port.post({
      event: { type: "process.failed", ...(yield* failureAt(failure)) },
      wire: wire ?? stderr ?? null
    })
  })

  /** `true` when the kernel knows no process of it any more. */
  const end = Effect.fnUntraced(function* (session: SessionId) {
    const agentProcess = agentProcesses.get(session)
    if (agentProcess !== undefined) {
      yield* Effect.flatMap(Deferred.await(agentProcess.opening), Fiber.interrupt).pipe(
        Effect.timeoutOption(releaseWithin)
      )
      yield* processes.signal(agentProcess.lease, "SIGKILL")
      yield* Scope.close(agentProcess.scope, Exit.void).pipe(Effect.timeoutOption(releaseWithin))
      const left = yield* processes.sweep(agentProcess.lease)
      if (left > 0) {
        yield* Effect.logError(`${left} processes of session ${session} would not die`)
        return false
      }
      agentProcesses.delete(session)
      yield* ledger.writeLater([{ _tag: "LeaseClosed", lease: agentProcess.lease }])
    }
    slots.release(session)
    return true
  })

  yield* Effect.addFinalizer(() =>
    Effect.forEach([...agentProcesses.keys()], end, { concurrency: "unbounded", discard: true })
  )

  return {
    /** Ends what is left of an earlier process first. The result is posted to the session as an event. */
    start,
    end,
    of: (session: SessionId) => agentProcesses.get(session),
    holding: () => [...agentProcesses.keys()]
  } as const
})

const deathOf = ({
  code,
  signal,
  stderr
}: {
  readonly code: number | null
  readonly signal: string | null
  readonly stderr: string
}) => {
  const how = signal === null ? `ended with exit code ${code ?? "unknown"}` : `was killed by ${signal}`
  const last = stderr.trim().split("\n").at(-1) ?? ""
  return `The agent process ${how}${last === "" ? "." : `: ${last}`}`
}
