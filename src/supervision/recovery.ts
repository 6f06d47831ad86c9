/**
 * Recovers from a supervisor that died, before the first spawn and before the port opens.
 *
 * First it ends the processes that the dead supervisor left, so that no thread gets a second writer. Then it loads every
 * session that was doing something once, which settles its turn with one outcome and re-arms its timers.
 */
import { Clock, Effect, Metric } from "effect"
import { Processes } from "../agent/Processes.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { orphansTotal } from "../runtime/Metrics.ts"
import { Supervisor } from "./Supervisor.ts"

export const recover = Effect.gen(function* () {
  const ledger = yield* Ledger
  const processes = yield* Processes
  const supervisor = yield* Supervisor
  const began = yield* Clock.currentTimeMillis

  const leases = yield* ledger.leases
  const orphans = yield* Effect.forEach(
    leases,
    ({ bootId, id: lease, pid, startTime }) =>
      Effect.gen(function* () {
        const alive = (yield* processes.tree(lease)).length
        yield* Metric.update(orphansTotal, alive)
        const stubborn = yield* processes.reap({ lease, pid, startTime, bootId })
        if (stubborn > 0) yield* Effect.logError(`${stubborn} processes of lease ${lease} would not die`)
        return alive
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
