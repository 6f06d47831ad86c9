/** `troupe node`: the nodes that work on a PostgreSQL database. Asks the database itself, whether they answer or not. */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { nodesOn } from "../../wiring.ts"
import { BadUsage } from "../failures.ts"
import { configuration, dataDirFlags, jsonFlag } from "../options.ts"
import { ago, oneLine, print, printJson, table } from "../terminal.ts"

const list = Command.make(
  "list",
  { json: jsonFlag, config: dataDirFlags.config },
  Effect.fn(function* ({ json, config }) {
    const { databaseUrl } = yield* configuration({ config })
    if (databaseUrl === undefined) {
      const problem =
        "Nodes work on a PostgreSQL database: say which by TROUPE_DATABASE_URL. A data dir has one Troupe."
      return yield* new BadUsage({ problem })
    }
    const nodes = yield* nodesOn(databaseUrl)
    if (json) return yield* printJson({ ok: true, nodes: nodes.map(viewOf) })
    yield* print(nodes.length === 0 ? "No node works on the database." : table([head, ...nodes.map(rowOf)]))
  })
).pipe(
  Command.withAlias("ls"),
  Command.withDescription("List the nodes that live: where each is reached, its lease, and how many sessions it owns")
)

type NodeStatus = Effect.Success<ReturnType<typeof nodesOn>>[number]

/** In seconds; `null`: it holds the database alone, without a lease. */
const leaseLeft = ({ at, node: { leaseUntil } }: NodeStatus) =>
  leaseUntil === null ? null : Math.max(0, leaseUntil - at) / 1000

const viewOf = (status: NodeStatus) => ({
  name: status.node.name,
  url: status.node.url,
  version: status.node.version,
  joined_at: status.node.joinedAt / 1000,
  draining: status.node.draining,
  lease_left_s: leaseLeft(status),
  sessions: status.sessions
})

const head = ["NODE", "ADDRESS", "VERSION", "SINCE", "DRAINING", "LEASE LEFT", "SESSIONS"]

const rowOf = (status: NodeStatus) => {
  const { at, node, sessions } = status
  const left = leaseLeft(status)
  return [
    oneLine(node.name),
    node.url === null ? "–" : oneLine(node.url),
    node.version === "" ? "–" : oneLine(node.version),
    ago(node.joinedAt, at),
    node.draining ? "yes" : "no",
    left === null ? "–" : `${left.toFixed(1)} s`,
    String(sessions)
  ]
}

export const nodeCommand = Command.make("node").pipe(
  Command.withDescription("The nodes of `troupe serve --cluster`, straight from their database"),
  Command.withSubcommands([list])
)
