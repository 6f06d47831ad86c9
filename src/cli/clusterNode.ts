/** What `serve --cluster` needs to be told, and the settings that come of it. */
import { Effect, Option } from "effect"
import type { NodeSettings } from "../domain/Settings.ts"
import type { Configuration } from "../configuration/Configuration.ts"
import { BadUsage } from "./failures.ts"
import { version } from "./version.ts"

export type ClusterNode = NodeSettings & Required<Pick<NodeSettings, "secret">>

export const clusterNode = Effect.fnUntraced(function* ({
  adminToken,
  databaseUrl,
  node: { leaseMillis, name, secret, url },
  server: { host, port }
}: Configuration): Effect.fn.Return<ClusterNode, BadUsage> {
  if (databaseUrl === undefined) {
    return yield* needs("TROUPE_DATABASE_URL: the PostgreSQL database that all nodes work on.")
  }
  if (Option.isNone(adminToken)) return yield* needs("TROUPE_ADMIN_TOKEN, the same on every node.")
  if (secret === undefined) {
    return yield* needs("TROUPE_CLUSTER_SECRET, the same on every node: at least 32 characters.")
  }
  const address = url ?? (port === 0 ? null : `http://${host.includes(":") ? `[${host}]` : host}:${port}`)
  if (address === null) {
    return yield* needs("TROUPE_NODE_URL, by which other nodes reach this one, where the port is a free one.")
  }
  return { name, url: address.replace(/\/+$/, ""), version, leaseMillis, secret }
})

const needs = (what: string) => new BadUsage({ problem: `--cluster needs ${what}` })
