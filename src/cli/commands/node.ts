/** `troupe node`: the nodes that work on a PostgreSQL database. Asks the database itself, whether they answer or not. */
import { Effect } from "effect"
import type { Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as DrainNode from "../../services/drainNode.ts"
import { besideNodes, nodesOn } from "../../wiring.ts"
import { BadUsage } from "../failures.ts"
import { configuration, dataDirFlags, jsonFlag } from "../options.ts"
import { ago, oneLine, print, printJson, table } from "../terminal.ts"

const databaseOf = Effect.fnUntraced(function* (config: Option.Option<string>) {
  const { databaseUrl } = yield* configuration({ config })
  if (databaseUrl !== undefined) return databaseUrl
  const problem = "Nodes work on a PostgreSQL database: say which by TROUPE_DATABASE_URL. A data dir has one Troupe."
  return yield* new BadUsage({ problem })
})

const list = Command.make(
  "list",
  { json: jsonFlag, config: dataDirFlags.config },
  Effect.fn(function* ({ json, config }) {
    const nodes = yield* nodesOn(yield* databaseOf(config))
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
  drain_asked: status.node.drainAsked,
  lease_left_s: leaseLeft(status),
  sessions: status.sessions
})

const drainOf = ({ drainAsked, draining }: NodeStatus["node"]) =>
  drainAsked === draining ? (draining ? "yes" : "no") : draining ? "ending" : "asked"

const head = ["NODE", "ADDRESS", "VERSION", "SINCE", "DRAINING", "LEASE LEFT", "SESSIONS"]

const rowOf = (status: NodeStatus) => {
  const { at, node, sessions } = status
  const left = leaseLeft(status)
  return [
    oneLine(node.name),
    node.url === null ? "–" : oneLine(node.url),
    node.version === "" ? "–" : oneLine(node.version),
    ago(node.joinedAt, at),
    drainOf(node),
    left === null ? "–" : `${left.toFixed(1)} s`,
    String(sessions)
  ]
}

const name = Argument.String("name").pipe(Argument.withDescription("A node's name, as troupe node ls shows it"))

const drain = Command.make(
  "drain",
  {
    name,
    wait: Flag.Boolean("wait").pipe(
      Flag.withDescription("Return when it has no session left, however long its running turns take"),
      Flag.withDefault(false),
      Flag.withoutNegation
    ),
    json: jsonFlag,
    config: dataDirFlags.config
  },
  Effect.fn(function* ({ config, json, name, wait }) {
    const asked = Effect.tap(DrainNode.drain(name), () => (wait ? DrainNode.emptied(name) : Effect.void))
    const { isChanged } = yield* besideNodes(yield* databaseOf(config), asked)
    if (json) return yield* printJson({ ok: true, ...(isChanged ? {} : { already_draining: true }) })
    const what = isChanged ? "takes no more sessions" : "takes no sessions already"
    yield* print(`${name} ${what}, and ${wait ? "has let go of all" : "lets go of those that it has"}.`)
  })
).pipe(
  Command.withDescription(
    "Have a node take no more sessions and let go of its own: of idle ones at once, of others when their turn has ended. It stays up"
  )
)

const undrain = Command.make(
  "undrain",
  { name, json: jsonFlag, config: dataDirFlags.config },
  Effect.fn(function* ({ config, json, name }) {
    const { isChanged } = yield* besideNodes(yield* databaseOf(config), DrainNode.undrain(name))
    if (json) return yield* printJson({ ok: true, ...(isChanged ? {} : { not_draining: true }) })
    yield* print(`${name} takes sessions${isChanged ? "" : " already"}.`)
  })
).pipe(Command.withDescription("Have a node that was drained take sessions again"))

export const nodeCommand = Command.make("node").pipe(
  Command.withDescription("The nodes of `troupe serve --cluster`, straight from their database"),
  Command.withSubcommands([list, drain, undrain])
)
