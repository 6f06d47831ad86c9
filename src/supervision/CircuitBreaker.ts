/**
 * A circuit breaker for each kind of agent: one whose starts keep failing, in whatever sessions, is not started for a
 * while. The other kinds are not affected.
 */
import { Context, Layer } from "effect"
import { failurePolicy } from "../../machines/session/failures.ts"
import { AgentFailed } from "../agent/Agent.ts"
import { StartsByAgent } from "./StartsByAgent.ts"
import type { AgentStarts } from "./StartsByAgent.ts"

/** Failed starts in a row, without a good one between them, that open the circuit. */
const openAfter = 5
const openMillis = 30_000

interface Circuit {
  readonly failures: number
  readonly openUntil: number
  readonly reason: string
}

/** A kind of agent that is not started before `until` (milliseconds since 1970), and its last failure. */
export interface OpenCircuit {
  readonly agent: string
  readonly until: number
  readonly reason: string
}

export class CircuitBreaker extends Context.Service<
  CircuitBreaker,
  {
    /** The failure to start with, or `null` where it may be tried. After its time one start is let through as a probe. */
    readonly check: (agent: string, now: number) => AgentFailed | null
    /** `millis`: how long it took, where that is known. */
    readonly started: (agent: string, millis?: number) => void
    /** What only a person can mend, and what is one session's own doing, says nothing about the kind. */
    readonly failed: (agent: string, failure: AgentFailed, now: number) => void
    readonly open: (now: number) => ReadonlyArray<OpenCircuit>
    /** Whether the circuit is open, of each agent of which a start has ever failed or succeeded. */
    readonly states: (now: number) => ReadonlyMap<string, boolean>
    readonly starts: (agent: string) => AgentStarts
  }
>()("troupe/supervision/CircuitBreaker") {
  static readonly layer = Layer.sync(CircuitBreaker, () => make())
}

export const make = (): CircuitBreaker["Service"] => {
  const breaker = new Map<string, Circuit>()
  const starts = new StartsByAgent()
  const open = (now: number) =>
    [...breaker].flatMap(([agent, { failures, openUntil: until, reason }]) =>
      failures >= openAfter && now < until ? [{ agent, until, reason }] : []
    )
  return {
    check: (agent, now) => {
      const circuit = breaker.get(agent)
      if (circuit === undefined || circuit.failures < openAfter) return null
      if (now >= circuit.openUntil) {
        breaker.set(agent, { ...circuit, openUntil: now + openMillis })
        return null
      }
      const seconds = Math.ceil((circuit.openUntil - now) / 1000)
      const message = `The agent ${JSON.stringify(agent)} failed to start ${circuit.failures} times in a row and is left alone for ${seconds} s more; \`troupe doctor\` says why. Last: ${circuit.reason}`
      return new AgentFailed({ class: "config", message })
    },
    started: (agent, millis) => {
      breaker.delete(agent)
      if (millis !== undefined) starts.succeeded(agent, millis)
    },
    failed: (agent, failure, now) => {
      starts.failed(agent, failure, now)
      if (!failurePolicy[failure.class].countsAgainstKind) return
      const failures = (breaker.get(agent)?.failures ?? 0) + 1
      breaker.set(agent, { failures, openUntil: now + openMillis, reason: failure.message })
    },
    open,
    states: (now) => {
      const opened = new Set(open(now).map(({ agent }) => agent))
      return new Map(starts.agents().map((agent) => [agent, opened.has(agent)]))
    },
    starts: (agent) => starts.of(agent)
  }
}
