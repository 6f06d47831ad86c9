/**
 * The process of a session that is about to be opened: a spare, or one that the driver starts. Its lease is stored first.
 *
 * A spare that fails in the handing over is ended, and a process of the session's own takes its place: no prompt has been
 * handed over then.
 */
import { Clock, Effect, Exit, Scope } from "effect"
import { AgentFailed } from "../agent/Agent.ts"
import type { AgentConnection, AgentDriver, OpenRequest, SpareSpec, SpareWish } from "../agent/Agent.ts"
import { Processes } from "../agent/Processes.ts"
import { newLeaseId } from "../domain/Ids.ts"
import type { LedgerError, LedgerWrite } from "../ledger/Ledger.ts"
import * as Metrics from "../runtime/Metrics.ts"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import type { SessionPort } from "../session/CommandHandler.ts"
import type { AgentProcess } from "./AgentProcess.ts"
import { Spares } from "./Spares.ts"

/** What is stored of a session's process before it is opened. */
export type Request = Omit<OpenRequest, "lease" | "spare">

type Opens<R> = (request: OpenRequest) => Effect.Effect<AgentConnection, AgentFailed, R>

export const make = Effect.gen(function* () {
  const processes = yield* Processes
  const slots = yield* ProcessSlots
  const spares = yield* Spares
  const thisNode = yield* ThisNode

  const opened = Effect.fnUntraced(function* (port: SessionPort, { generation, lease }: AgentProcess) {
    const { bootId, self: supervisor } = processes
    const { name: node } = thisNode
    const record = { id: lease, session: port.record().id, generation, bootId, supervisor, node, pid: null }
    const openedAt = yield* Clock.currentTimeMillis
    return { _tag: "LeaseOpened", lease: { ...record, openedAt, startTime: null } } satisfies LedgerWrite
  })

  /** Its directory is here from now on, whether it came along or not. */
  const housed = (port: SessionPort): ReadonlyArray<LedgerWrite> =>
    thisNode.isAlone ? [] : [{ _tag: "SessionHoused", session: port.record().id, node: thisNode.name }]

  /** Finds a spare for the session, and stores the lease of its process. */
  const lease = Effect.fnUntraced(function* (
    port: SessionPort,
    agentProcess: AgentProcess,
    driver: AgentDriver,
    wish: SpareWish
  ) {
    const { id: session, ownsCwd } = port.record()
    const spec = driver.spare?.(wish) ?? null
    // Nobody else gets a directory that was made for one session.
    const usable = spec !== null && spec.directory !== null && ownsCwd ? null : spec
    if (driver.spare !== undefined) {
      yield* spares.take(driver.name, usable, wish, (spare) => {
        agentProcess.spare = spare
        agentProcess.lease = spare.lease
        agentProcess.pid = spare.pid
      })
    }
    slots.settled(session)
    const { generation, lease, spare } = agentProcess
    const first: LedgerWrite =
      spare === null ? yield* opened(port, agentProcess) : { _tag: "LeaseTaken", lease, session, generation }
    yield* thisNode.storeLease(lease, (entries) => port.writes.write(entries), [first, ...housed(port)])
    return usable
  })

  /** The spare is gone with all that it has started, and its lease with it. */
  const replace = Effect.fnUntraced(function* (port: SessionPort, agentProcess: AgentProcess) {
    const { lease: before } = agentProcess
    if ((yield* processes.sweep(before)) > 0) return yield* wouldNotEnd
    agentProcess.earlierLease = before
    agentProcess.spare = null
    agentProcess.pid = null
    agentProcess.lease = newLeaseId()
    const entries = [{ _tag: "LeaseClosed", lease: before } as const, yield* opened(port, agentProcess)]
    yield* thisNode.storeLease(agentProcess.lease, (all) => port.writes.write(all), entries)
  })

  const connect = Effect.fnUntraced(function* <R>(
    port: SessionPort,
    agentProcess: AgentProcess,
    driver: AgentDriver,
    request: Request,
    own: Opens<R>
  ): Effect.fn.Return<AgentConnection, AgentFailed | LedgerError, R | Scope.Scope> {
    const { spare } = agentProcess
    if (spare !== null) {
      const attempt = yield* Scope.fork(yield* Effect.scope)
      let isOver = false
      const emit: OpenRequest["emit"] = (fact) => (isOver ? Effect.void : request.emit(fact))
      const handed = yield* driver
        .open({ ...request, emit, lease: agentProcess.lease, spare })
        .pipe(Scope.provide(attempt), Effect.result)
      if (handed._tag === "Success") return handed.success
      // Another process would find the same.
      if (handed.failure.class === "config") return yield* handed.failure
      isOver = true
      yield* Effect.logInfo(`A spare of the agent ${JSON.stringify(driver.name)} failed: ${handed.failure.message}`)
      yield* Metrics.spareMissed(driver.name, "failed")
      yield* processes.signal(agentProcess.lease, "SIGKILL")
      yield* Scope.close(attempt, Exit.void)
      yield* replace(port, agentProcess)
    }
    return yield* own({ ...request, lease: agentProcess.lease })
  })

  return {
    lease,
    connect,
    used: (driver: AgentDriver, spec: SpareSpec | null) =>
      spec === null ? Effect.void : spares.used(driver.name, spec)
  } as const
})

const wouldNotEnd = new AgentFailed({
  class: "crash",
  message:
    "Processes of the agent that waited for the session would not end. Look for them on this machine; it is tried again."
})
