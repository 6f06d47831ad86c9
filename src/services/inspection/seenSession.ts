/** A session as a list shows it: what the ledger has of it, with what is known only where it runs. */
import { Clock, Effect } from "effect"
import type { ArmedTimer, SessionSummary } from "../../ledger/Ledger.ts"
import { CircuitBreaker } from "../../supervision/CircuitBreaker.ts"
import type { Looked } from "../../supervision/Looked.ts"

type Seen = Extract<Looked, { readonly _tag: "Seen" }>
type Actor = NonNullable<Seen["actor"]>

/** Times are milliseconds since 1970. */
export interface SeenSession extends SessionSummary {
  /** Of the turn that runs, those that have not ended, the oldest first. */
  readonly tools: NonNullable<Actor["tools"]>
  /** When the running turn's agent said something last; `null`: not known, or no agent is at a turn. */
  readonly heardAt: number | null
  /** Its place in the line for a slot; `null`: it waits for none. */
  readonly line: Seen["line"] | null
  /** Why its agent is not started, and until when; `null`: it may be. */
  readonly circuit: Seen["circuit"] | null
}

export const unseen = (summary: SessionSummary, circuit: SeenSession["circuit"] = null): SeenSession => ({
  ...summary,
  tools: [],
  heardAt: null,
  line: null,
  circuit
})

/** `null` where the look saw the session in another state than the one that is shown, or saw no actor. */
const actorIn = (looked: Looked | undefined, substate: string): Actor | null =>
  looked?._tag === "Seen" && looked.actor?.state === substate ? looked.actor : null

/** Of the timers of a session the ledger has those that outlive its actor. The others are known where it runs. */
export const unstoredIn = (looked: Looked | undefined, substate: string): ReadonlyArray<Omit<ArmedTimer, "session">> =>
  actorIn(looked, substate)?.timers?.unstored ?? []

/** With the timer that is due first of all. */
export const seen = (session: SeenSession, looked: Looked | undefined): SeenSession => {
  const actor = actorIn(looked, session.substate)
  if (looked?._tag !== "Seen") return session
  return {
    ...session,
    next: actor?.timers === undefined ? session.next : actor.timers.next,
    tools: actor?.tools ?? [],
    heardAt: actor?.heardAt ?? null,
    line: actor === null ? null : (looked.line ?? null),
    circuit: looked.circuit ?? session.circuit
  }
}

/** The circuits of this process: of a session that runs elsewhere the look at it says more. */
export const circuits = Effect.gen(function* () {
  const breaker = yield* CircuitBreaker
  const { currentTimeMillisUnsafe } = yield* Clock.Clock
  return (agent: string): SeenSession["circuit"] => {
    const open = breaker.open(currentTimeMillisUnsafe()).find((each) => each.agent === agent)
    return open === undefined ? null : { until: open.until, reason: open.reason }
  }
})
