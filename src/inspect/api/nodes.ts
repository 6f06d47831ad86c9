/** `GET nodes`: those that work on the ledger, each with what it says of itself. */
import { Effect } from "effect"
import type { ProblemDetails } from "../../http/contract/Problem.ts"
import { Operator } from "../../services/Operator.ts"
import type { SeenNode } from "../../services/Operator.ts"
import type { Node, Nodes } from "../fleetContract.ts"
import { get, routes } from "./route.ts"

const notAdmin = {
  code: "forbidden",
  status: 403,
  detail: "Only the admin sees the nodes: what they do is of all apps."
} as const satisfies ProblemDetails

const secondsOrNull = (millis: number | null) => (millis === null ? null : millis / 1000)

const nodeDto = ({ state, ...node }: SeenNode): Node => ({
  name: node.name,
  url: node.url,
  version: node.version,
  is_this: node.isThis,
  joined_at: node.joinedAt / 1000,
  draining: node.draining,
  renewed_at: secondsOrNull(node.renewedAt),
  lease_until: secondsOrNull(node.leaseUntil),
  sessions: node.sessions,
  state:
    state === null
      ? null
      : {
          processes: state.slots.held,
          // A node of an earlier version has none.
          spares: state.spares ?? 0,
          processes_limit: state.slots.size,
          waiting: state.slots.waiting,
          rss_bytes: state.rssBytes,
          agents_rss_bytes: state.agentsRssBytes,
          circuits: state.circuits.map(({ agent, reason, until }) => ({ agent, until: until / 1000, reason })),
          database_seconds: secondsOrNull(state.ledgerMillis)
        }
})

export const layer = routes(
  Effect.gen(function* () {
    const operator = yield* Operator
    return [
      get(
        "/nodes",
        Effect.fnUntraced(function* ({ caller }) {
          if (caller._tag !== "Admin") return yield* Effect.fail(notAdmin)
          const cluster = yield* operator.nodes
          return {
            ok: true,
            lease_seconds: secondsOrNull(cluster?.leaseMillis ?? null),
            nodes: cluster?.nodes.map(nodeDto) ?? []
          } satisfies Nodes
        })
      )
    ]
  })
)
