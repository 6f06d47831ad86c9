/** Several nodes that are started at the same moment on an empty database, as by one command for all of them. */
import { assert, describe, it } from "@effect/vitest"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { Effect, Fiber, Redacted } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as PostgresLedger from "../../src/ledger/PostgresLedger.ts"
import { makeWorkspace } from "../cli/program.ts"
import { freePort } from "../freePort.ts"
import { emptySchema, query, server as postgres } from "../ledger/postgres/schemas.ts"
import { secret } from "./nodes.ts"

const workspaces = Effect.acquireRelease(
  Effect.sync(() => [1, 2, 3].map(() => makeWorkspace())),
  (made) => Effect.promise(() => Promise.all(made.map((workspace) => workspace.cleanUp())))
)

describe.skipIf(postgres === null)("nodes that are started at once on an empty database", () => {
  it.live("all come up, and one of them has made the first app", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const made = yield* workspaces
      yield* PostgresLedger.migrate(Redacted.make(url))
      // Each of them sees that there is no app, before the first one is there.
      const other = yield* Effect.flatMap(PgConnection.make({ url: Redacted.make(url) }), ({ pin }) => pin)
      yield* other.query("BEGIN")
      yield* other.query("LOCK TABLE apps IN SHARE ROW EXCLUSIVE MODE")
      const starting = yield* Effect.forkChild(
        Effect.promise(() =>
          Promise.all(
            made.map(async (workspace, nth) => {
              const program = workspace.start(["serve", "--cluster", "--port", String(await freePort())], {
                TROUPE_DATABASE_URL: url,
                TROUPE_ADMIN_TOKEN: "admin-0123456789abcdef",
                TROUPE_CLUSTER_SECRET: secret,
                TROUPE_NODE: `node-${nth}`
              })
              const [, address = "", note = ""] = await program.printed(/listens on (\S+)[^]*\n  token +(.*)\n[^]*curl/)
              return { address, note, file: join(workspace.cwd, ".troupe", "app-token") }
            })
          )
        )
      )
      const waiting = query(
        url,
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%apps%'"
      )
      yield* Effect.repeat(Effect.andThen(Effect.sleep("50 millis"), waiting), {
        until: ({ rows }) => rows.length >= 3
      })
      yield* other.query("COMMIT")
      const greetings = yield* Fiber.join(starting)
      const owners = greetings.filter(({ file }) => existsSync(file))
      assert.lengthOf(owners, 1)
      for (const { file, note } of greetings) {
        assert.match(note, existsSync(file) ? /app-token \(the app default\)/ : /troupe app create NAME makes one/)
      }
      const token = readFileSync(owners[0]?.file ?? "", "utf8").trim()
      for (const { address } of greetings) {
        const headers = { authorization: `Bearer ${token}` }
        assert.strictEqual((yield* Effect.promise(() => fetch(`${address}/sessions`, { headers }))).status, 200)
      }
    }).pipe(Effect.scoped)
  )
})
