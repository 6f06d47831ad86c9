/**
 * The agent processes of sessions, each under its lease: from before the spawn until the kernel knows none of it.
 *
 * The lease is in the ledger before the process is spawned, and the slot is given back after its last child is gone.
 */
import { Cause, Deferred, Effect, Exit, Fiber, Schedule, Scope } from "effect"
import { AgentFailed } from "../agent/Agent.ts"
import { Processes } from "../agent/Processes.ts"
import { newLeaseId } from "../domain/Ids.ts"
import type { LeaseId, SessionId } from "../domain/Ids.ts"
import { UnknownAgent } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import type { SessionPort } from "../session/CommandHandler.ts"
import * as AgentFacts from "./agentFacts.ts"
import type { AgentProcess } from "./AgentProcess.ts"
import * as Capsules from "./Capsules.ts"
import * as OpenAgent from "./openAgent.ts"
import * as SessionLimits from "./SessionLimits.ts"

/** Whatever keeps an agent from starting is told to its session, also what nobody thought of. */
const failedStart = (cause: Cause.Cause<AgentFailed | UnknownAgent | LedgerError>): AgentFailed => {
  const error = Cause.squash(cause)
  if (error instanceof AgentFailed) return error
  if (error instanceof UnknownAgent) return new AgentFailed({ class: "config", message: error.detail })
  const message = `The agent could not be started: ${error instanceof Error ? error.message : String(error)}`
  return new AgentFailed({ class: "protocol", message })
}

/** A driver promises to stop at once when it is interrupted; this bounds one that does not. */
const releaseWithin = "10 seconds"

const stillThere = new AgentFailed({
  class: "crash",
  message: "Processes of the session's last agent would not end. Look for them on this machine; it is tried again."
})

const retryLeaseAfter = "1 second"

const closed = (leases: ReadonlyArray<LeaseId>) => leases.map((lease) => ({ _tag: "LeaseClosed", lease }) as const)

export const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const slots = yield* ProcessSlots
  const processes = yield* Processes
  const scope = yield* Effect.scope
  const agentProcesses = new Map<SessionId, AgentProcess>()
  /** The leases of each session's last process, until its end is stored. */
  const unclosed = new Map<SessionId, ReadonlyArray<LeaseId>>()
  let isClosing = false

  const { limits: bounds } = yield* RuntimeSettings
  const limits = yield* SessionLimits.make(processes, bounds, () => [...agentProcesses.values()])

  const capsules = yield* Capsules.make
  const received = AgentFacts.make((session) => agentProcesses.get(session), capsules)
  const open = yield* OpenAgent.make(received, capsules)

  const start = Effect.fnUntraced(function* (port: SessionPort, generation: number, thread: string | null) {
    const session = port.record().id
    if (agentProcesses.has(session) && !(yield* end(session))) return yield* fails(port, stillThere)
    const processScope = yield* Scope.fork(scope)
    const opening = yield* Deferred.make<Fiber.Fiber<void>>()
    const agentProcess: AgentProcess = {
      port,
      generation,
      lease: newLeaseId(),
      earlierLease: null,
      spare: null,
      scope: processScope,
      opening,
      connection: null,
      conversation: null,
      pid: null
    }
    agentProcesses.set(session, agentProcess)
    const opened = closedBefore(session).pipe(
      Effect.andThen(open(port, agentProcess, thread)),
      Scope.provide(processScope),
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.interrupt : fails(port, failedStart(cause))
      ),
      Effect.ensuring(
        Effect.sync(() => {
          agentProcess.opening = null
          slots.settled(session)
        })
      )
    )
    yield* Deferred.succeed(opening, yield* Effect.forkIn(opened, scope))
  })

  const fails = Effect.fnUntraced(function* (
    port: SessionPort,
    { class: kind, exit, message, stderr, wire }: AgentFailed
  ) {
    const failure = { class: kind, message, ...(stderr === undefined ? {} : { stderr }) }
    yield* port.post({
      event: {
        type: "process.failed",
        ...(yield* AgentFacts.failureAt(failure)),
        ...(exit === undefined ? {} : { exit })
      },
      wire: wire ?? stderr ?? null
    })
  })

  /** `true` when the kernel knows no process of it any more. */
  const end = Effect.fnUntraced(function* (session: SessionId) {
    const agentProcess = agentProcesses.get(session)
    if (agentProcess !== undefined) {
      const { opening } = agentProcess
      if (opening !== null) {
        yield* Effect.flatMap(Deferred.await(opening), Fiber.interrupt).pipe(Effect.timeoutOption(releaseWithin))
      }
      const { earlierLease, lease, spare } = agentProcess
      yield* processes.signal(lease, "SIGKILL")
      yield* Scope.close(agentProcess.scope, Exit.void).pipe(Effect.timeoutOption(releaseWithin))
      // Where it was taken over, and its driver did not come to it.
      if (spare !== null) yield* Effect.timeoutOption(spare.close, releaseWithin)
      const left = yield* processes.sweep(lease)
      if (left > 0) {
        yield* Effect.logError(`${left} processes of session ${session} would not die`)
        return false
      }
      agentProcesses.delete(session)
      if (agentProcess.conversation !== null) yield* capsules.finish(agentProcess.port, agentProcess.conversation)
      yield* closeLeases(session, earlierLease === null ? [lease] : [earlierLease, lease])
    }
    slots.release(session)
    return true
  })

  /** In the background, and until it is stored: while a session has a lease it gets no other. */
  const closeLeases = (session: SessionId, leases: ReadonlyArray<LeaseId>) => {
    // The next start of Troupe closes what is not stored by the end of this one.
    if (isClosing) return ledger.writeLater(closed(leases))
    unclosed.set(session, leases)
    const stored = Effect.retry(storeEnd(session, leases), Schedule.spaced(retryLeaseAfter))
    return Effect.asVoid(Effect.forkIn(stored, scope, { startImmediately: true }))
  }

  const storeEnd = (session: SessionId, leases: ReadonlyArray<LeaseId>) =>
    Effect.map(ledger.write(closed(leases)), () => {
      if (unclosed.get(session) === leases) unclosed.delete(session)
    })

  /** A next process does not wait for the next attempt: the ledger may be back since. */
  const closedBefore = (session: SessionId) =>
    Effect.suspend(() => {
      const leases = unclosed.get(session)
      return leases === undefined ? Effect.void : storeEnd(session, leases)
    })

  yield* Effect.addFinalizer(() => {
    isClosing = true
    return Effect.forEach([...agentProcesses.keys()], end, { concurrency: "unbounded", discard: true })
  })

  return {
    /** Ends what is left of an earlier process first. The result is posted to the session as an event. */
    start,
    end,
    limits,
    of: (session: SessionId) => agentProcesses.get(session),
    holding: () => [...agentProcesses.keys()]
  } as const
})
