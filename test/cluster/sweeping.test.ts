/** Two nodes that sweep: what is due is closed and deleted once, and each node's disk gets rid of what was on it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, mkdirSync } from "node:fs"
import { emptySchema, query, server as postgres } from "../ledger/postgres/schemas.ts"
import { Cluster } from "./nodes.ts"
import type { ClusterNode } from "./nodes.ts"

const until = async (what: () => string, condition: () => boolean | Promise<boolean>) => {
  const deadline = Date.now() + 90_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what()} did not come`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const env = { TROUPE_SESSION_TTL: "2 seconds", TROUPE_SESSION_HARD_TTL: "2 seconds", TROUPE_SWEEP_INTERVAL: "1 second" }

const sessionOn = async (node: ClusterNode) => {
  const { json } = await node.call("POST", "/sessions", { agent: "demo" })
  const session = String(json["session_id"])
  const { json: shown } = await node.call("GET", `/sessions/${session}`)
  return { session, cwd: String(shown["cwd"]) }
}

describe.skipIf(postgres === null)("two nodes that sweep", () => {
  it.live("delete each session once, and its directory wherever it is", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const nodes = yield* Effect.acquireRelease(
        Effect.sync(() => new Cluster(url)),
        (cluster) => Effect.promise(() => cluster.cleanUp())
      )
      const made = yield* Effect.promise(async () => {
        const both = [await nodes.start("first", env), await nodes.start("second", env)]
        const sessions = await Promise.all(both.flatMap((node) => [sessionOn(node), sessionOn(node), sessionOn(node)]))
        await until(
          () =>
            `the end of ${sessions
              .map(({ cwd }) => cwd)
              .filter(existsSync)
              .join()}`,
          () => sessions.every(({ cwd }) => !existsSync(cwd))
        )
        await Promise.all(both.map((node) => node.kill("SIGTERM")))
        return sessions
      })
      const { rows } = yield* query(
        url,
        "SELECT session, count(*)::int AS n FROM audit WHERE action = 'sweep_delete' GROUP BY session ORDER BY session"
      )
      assert.deepStrictEqual(
        rows.map(({ n, session }) => [session, n]),
        made.map(({ session }) => [session, 1]).toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))
      )
    }).pipe(Effect.scoped)
  )

  it.live("find on their disk what was deleted while they were away", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const nodes = yield* Effect.acquireRelease(
        Effect.sync(() => new Cluster(url)),
        (cluster) => Effect.promise(() => cluster.cleanUp())
      )
      yield* Effect.promise(async () => {
        const away = await nodes.start("first", { ...env, TROUPE_SESSION_TTL: "1 hour" })
        const { cwd, session } = await sessionOn(away)
        await away.kill("SIGTERM")
        const stays = await nodes.start("second", env)
        await until(
          () => `the end of session ${session}`,
          async () => (await stays.call("GET", `/sessions/${session}`)).status === 404
        )
        // The node that swept is on the same machine: as if it were not.
        mkdirSync(cwd)
        await nodes.start("first", env)
        await until(
          () => `the end of ${cwd}`,
          () => !existsSync(cwd)
        )
      })
    }).pipe(Effect.scoped)
  )
})
