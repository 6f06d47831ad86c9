/** How a cluster comes to rest when its faults and its apps have ended, and what is still held then. */
import { setTimeout as pause } from "node:timers/promises"
import { processesOf } from "../../torture/processes.ts"
import { promptsIn } from "../../torture/losses.ts"
import type { Remains } from "../../torture/losses.ts"
import type { Cluster } from "./Cluster.ts"
import { rowsOf } from "./sql.ts"

/** Each has to be empty. */
const heldRows: Readonly<Record<string, string>> = {
  // Those of spares go with their node.
  "a lease": "SELECT id AS what FROM leases WHERE session IS NOT NULL",
  "a command": "SELECT session || ' ' || type AS what FROM owed",
  "a timer": "SELECT session || ' ' || timer AS what FROM timers",
  "an open turn": "SELECT session || ' ' || idx AS what FROM turns WHERE ended_at IS NULL",
  "an open approval": "SELECT id AS what FROM approvals WHERE status = 'pending'",
  "a session that is not closed": "SELECT id || ' ' || substate AS what FROM sessions WHERE state <> 'closed'",
  "a count of sessions that is not theirs": `SELECT kind || ' ' || coalesce(counted, 0) || ' of ' || coalesce(there, 0) AS what
    FROM (SELECT state AS kind, sum(n) AS counted FROM session_counts GROUP BY state) AS a
    FULL JOIN (SELECT CASE WHEN state = 'closed' THEN 'closed' ELSE 'open' END AS kind, count(*) AS there
      FROM sessions GROUP BY 1) AS b USING (kind)
    WHERE coalesce(counted, 0) <> coalesce(there, 0)`,
  "a count of turns that is not theirs": `SELECT counted || ' of ' || there AS what
    FROM (SELECT coalesce(sum(turns), 0) AS counted FROM usage_days) AS a,
      (SELECT count(*) AS there FROM turns WHERE ended_at IS NOT NULL) AS b WHERE counted <> there`
}

/** Of a node, by its metrics. */
const heldByNode = ["troupe_processes", "troupe_pool_waiting", "troupe_timers", "troupe_ledger_away"]

const held = async ({ postgres, up }: Cluster): Promise<ReadonlyArray<string>> => {
  const problems: Array<string> = []
  for (const [what, text] of Object.entries(heldRows)) {
    for (const row of await rowsOf(postgres.url, text)) problems.push(`${what} is left: ${String(row["what"])}`)
  }
  for (const { name, server } of up) {
    const metrics = (await server.metrics()) ?? ""
    for (const metric of heldByNode) {
      const value = new RegExp(`^${metric} (\\S+)$`, "m").exec(metrics)?.[1]
      if (value !== "0") problems.push(`${metric} of ${name} is ${value}`)
    }
  }
  return problems
}

/** What is still held after this time; nothing as soon as there is nothing. */
export const heldAfter = async (cluster: Cluster, millis: number): Promise<ReadonlyArray<string>> => {
  for (const until = Date.now() + millis; ; await pause(250)) {
    const problems = await held(cluster)
    if (problems.length === 0 || Date.now() > until) return problems
  }
}

/**
 * Turns that took longer than they may, from their submission to their outcome: of each the node noted the time by its clock,
 * which may have been off by any of `clocks` then.
 */
export const lateTurns = async (
  { postgres }: Cluster,
  millis: number,
  clocks: ReadonlySet<number>
): Promise<ReadonlyArray<string>> => {
  const rows = await rowsOf(
    postgres.url,
    `SELECT session, idx::int, (ended_at - submitted_at)::float8 AS took FROM turns WHERE abs(ended_at - submitted_at) > ${millis}`
  )
  const differences = [...clocks].flatMap((one) => [...clocks].map((other) => other - one))
  return rows
    .filter(({ took }) => differences.every((difference) => Math.abs(Number(took) - difference) > millis))
    .map(
      ({ idx, session, took }) => `turn ${String(idx)} of ${String(session)} had its outcome after ${String(took)} ms`
    )
}

/** A turn fails of its agent or of its time, and not of rows that are there already. */
export const ownFaults = async ({ nodes, postgres }: Cluster): Promise<ReadonlyArray<string>> => [
  ...(await rowsOf(postgres.url, "SELECT session, idx::int, failure FROM turns WHERE failure LIKE '%violates%'")).map(
    ({ failure, idx, session }) =>
      `turn ${String(idx)} of ${String(session)} failed of what Troupe itself has left: ${String(failure)}`
  ),
  ...nodes.flatMap(({ name, server }) => server.faults.map((line) => `${name} died of a defect: ${line}`))
]

/** When all nodes have ended. */
export const leasesLeft = async ({ postgres }: Cluster): Promise<ReadonlyArray<string>> =>
  (await rowsOf(postgres.url, "SELECT id, node FROM leases")).map(
    ({ id, node }) => `lease ${String(id)} of ${String(node)} is left when its node has ended`
  )

export const remainsOf = async ({ nodes, postgres, run }: Cluster): Promise<Remains> => ({
  turns: (await rowsOf(
    postgres.url,
    "SELECT session, idx::int, status, prompt FROM turns"
  )) as unknown as Remains["turns"],
  events: (await rowsOf(
    postgres.url,
    "SELECT session, sum(coalesce(last, seq) - seq + 1)::int AS count, max(coalesce(last, seq))::int AS last FROM events GROUP BY session"
  )) as unknown as Remains["events"],
  leases: (await rowsOf(
    postgres.url,
    "SELECT id FROM leases WHERE session IS NOT NULL"
  )) as unknown as Remains["leases"],
  prompts: promptsIn(nodes[0]?.server.prompts ?? ""),
  processes: processesOf(run).filter(({ command }) => !command.includes("postgres"))
})
