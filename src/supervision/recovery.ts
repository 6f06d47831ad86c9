/**
 * Recovers from a supervisor that died, before the first spawn and before the port opens.
 *
 * First it ends the processes that the dead supervisor left, so that no thread gets a second writer. Then it loads every
 * session that was doing something once, which settles its turn with one outcome and re-arms its timers. A node among
 * others does the same with what those leave that die later.
 */
import { Cause, Clock, Effect, Metric } from "effect"
import { chartVersion } from "../../machines/session/restore.ts"
import { Processes } from "../agent/Processes.ts"
import type { LeaseId } from "../domain/Ids.ts"
import { Draining } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { SupervisorProcess } from "../domain/SupervisorProcess.ts"
import { DrainState } from "../runtime/DrainState.ts"
import { isLedgerAway } from "../runtime/errors.ts"
import { orphansTotal } from "../runtime/Metrics.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { OwnedElsewhere } from "../session/Envelope.ts"
import { Supervisor } from "./Supervisor.ts"

/** How often dead nodes' sessions are looked for within the length of a lease. */
const looksPerLease = 5

/** In a copy of a data dir, sessions go on from what was copied; the agents of the other Troupe are its own. */
const inUse = (lease: LeaseId, { pid }: SupervisorProcess) =>
  `the processes of lease ${lease} are left alone: the Troupe with pid ${pid}, which opened it, runs. This data dir is a copy of its data dir`

/** Loads each session that has something to do and no living owner; how many there were. */
const settleRestless = Effect.gen(function* () {
  const ledger = yield* Ledger
  const supervisor = yield* Supervisor
  const restless = yield* ledger.sessionsToRecover(chartVersion)
  yield* Effect.forEach(
    restless,
    (id) =>
      Effect.catchTag(supervisor.wake(id), "ActorFailed", ({ cause }) =>
        // Another node was quicker, or this one has begun to drain; or it is looked at again when the ledger is back.
        cause instanceof OwnedElsewhere || cause instanceof Draining || isLedgerAway(Cause.fail(cause))
          ? Effect.void
          : Effect.logError(`session ${id} could not be brought back; it stays as it is in the ledger`, cause)
      ),
    { concurrency: 16, discard: true }
  )
  return restless.length
})

/**
 * Takes over what nodes leave that die later, until this one drains. A lease that is over is noticed within a part of
 * its length.
 */
export const adoptOrphans = Effect.gen(function* () {
  const { leaseMillis } = yield* ThisNode
  if (leaseMillis === null) return
  const { draining } = yield* DrainState
  yield* Effect.suspend(() => (draining() ? Effect.void : Effect.asVoid(settleRestless))).pipe(
    Effect.catch((cause) => Effect.logDebug("sessions of dead nodes could not be looked for", cause)),
    // What is there at the start `recover` has just looked for.
    Effect.delay(leaseMillis / looksPerLease),
    Effect.forever,
    Effect.forkScoped
  )
})

export const recover = Effect.gen(function* () {
  const ledger = yield* Ledger
  const processes = yield* Processes
  const thisNode = yield* ThisNode
  const began = yield* Clock.currentTimeMillis

  // Those of another machine are reaped by its own node.
  const leases = (yield* ledger.leases).filter(({ node }) => thisNode.isAlone || node === thisNode.name)
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

  const restless = yield* settleRestless
  const took = (yield* Clock.currentTimeMillis) - began
  if (leases.length > 0 || restless > 0) {
    const ended = orphans.reduce((sum, count) => sum + count, 0)
    yield* Effect.logInfo(
      `boot: ${ended} processes of a dead supervisor ended under ${leases.length} leases, ${restless} sessions settled, in ${took} ms`
    )
  }
})
