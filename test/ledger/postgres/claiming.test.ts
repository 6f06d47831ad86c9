/** A claim while a commit of the session's owner is on its way. */
import { assert, describe, it } from "@effect/vitest"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { Effect, Option, Redacted } from "effect"
import { NodeToken } from "../../../src/domain/Ids.ts"
import { Ledger } from "../../../src/ledger/Ledger.ts"
import type { LedgerWrite } from "../../../src/ledger/Ledger.ts"
import * as PostgresLedger from "../../../src/ledger/PostgresLedger.ts"
import { id, opened } from "../samples.ts"
import { emptySchema, server } from "./schemas.ts"

const [first, second] = ["node_1", "node_2"].map((token) => NodeToken.make(token)) as [NodeToken, NodeToken]

const joins = (token: NodeToken, leaseMillis: number): LedgerWrite => ({
  _tag: "NodeJoined",
  node: { token, name: token, url: `http://${token}`, version: "1.0.0" },
  leaseMillis
})

const claims = (owner: NodeToken): LedgerWrite => ({ _tag: "SessionClaimed", session: id, owner })

/** As a start of an agent does it: it has checked its claim, and renews the lease of its node, which is not dead then. */
const startsAgent = [
  "BEGIN",
  `SELECT 1 FROM sessions WHERE id = '${id}' AND owner = '${first}' FOR SHARE`,
  `UPDATE nodes SET dead = 0 WHERE token = '${first}'`
]

describe.skipIf(server === null)("a claim of a session whose owner was declared dead", () => {
  it.live("is refused while a commit of the owner is on its way, and judges by what that has done", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      yield* Effect.gen(function* () {
        const ledger = yield* Ledger
        yield* ledger.write([joins(first, 0), joins(second, 60_000), opened()])
        yield* ledger.write([claims(first)])
        const declared = Effect.flatMap(ledger.node(first), (node) =>
          ledger.write([
            { _tag: "NodeDeclaredDead", token: first, leaseUntil: Option.getOrThrow(node).leaseUntil ?? 0 }
          ])
        )
        yield* declared
        const owner = yield* Effect.flatMap(PgConnection.make({ url: Redacted.make(url) }), ({ pin }) => pin)
        for (const end of ["ROLLBACK", "COMMIT"]) {
          for (const text of startsAgent) yield* owner.query(text)
          // It does not wait: what else this node commits would wait with it.
          const refused = yield* Effect.flip(ledger.write([claims(second)]))
          assert.deepStrictEqual([refused.kind, refused.away], ["fenced", false])
          assert.match(refused.message, /another node writes for the session/)
          yield* owner.query(end)
          if (end === "ROLLBACK") continue
          assert.match((yield* Effect.flip(ledger.write([claims(second)]))).message, /belongs to another node/)
        }
        assert.deepStrictEqual(yield* ledger.claimOf(id), Option.some({ session: id, owner: first, epoch: 1 }))
        yield* declared
        yield* ledger.write([claims(second)])
        assert.deepStrictEqual(yield* ledger.claimOf(id), Option.some({ session: id, owner: second, epoch: 2 }))
      }).pipe(Effect.provide(PostgresLedger.layer(Redacted.make(url), { works: "together" })))
    }).pipe(Effect.scoped)
  )
})
