/** A claim and a commit of the owner at the same moment: whichever is later sees what the other has done. */
import { assert, describe, it } from "@effect/vitest"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { Effect, Fiber, Option, Redacted } from "effect"
import { NodeToken } from "../../../src/domain/Ids.ts"
import { Ledger } from "../../../src/ledger/Ledger.ts"
import type { LedgerWrite } from "../../../src/ledger/Ledger.ts"
import * as PostgresLedger from "../../../src/ledger/PostgresLedger.ts"
import { id, opened } from "../samples.ts"
import { emptySchema, query, server } from "./schemas.ts"

const [first, second] = ["node_1", "node_2"].map((token) => NodeToken.make(token)) as [NodeToken, NodeToken]

const joins = (token: NodeToken, leaseMillis: number): LedgerWrite => ({
  _tag: "NodeJoined",
  node: { token, name: token, url: `http://${token}`, version: "1.0.0" },
  leaseMillis
})

const claims = (owner: NodeToken): LedgerWrite => ({ _tag: "SessionClaimed", session: id, owner, onlyIfLeft: false })

/** Statements of this schema that wait for a lock. */
const waiting = (url: string) =>
  Effect.map(
    query(url, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%sessions%'"),
    ({ rows }) => rows.length
  )

describe.skipIf(server === null)("a claim of a session whose owner's lease is over", () => {
  it.live("is refused where the owner renews its lease in a commit that was there first", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      yield* Effect.gen(function* () {
        const ledger = yield* Ledger
        yield* ledger.write([joins(first, 0), joins(second, 60_000), opened()])
        yield* ledger.write([claims(first)])
        // As a start of an agent does it: it has checked its claim, and renews the lease.
        const owner = yield* Effect.flatMap(PgConnection.make({ url: Redacted.make(url) }), ({ pin }) => pin)
        yield* owner.query("BEGIN")
        yield* owner.query(`SELECT 1 FROM sessions WHERE id = '${id}' AND owner = '${first}' FOR SHARE`)
        yield* owner.query(
          `UPDATE nodes SET lease_until = (extract(epoch FROM clock_timestamp()) * 1000)::bigint + 60000 WHERE token = '${first}'`
        )
        const claim = yield* Effect.forkChild(Effect.flip(ledger.write([claims(second)])))
        yield* Effect.repeat(Effect.andThen(Effect.sleep("10 millis"), waiting(url)), { until: (count) => count > 0 })
        yield* owner.query("COMMIT")
        assert.strictEqual((yield* Fiber.join(claim)).kind, "fenced")
        assert.deepStrictEqual(yield* ledger.claimOf(id), Option.some({ session: id, owner: first, epoch: 1 }))
      }).pipe(Effect.provide(PostgresLedger.layer(Redacted.make(url), { works: "together" })))
    }).pipe(Effect.scoped)
  )
})
