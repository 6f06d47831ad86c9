/**
 * Watches what the processes of each session use, and reports to its session where that is more than an operator allows.
 *
 * What becomes of it is decided by the machine: between turns the process is retired, in a turn it is killed and the turn
 * fails. All sessions are measured by one look at the kernel's table. Without a limit only those are measured that somebody
 * looks at.
 */
import { Clock, Effect, Latch, Metric } from "effect"
import type { Processes } from "../agent/Processes.ts"
import { forgetOldest } from "../agent/forgetOldest.ts"
import type { SessionId } from "../domain/Ids.ts"
import type { ExceededLimit, ProcessUse } from "../domain/Session.ts"
import type { Limits } from "../domain/Settings.ts"
import { sessionLimitsTotal } from "../runtime/Metrics.ts"
import type { SessionPort } from "../session/CommandHandler.ts"
import type { AgentProcess } from "./AgentProcess.ts"
import { Looks, UseSamples } from "./UseSamples.ts"
import type { UseSample } from "./UseSamples.ts"

/** A build can fill a machine within seconds; one look costs some milliseconds of a machine with 500 processes. */
const everyMillis = 1_000

/** Of how many sessions it is remembered what they have exceeded. */
const mostRemembered = 1_000

export interface Watched extends Pick<AgentProcess, "generation" | "lease"> {
  readonly port: SessionPort
}

export interface SessionLimits {
  /** As it was measured last; `null`: it was not, because it has no process or there is no limit. */
  readonly use: (session: SessionId) => ProcessUse | null
  /** What the session's last process exceeded that exceeded anything. */
  readonly exceeded: (session: SessionId) => ExceededLimit | null
  /** What was measured lately, the oldest first. Whoever asks has it measured for a while. */
  readonly samples: (session: SessionId) => ReadonlyArray<UseSample>
}

type Bounds = Pick<Limits, "maxSessionDescendants" | "maxSessionRssBytes">

/** Measures in the background while its scope is open. `watched` are the processes that run. */
export const make = Effect.fnUntraced(function* (
  processes: Pick<Processes["Service"], "use">,
  bounds: Bounds,
  watched: () => ReadonlyArray<Watched>
) {
  let uses: ReadonlyMap<SessionId, ProcessUse> = new Map()
  const exceeded = new Map<SessionId, ExceededLimit>()

  const report = Effect.fnUntraced(function* (port: SessionPort, excess: ExceededLimit) {
    const { generation, limit, message } = excess
    const session = port.record().id
    if (exceeded.get(session)?.generation !== generation) {
      exceeded.delete(session)
      exceeded.set(session, excess)
      forgetOldest(exceeded, mostRemembered)
      yield* Metric.update(Metric.withAttributes(sessionLimitsTotal, { limit }), 1)
      yield* Effect.logWarning(`session ${session}: ${message}`)
    }
    // Each time, because a process that was only asked to exit may go on taking more.
    yield* port.post({ event: { type: "limit.exceeded", generation, limit, failure: { class: "limit", message } } })
  })

  const clock = yield* Clock.Clock
  const isLimited = bounds.maxSessionDescendants !== null || bounds.maxSessionRssBytes !== null
  const looks = new Looks()
  const kept = new UseSamples()
  const isLookedAt = yield* Latch.make(isLimited)

  const measure = Effect.gen(function* () {
    const now = clock.currentTimeMillisUnsafe()
    const all = watched().filter(({ port }) => isLimited || looks.has(port.record().id, now))
    if (!isLimited && !looks.hasAny(now)) yield* isLookedAt.close
    if (all.length === 0) return void (uses = new Map())
    const found = yield* processes.use(all.map(({ lease }) => lease))
    const at = yield* Clock.currentTimeMillis
    const measured = new Map<SessionId, ProcessUse>()
    for (const each of all) {
      const use = found.get(each.lease)
      if (use === undefined) continue
      const { processes: count, rssBytes } = use
      if (isLimited) measured.set(each.port.record().id, { rssBytes, processes: count, at })
      kept.add(each.port.record().id, use, at)
      const excess = excessOf(bounds, use)
      if (excess !== null) yield* report(each.port, { ...excess, at, generation: each.generation })
    }
    uses = measured
  })

  yield* isLookedAt.await.pipe(
    Effect.andThen(measure),
    Effect.catchCause((cause) => Effect.logWarning("The processes of sessions could not be measured", cause)),
    Effect.andThen(Effect.sleep(everyMillis)),
    Effect.forever,
    Effect.forkScoped
  )

  return {
    samples: (session) => {
      looks.note(session, clock.currentTimeMillisUnsafe())
      isLookedAt.openUnsafe()
      return kept.of(session)
    },
    use: (session) => uses.get(session) ?? null,
    exceeded: (session) => exceeded.get(session) ?? null
  } satisfies SessionLimits
})

const mebibytes = (bytes: number) => `${Math.ceil(bytes / 1024 / 1024)} MiB`

/** The number of processes first: it is what makes the memory grow where both are exceeded. */
export const excessOf = (
  { maxSessionDescendants, maxSessionRssBytes }: Bounds,
  { processes, rssBytes }: Pick<ProcessUse, "processes" | "rssBytes">
): Pick<ExceededLimit, "limit" | "message"> | null => {
  if (maxSessionDescendants !== null && processes > maxSessionDescendants) {
    const message = `The session had ${processes} processes, and its operator allows ${maxSessionDescendants} (TROUPE_MAX_SESSION_DESCENDANTS). They were ended; the next turn starts the agent again.`
    return { limit: "descendants", message }
  }
  if (maxSessionRssBytes !== null && rssBytes > maxSessionRssBytes) {
    const message = `The session's processes used ${mebibytes(rssBytes)} of memory, and its operator allows ${mebibytes(maxSessionRssBytes)} (TROUPE_MAX_SESSION_RSS). They were ended; the next turn starts the agent again.`
    return { limit: "rss", message }
  }
  return null
}
