/**
 * The metrics that `/metrics` shows. Every label has few values: none holds a session's id.
 *
 * Counters and histograms are updated where things happen; gauges are set from `Operator.counts` when `/metrics` is read.
 */
import { Effect, Metric } from "effect"
import type { SessionState } from "../domain/Session.ts"

/** In seconds, from a fast answer to the longest turn that is allowed. */
export const secondsBuckets = [0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800]

/** Events as stored, after coalescing. */
export const eventsTotal = Metric.counter("troupe_events_total", {
  description: "Events written to the ledger.",
  incremental: true
})

const restartsTotal = Metric.counter("troupe_process_restarts_total", {
  description: "Agent processes that were started in place of one that died, by agent and the class of the death.",
  incremental: true
})
const deathsTotal = Metric.counter("troupe_process_deaths_total", {
  description: "Agent processes that ended by themselves or did not get ready, by agent and class.",
  incremental: true
})
const contextLostTotal = Metric.counter("troupe_context_lost_total", {
  description: "Agent starts that could not go on with their session's conversation, by agent.",
  incremental: true
})
const startSeconds = Metric.histogram("troupe_agent_start_seconds", {
  description:
    "From the start of an agent's process for a session until it takes a prompt, by agent; a spare counts, too.",
  boundaries: secondsBuckets
})

export const processRestarted = (agent: string, kind: string) =>
  Metric.update(Metric.withAttributes(restartsTotal, { agent, class: kind }), 1)
export const processDied = (agent: string, kind: string) =>
  Metric.update(Metric.withAttributes(deathsTotal, { agent, class: kind }), 1)
export const contextLost = (agent: string) => Metric.update(Metric.withAttributes(contextLostTotal, { agent }), 1)
/** What an alert is on is there before it happens to an agent for the first time. */
export const showAgents = (agents: ReadonlyArray<string>) =>
  Effect.forEach(agents, (agent) => Metric.update(Metric.withAttributes(contextLostTotal, { agent }), 0), {
    discard: true
  })
export const agentStarted = (agent: string, millis: number) =>
  Metric.update(Metric.withAttributes(startSeconds, { agent }), millis / 1000)

export const orphansTotal = Metric.counter("troupe_orphans_swept_total", {
  description: "Processes that outlived their agent or their supervisor, and were ended.",
  incremental: true
})

export const actorsGivenUpTotal = Metric.counter("troupe_actors_given_up_total", {
  description: "Sessions whose actor kept dying of a defect of Troupe's own, and was given up for a while.",
  incremental: true
})

/** `limit`: `rss` or `descendants`. */
export const sessionLimitsTotal = Metric.counter("troupe_session_limits_exceeded_total", {
  description: "Agent processes that were ended because their session used more than its operator allows, by limit.",
  incremental: true
})

const spareHitsTotal = Metric.counter("troupe_spare_hits_total", {
  description: "Agent starts of sessions that found a process that was up, by agent.",
  incremental: true
})
const spareMissesTotal = Metric.counter("troupe_spare_misses_total", {
  description: "Agent starts of sessions that found none, by agent and reason.",
  incremental: true
})
const spareIdleSeconds = Metric.histogram("troupe_spare_idle_seconds", {
  description: "How long a spare had waited when a session took it, by agent.",
  boundaries: secondsBuckets
})

export const spareTaken = (agent: string, idleMillis: number) =>
  Effect.andThen(
    Metric.update(Metric.withAttributes(spareHitsTotal, { agent }), 1),
    Metric.update(Metric.withAttributes(spareIdleSeconds, { agent }), idleMillis / 1000)
  )

/**
 * `own`: the session must have a process of its own. `none`: no spare waited. `repository`: it would have git run what the
 * session's repository names. `failed`: it was taken, counted as a hit, and ended in the handing over.
 */
export const spareMissed = (agent: string, reason: "own" | "none" | "repository" | "failed") =>
  Metric.update(Metric.withAttributes(spareMissesTotal, { agent, reason }), 1)

const runsTotal = Metric.counter("troupe_runs_total", {
  description: "One-shot runs that ended, by outcome.",
  incremental: true
})

export const runEnded = (outcome: "completed" | "failed" | "timed_out") =>
  Metric.update(Metric.withAttributes(runsTotal, { outcome }), 1)

const webhookAttemptsTotal = Metric.counter("troupe_webhook_attempts_total", {
  description: "Attempts to send an event to a webhook, by outcome.",
  incremental: true
})

/** `given_up`: it failed, and was the last. */
export const webhookAttempt = (outcome: "delivered" | "failed" | "given_up") =>
  Metric.update(Metric.withAttributes(webhookAttemptsTotal, { outcome }), 1)

const sessions = Metric.gauge("troupe_sessions", { description: "Sessions in the ledger, by state." })
const ledgerAway = Metric.gauge("troupe_ledger_away", {
  description: "1 while the ledger can't be written and commits are held, else 0."
})
const processes = Metric.gauge("troupe_processes", { description: "Live agent processes." })
const spares = Metric.gauge("troupe_spares", {
  description: "Agent processes that wait for a session; they are no part of troupe_processes."
})
const processLimit = Metric.gauge("troupe_processes_limit", { description: "How many there may be." })
const waiting = Metric.gauge("troupe_pool_waiting", { description: "Turns that wait for a process slot." })
const timers = Metric.gauge("troupe_timers", { description: "Timers that are armed: deadlines, pauses, watchdogs." })

const circuitOpen = Metric.gauge("troupe_agent_circuit_open", {
  description:
    "1 while an agent is not started because its starts kept failing, else 0; by agent, once one was started."
})

/** What the gauges show. `waiting` are turns that wait for a process slot. */
export interface Counts {
  readonly sessions: Readonly<Record<SessionState, number>>
  readonly processes: number
  readonly spares: number
  readonly maxProcesses: number
  readonly waiting: number
  readonly ledgerAway: boolean
  readonly timers: number
  /** By agent, whether its circuit is open. */
  readonly circuits: ReadonlyMap<string, boolean>
}

/** A counter that nothing has increased yet is shown as 0: an alert can't be written on a metric that is missing. */
export const setCounts = (counts: Counts) =>
  Effect.all(
    [
      ...[eventsTotal, orphansTotal, actorsGivenUpTotal].map((counter) => Metric.update(counter, 0)),
      ...["rss", "descendants"].map((limit) => Metric.update(Metric.withAttributes(sessionLimitsTotal, { limit }), 0)),
      ...["delivered", "failed", "given_up"].map((outcome) =>
        Metric.update(Metric.withAttributes(webhookAttemptsTotal, { outcome }), 0)
      ),
      ...Object.entries(counts.sessions).map(([state, count]) =>
        Metric.update(Metric.withAttributes(sessions, { state }), count)
      ),
      Metric.update(processes, counts.processes),
      Metric.update(spares, counts.spares),
      Metric.update(processLimit, counts.maxProcesses),
      Metric.update(waiting, counts.waiting),
      Metric.update(ledgerAway, counts.ledgerAway ? 1 : 0),
      Metric.update(timers, counts.timers),
      ...[...counts.circuits].map(([agent, isOpen]) =>
        Metric.update(Metric.withAttributes(circuitOpen, { agent }), isOpen ? 1 : 0)
      )
    ],
    { discard: true }
  )
