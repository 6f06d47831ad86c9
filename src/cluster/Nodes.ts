/**
 * The nodes that work on the ledger, each with what it says of itself. All are asked at the same time; of one that does not
 * answer it is said when it last renewed its lease. And how this node asks them to hold off (`runtime/beyondLease.ts`).
 */
import { Clock, Context, Effect, Layer, Semaphore } from "effect"
import type { Redacted } from "effect"
import * as ConversationHomes from "../agent/conversationHomes.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError, NodeStatus } from "../ledger/Ledger.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import type { NodeToken } from "../domain/Ids.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import * as MeasureNode from "../supervision/measureNode.ts"
import type { NodeState } from "../supervision/NodeState.ts"
import { lastSignOf } from "./lookEverywhere.ts"
import * as NodeClients from "./nodeClients.ts"
import { sharedSettings } from "./sharedSettings.ts"
import type { NodeExamined } from "./sharedSettings.ts"

/** Times are milliseconds since 1970, by this node's clock. */
export interface SeenNode {
  readonly name: string
  readonly url: string | null
  readonly version: string
  /** It is the one that answers. */
  readonly isThis: boolean
  readonly joinedAt: number
  readonly draining: boolean
  /** The last renewal of its lease; `null`: it has no lease. */
  readonly renewedAt: number | null
  readonly leaseUntil: number | null
  /** Open sessions that it owns. */
  readonly sessions: number
  /** `null`: it does not answer. */
  readonly state: NodeState | null
}

/** Those who wait look at a page that asks again. */
const answersWithin = "2 seconds"
/** However many look. Counting looks at every session, so it is done again after so many times as long as it took. */
const keptAtLeastMillis = 1_000
const keptTimes = 20

export class Nodes extends Context.Service<
  Nodes,
  {
    /** `null`: this Troupe is alone. */
    readonly leaseMillis: number | null
    /** Oldest first: those that live, and those that died since yesterday. It may be seconds old. */
    readonly seen: Effect.Effect<ReadonlyArray<SeenNode>, LedgerError>
    /** Of this node. */
    readonly state: Effect.Effect<NodeState>
    /** As `ThisNode.holdOff`. */
    readonly holdOff: (asked: NodeToken) => Effect.Effect<number | null>
    /** What this node says to who examines the cluster. */
    readonly examined: (secret: Redacted.Redacted<string>) => Effect.Effect<NodeExamined>
  }
>()("troupe/cluster/Nodes") {
  static readonly layer = Layer.effect(
    Nodes,
    Effect.suspend(() => make)
  ).pipe(Layer.provide(NodeClients.httpLayer))
}

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const { askBy, holdOff, leaseMillis, token } = yield* ThisNode
  const settings = yield* RuntimeSettings
  const { node } = settings
  const state = yield* MeasureNode.make
  const clientOf = node?.secret === undefined ? null : yield* NodeClients.make(node.secret)
  if (clientOf !== null) {
    askBy(({ token: asked, url }) =>
      url === null ? Effect.succeed(null) : Effect.flatMap(clientOf(url), (client) => client.holdOff({ asked }))
    )
  }
  const oneAtATime = yield* Semaphore.make(1)

  const stateOf = Effect.fnUntraced(
    function* ({ lives, node: { token: its, url } }: NodeStatus) {
      if (its === token) return yield* state
      if (!lives || url === null || clientOf === null) return null
      const client = yield* clientOf(url)
      return yield* client.state()
    },
    Effect.timeout(answersWithin),
    Effect.orElseSucceed(() => null)
  )

  const seenOf = Effect.fnUntraced(function* (status: NodeStatus, now: number) {
    const { at, node, sessions } = status
    const here = (time: number) => time - at + now
    const hereOrNull = (time: number | null) => (time === null ? null : here(time))
    const seen: SeenNode = {
      name: node.name,
      url: node.url,
      version: node.version,
      isThis: node.token === token,
      joinedAt: here(node.joinedAt),
      draining: node.draining,
      renewedAt: hereOrNull(lastSignOf(node, leaseMillis)),
      leaseUntil: hereOrNull(node.leaseUntil),
      sessions,
      state: yield* stateOf(status)
    }
    return seen
  })

  let kept: { readonly nodes: ReadonlyArray<SeenNode>; readonly until: number } | null = null
  const seen = Effect.gen(function* () {
    const before = yield* Clock.currentTimeMillis
    if (kept !== null && before < kept.until) return kept.nodes
    const statuses = yield* ledger.nodeStatuses
    const now = yield* Clock.currentTimeMillis
    const nodes = yield* Effect.forEach(statuses, (status) => seenOf(status, now), { concurrency: "unbounded" })
    const keptMillis = Math.max(keptAtLeastMillis, keptTimes * (now - before))
    kept = { nodes, until: (yield* Clock.currentTimeMillis) + keptMillis }
    return nodes
  })

  const examined = (secret: Redacted.Redacted<string>) =>
    Effect.map(Effect.all([Clock.currentTimeMillis, ConversationHomes.seen]), ([now, homes]) => ({
      now,
      settings: sharedSettings(settings, leaseMillis ?? 0, secret),
      homes
    }))

  return Nodes.of({ leaseMillis, seen: oneAtATime.withPermit(seen), state, holdOff, examined })
})
