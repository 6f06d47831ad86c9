/**
 * Until when this node's agents may run. Each renewal of its lease is good for a part of it. While none comes through, the
 * nodes that it knows are asked to hold off: to declare nobody dead for a lease's length (`NodeContact`). Where all of them do,
 * because none reaches the ledger either, the agents go on for as long, counted from the question (decision 0034).
 *
 * A node that it does not know, because it joined since, leaves it alone for some time beyond its lease. That is the limit.
 */
import { Clock, Effect } from "effect"
import { isLonger, later, millisBetween } from "../agent/warden/instant.ts"
import type { Instant } from "../agent/warden/instant.ts"
import type { NodeToken } from "../domain/Ids.ts"
import type { NodeRecord } from "../ledger/Ledger.ts"

/** Asks a node to hold off: for how long it does, in milliseconds; `null`: it does not, for it reaches the ledger. */
export type Ask = (node: NodeRecord) => Effect.Effect<number | null, unknown>

/** Parts of a lease. Agents may run for so long without another renewal or answer; the rest is for ending them. */
const sureOfLease = 0.7
/** After so long without either, the others are asked: later than a renewal takes that is slow. Once asked, sooner. */
const askAfter = { renewal: 0.4, answers: 0.2 }
const askAgainAfter = 0.1
const answerWithin = 0.17

export interface BeyondLease {
  /** Those that it will ask. They are to be told to the ledger with the next renewal. */
  readonly asks: () => ReadonlyArray<NodeToken>
  /** A commit has renewed the lease that began then: nobody here knows when in it the ledger set it. */
  readonly renewed: (began: Instant) => Effect.Effect<void>
  /** And `told` those that this node asks; `beside` are those to be asked from now on. */
  readonly toldAll: (began: Instant, told: ReadonlyArray<NodeToken>, beside: ReadonlyArray<NodeRecord>) => void
  /** The ledger does not know any more whom it asks. */
  readonly forget: () => void
  /** Asks them whenever it takes that. Never ends. */
  readonly watch: Effect.Effect<never>
}

export interface Options {
  readonly leaseMillis: number
  /** For so long beyond the lease it is left alone by those that it does not know. */
  readonly beyondMillis: number
  readonly ask: Ask
  readonly mayRunUntil: (until: Instant) => Effect.Effect<void>
}

export const make = ({ ask, beyondMillis, leaseMillis, mayRunUntil }: Options): BeyondLease => {
  const restMillis = leaseMillis * (1 - sureOfLease)
  let sure: { readonly by: keyof typeof askAfter; readonly from: Instant; readonly until: Instant } | null = null
  /** The last renewal that is known to have told whom this node asks. */
  let told: { readonly began: Instant; readonly nodes: ReadonlyMap<NodeToken, NodeRecord> } | null = null
  let beside: ReadonlyMap<NodeToken, NodeRecord> = new Map()
  /** What was logged of this time without the ledger. */
  let said: "" | "go on" | "end" = ""

  const extend = Effect.fnUntraced(function* (by: keyof typeof askAfter, from: Instant, until: Instant) {
    if (sure !== null && !isLonger(until, sure.until, yield* now)) return
    sure = { by, from, until }
    yield* mayRunUntil(until)
  })

  const isOver = (now: Instant) => sure === null || millisBetween(sure.until, now) > 0

  const say = (what: typeof said, log: Effect.Effect<void>) => {
    if (said === what) return Effect.void
    said = what
    return log
  }

  /** `null`: that node reaches the ledger, or does not answer. */
  const askOne = (node: NodeRecord) =>
    ask(node).pipe(
      Effect.timeout(answerWithin * leaseMillis),
      Effect.match({
        onFailure: () => ({ name: node.name, why: "does not answer", millis: null }),
        onSuccess: (millis) => ({ name: node.name, why: "reaches it", millis })
      })
    )

  const askAll = Effect.gen(function* () {
    const from = yield* now
    if (told === null || sure === null || isOver(from)) return
    if (millisBetween(sure.from, from) < askAfter[sure.by] * leaseMillis) return
    const limit = later(told.began, beyondMillis)
    // The last renewal that has taken place may be one that this node has not heard of yet.
    const nodes = [...new Map([...told.nodes, ...beside]).values()]
    const answers = yield* Effect.forEach(nodes, askOne, { concurrency: "unbounded" })
    const no = answers.find(({ millis }) => millis === null)
    if (no !== undefined) {
      return yield* say(
        "end",
        Effect.logWarning(
          `The ledger can't be reached from here, and node ${no.name} ${no.why}: agents are ended before another node may go on with their sessions.`
        )
      )
    }
    const heldOffMillis = Math.min(leaseMillis, ...answers.map(({ millis }) => millis ?? 0))
    if (isOver(yield* now)) return
    yield* extend("answers", from, earlier(later(from, heldOffMillis - restMillis), limit))
    yield* say(
      "go on",
      Effect.logWarning(
        `The ledger can't be reached, nor do the other nodes (${nodes.length}) reach it: agents go on for now, for ${Math.round(beyondMillis / 1000)} s at most.`
      )
    )
  })

  return {
    asks: () => [...beside.keys()],
    renewed: (began) => {
      said = ""
      return extend("renewal", began, later(began, leaseMillis - restMillis))
    },
    toldAll: (began, tokens, nodes) => {
      const known = new Map([...(told?.nodes ?? []), ...beside])
      told = { began, nodes: new Map([...known].filter(([token]) => tokens.includes(token))) }
      beside = new Map(nodes.map((node) => [node.token, node]))
    },
    forget: () => {
      told = null
      beside = new Map()
    },
    watch: askAll.pipe(Effect.andThen(Effect.sleep(askAgainAfter * leaseMillis)), Effect.forever)
  }
}

export const now: Effect.Effect<Instant> = Effect.zipWith(
  Clock.currentTimeMillis,
  Clock.monotonicTimeNanos,
  (wall, nanos) => ({
    wall,
    monotonic: Number(nanos / 1_000_000n)
  })
)

const earlier = (one: Instant, other: Instant): Instant => ({
  wall: Math.min(one.wall, other.wall),
  monotonic: Math.min(one.monotonic, other.monotonic)
})
