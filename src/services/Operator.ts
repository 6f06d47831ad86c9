/**
 * What an operator can ask of the runtime as a whole: readiness, a sweep, numbers, and the drain before it stops.
 *
 * A drain ends every process within its deadline and two retirements; sessions stay open and wake at the next boot.
 */
import { Clock, Context, Effect, Exit, Layer, Option } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { Nodes } from "../cluster/Nodes.ts"
import type { SeenNode } from "../cluster/Nodes.ts"
import { Agents } from "../agent/Agents.ts"
import type { AgentView, MissingAgent } from "../agent/Agents.ts"
import { Unavailable } from "../domain/Refusal.ts"
import { SessionState } from "../domain/Session.ts"
import type { Settings } from "../domain/Settings.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { DrainState } from "../runtime/DrainState.ts"
import * as Gauges from "../runtime/gauges.ts"
import * as Metrics from "../runtime/Metrics.ts"
import * as ProcessMetrics from "../runtime/processMetrics.ts"
import type { Counts } from "../runtime/Metrics.ts"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import { Timers } from "../runtime/Timers.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import { CommandHandler } from "../session/CommandHandler.ts"
import { CircuitBreaker } from "../supervision/CircuitBreaker.ts"
import type { OpenCircuit } from "../supervision/CircuitBreaker.ts"
import type { AgentStarts } from "../supervision/StartsByAgent.ts"
import * as Drain from "../supervision/drain.ts"
import * as GaugedOf from "./gauged.ts"
import { Sweeper } from "./Sweeper.ts"

/** The nodes that work on the ledger, and how long each may give no sign of life. */
export interface ClusterNodes {
  readonly leaseMillis: number
  readonly nodes: ReadonlyArray<SeenNode>
}

/** An agent as it is at this process. Times are milliseconds since 1970. */
export interface AgentHealth extends AgentStatus {
  readonly starts: AgentStarts
}

/** An agent, and whether it is left alone for a while because its starts kept failing; `circuit` `null`: it may be started. */
export interface AgentStatus extends AgentView {
  readonly circuit: { readonly until: number; readonly reason: string } | null
}

export type { SeenNode } from "../cluster/Nodes.ts"

export class Operator extends Context.Service<
  Operator,
  {
    /** What this runtime was opened with. `dataDir` is a real directory, also where `:memory:` was asked for. */
    readonly settings: Settings
    /** Ledger writable, default agent installed, not draining. The reasons, where not. */
    readonly ready: Effect.Effect<{ readonly ready: boolean; readonly reasons: ReadonlyArray<string> }>
    readonly sweep: Effect.Effect<{ readonly softClosed: number; readonly hardDeleted: number }, Unavailable>
    /** The agents that `AgentDirectory` lists. */
    readonly agents: Effect.Effect<ReadonlyArray<AgentHealth>>
    /** Agents that are not started for a while. It does not make this process unready: the other agents work. */
    readonly circuits: Effect.Effect<ReadonlyArray<OpenCircuit>>
    readonly counts: Effect.Effect<Counts, Unavailable>
    /** `null`: this Troupe is alone. */
    readonly nodes: Effect.Effect<ClusterNodes | null, Unavailable>
    /** All numbers of this process, the counts included, in the text format of Prometheus. */
    readonly metrics: Effect.Effect<string, Unavailable>
    /**
     * No new work from now on; running turns may finish until the deadline and are interrupted then; turns that no agent
     * has yet are left for the next boot; every process is retired. Sessions stay open in the ledger.
     */
    readonly drain: (deadlineMillis: number) => Effect.Effect<void>
  }
>()("troupe/services/Operator") {
  static readonly layer = Layer.effect(
    Operator,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const agents = yield* Agents
  const breaker = yield* CircuitBreaker
  const commandHandler = yield* CommandHandler
  const drainState = yield* DrainState
  const ledger = yield* Ledger
  const { leaseMillis, seen } = yield* Nodes
  const settings = yield* RuntimeSettings
  const slots = yield* ProcessSlots
  const timers = yield* Timers
  const { sweep } = yield* Sweeper

  const counts = Effect.gen(function* () {
    const count = (state: SessionState) =>
      Effect.map(ledger.sessions({ app: null, state, cursor: null, limit: 1 }), (page) => page.count)
    const sessions = yield* Effect.all(forEachState(count))
    const { size, waiting } = slots.counts()
    const processes = commandHandler.sessionsWithProcess().length
    const ledgerAway = ledger.away() !== null
    return {
      sessions,
      processes,
      spares: slots.spares(),
      maxProcesses: size,
      waiting,
      ledgerAway,
      timers: timers.size(),
      circuits: breaker.states(yield* Clock.currentTimeMillis)
    }
  }).pipe(Effect.mapError((cause) => new Unavailable({ operation: "count", cause })))

  const gauged = yield* GaugedOf.make
  const setGauges = yield* Gauges.make
  const updateProcess = yield* ProcessMetrics.make

  const ledgerProblem = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const failure = Option.map(Exit.findErrorOption(yield* Effect.exit(ledger.ping)), ({ message }) => message)
    const away = ledger.away()
    if (away === null) {
      return Option.getOrNull(Option.map(failure, (message) => `the ledger can't be written: ${message}`))
    }
    const held = away.holding ? "commits are held" : "patience is over, and turns that run are ended"
    return `the ledger has been away for ${Math.round((now - away.since) / 1000)} s (${away.reason}): ${held}`
  })

  return Operator.of({
    settings,
    ready: Effect.gen(function* () {
      const reasons: Array<string> = []
      if (drainState.draining()) reasons.push("draining: no new work is taken")
      const problem = yield* ledgerProblem
      if (problem !== null) reasons.push(problem)
      const byDefault = (yield* agents.missing).find(({ isDefault }) => isDefault)
      if (byDefault !== undefined) reasons.push(missingInWords(byDefault))
      return { ready: reasons.length === 0, reasons }
    }),
    agents: Effect.gen(function* () {
      const open = new Map(breaker.open(yield* Clock.currentTimeMillis).map((circuit) => [circuit.agent, circuit]))
      return (yield* agents.list).map((view) => {
        const circuit = open.get(view.name)
        return {
          ...view,
          circuit: circuit === undefined ? null : { until: circuit.until, reason: circuit.reason },
          starts: breaker.starts(view.name)
        }
      })
    }),
    circuits: Effect.map(Clock.currentTimeMillis, breaker.open),
    sweep: Effect.mapError(sweep, (cause) => new Unavailable({ operation: "sweep", cause })),
    counts,
    nodes:
      leaseMillis === null
        ? Effect.succeed(null)
        : seen.pipe(
            Effect.map((nodes) => ({ leaseMillis, nodes })),
            Effect.mapError((cause) => new Unavailable({ operation: "look at the nodes", cause }))
          ),
    metrics: Effect.gen(function* () {
      yield* Metrics.setCounts(yield* counts)
      yield* Metrics.showAgents(Object.keys(settings.agents))
      setGauges(yield* gauged)
      updateProcess()
      return yield* PrometheusMetrics.format()
    }),
    drain: yield* Drain.make
  })
})

const missingInWords = ({ hint, name }: MissingAgent) =>
  `the default agent, ${name}, is missing: ${hint.replace(/\.$/, "")}`

const forEachState = <A>(of: (state: SessionState) => A): Readonly<Record<SessionState, A>> =>
  Object.fromEntries(SessionState.literals.map((state) => [state, of(state)])) as Record<SessionState, A>
