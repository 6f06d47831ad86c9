/**
 * Recovers from a supervisor that died, before the first spawn and before the port opens.
 *
 * First it ends the processes that the dead supervisor left, so that no thread gets a second writer. Then it loads every
 * session that was doing something once, which settles its turn with one outcome and re-arms its timers.
 */
import { Clock, Effect, Metric } from "effect"
import { Processes } from "../agent/Processes.ts"
import type { LeaseId } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { SupervisorProcess } from "../domain/SupervisorProcess.ts"
import { orphansTotal } from "../runtime/Metrics.ts"
import { Supervisor } from "./Supervisor.ts"

/** In a copy of a data dir, sessions go on from what was copied; the agents of the other Troupe are its own. */
const inUse = (lease: LeaseId, { pid }: SupervisorProcess) =>
  `the processes of lease ${lease} are left alone: the Troupe with pid ${pid}, which opened it, runs. This data dir is a copy of its data dir`

export const recover = Effect.gen(function* () {
  const ledger = yield* Ledger
  const processes = yield* Processes
  const supervisor = yield* Supervisor
  const began = yield* Clock.currentTimeMillis

  const leases = yield* ledger.leases
  const orphans = yield* Effect.forEach(
    leases,
    ({ bootId, id: lease, pid, startTime, supervisor }) =>
      Effect.gen(function* () {
        const reaped = yield* processes.reap({ lease, pid, startTime, bootId, supervisor })
        if (reaped._tag === "OutOfSight") return 0
        if (reaped._tag === "InUse") {
          yield* Effect.logWarning(inUse(lease, reaped.supervisor))
          return 0
        }
        yield* Metric.update(orphansTotal, reaped.found)
        if (reaped.left > 0) yield* Effect.logError(`${reaped.left} processes of lease ${lease} would not die`)
        return reaped.found
      }),
    { concurrency: 8 }
  )
  yield* ledger.write(leases.map(({ id: lease }) => ({ _tag: "LeaseClosed", lease })))

  const restless = yield* ledger.sessionsToRecover
  yield* Effect.forEach(
    restless,
    (id) =>
      Effect.catchTag(supervisor.wake(id), "ActorFailed", ({ cause }) =>
        Effect.logError(`session ${id} could not be brought back; it stays as it is in the ledger`, cause)
      ),
    { concurrency: 16, discard: true }
  )
  const took = (yield* Clock.currentTimeMillis) - began
  if (leases.length > 0 || restless.length > 0) {
    const ended = orphans.reduce((sum, count) => sum + count, 0)
    yield* Effect.logInfo(
      `boot: ${ended} processes of a dead supervisor ended under ${leases.length} leases, ${restless.length} sessions settled, in ${took} ms`
    )
  }
})
