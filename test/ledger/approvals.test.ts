/** Approvals in the ledger: settled once, each its session's, gone with it; permissions come back as they were given. */
/* oxlint-disable unicorn/no-thenable -- a rule says what is then, as on the wire */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { DatabaseSync } from "node:sqlite"
import type { ApprovalRecord, Resolution } from "../../src/domain/Approval.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import type { Permissions } from "../../src/domain/Session.ts"
import type { Database, SqlValue } from "../../src/ledger/sqlite/Database.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import type { LedgerWrite } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import * as Approvals from "../../src/ledger/sqlite/tables/approvals.ts"
import { id, opened, scratchFile } from "./samples.ts"

const onFile = <A, E>(test: (ledger: Ledger["Service"]) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const filename = yield* scratchFile
    return yield* Ledger.use(test).pipe(Effect.provide(SqliteLedger.layer(filename)))
  }).pipe(Effect.scoped)

const at = 1_700_000_003_000
const other = SessionId.make("ses_another")

const approval = (n: number, fields: Partial<ApprovalRecord> = {}): ApprovalRecord => ({
  id: `apr_${n}`,
  session: id,
  turn: 1,
  kind: "execute",
  title: "rm -r 'dist'",
  toolCallId: null,
  raw: { toolCall: { rawInput: ["rm", "-r", "dïst"] } },
  createdAt: at - n,
  deadlineAt: at + 1_000,
  status: "pending",
  decision: null,
  decidedBy: null,
  settledAt: null,
  ...fields
})

const asked = (record: ApprovalRecord): LedgerWrite => ({ _tag: "ApprovalAsked", record })

const settled = (n: number, ruling: Resolution, session = id): LedgerWrite => ({
  _tag: "ApprovalSettled",
  session,
  id: `apr_${n}`,
  ruling,
  by: "desk",
  at
})

const yes: Resolution = { status: "answered", decision: "once" }

describe("approvals in the ledger", () => {
  it.effect("come back as they were asked, the pending ones oldest first, and are settled once", () =>
    onFile((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened(), asked(approval(1)), asked(approval(2, { toolCallId: "call-2", raw: null }))])
        const pending = yield* ledger.pendingApprovals(id)
        assert.deepStrictEqual(pending, [approval(2, { toolCallId: "call-2", raw: null }), approval(1)])
        yield* ledger.write([settled(1, yes)])
        const answered = approval(1, { ...yes, decidedBy: "desk", settledAt: at })
        assert.deepStrictEqual(yield* ledger.approval(id, "apr_1"), Option.some(answered))
        assert.strictEqual((yield* ledger.pendingApprovals(id)).length, 1)
        const again = yield* Effect.flip(ledger.write([settled(1, { status: "expired", decision: "deny" })]))
        assert.include(String(again.cause), "the approval is not pending")
        assert.deepStrictEqual(yield* ledger.approval(id, "apr_1"), Option.some(answered))
      })
    )
  )

  it.effect("are their session's own, and go with it", () =>
    onFile((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened(), opened({ id: other }), asked(approval(1))])
        assert.deepStrictEqual(yield* ledger.approval(other, "apr_1"), Option.none())
        yield* Effect.flip(ledger.write([settled(1, yes, other)]))
        yield* ledger.write([
          { _tag: "SessionPatched", session: id, patch: { state: "closed", substate: "closed", closedAt: at } }
        ])
        yield* ledger.remove([id])
        assert.deepStrictEqual(yield* ledger.approval(id, "apr_1"), Option.none())
      })
    )
  )

  it.effect("can't be a yes that nobody said", () =>
    onFile((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened(), asked(approval(1))])
        for (const status of ["expired", "withdrawn"] as const) {
          yield* Effect.flip(ledger.write([settled(1, { status, decision: "session" })]))
        }
        assert.strictEqual((yield* ledger.pendingApprovals(id)).length, 1)
      })
    )
  )

  it.effect("are found by an index", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      yield* Ledger.use((ledger) => ledger.ping).pipe(Effect.provide(SqliteLedger.layer(filename)))
      const read: Array<readonly [string, ReadonlyArray<SqlValue>]> = []
      const listening: Database = {
        all: (_operation, text, params) => Effect.sync(() => (read.push([text, params]), [])),
        transaction: () => Effect.die("these only read")
      }
      const reads = Approvals.reads(listening)
      yield* Effect.all([reads.approval(id, "apr_1"), reads.pendingApprovals(id)])
      const db = new DatabaseSync(filename, { readOnly: true })
      const plans = read.map(([text, params]) =>
        db
          .prepare(`EXPLAIN QUERY PLAN ${text}`)
          .all(...params)
          .map(({ detail }) => String(detail))
      )
      db.close()
      assert.deepStrictEqual(plans, [
        ["SEARCH approvals USING PRIMARY KEY (id=?)"],
        ["SEARCH approvals USING INDEX approvals_pending (session=?)"]
      ])
    }).pipe(Effect.scoped)
  )
})

it.effect("a session's permissions come back as they were given, a policy or rules", () =>
  onFile((ledger) =>
    Effect.gen(function* () {
      const rules: Permissions = { default: "ask", rules: [{ match: { titlePrefix: "git " }, then: "approve" }] }
      yield* ledger.write([opened({ permissions: rules }), opened({ id: other, permissions: "ask" })])
      assert.deepStrictEqual(Option.getOrThrow(yield* ledger.session(id)).permissions, rules)
      assert.strictEqual(Option.getOrThrow(yield* ledger.session(other)).permissions, "ask")
    })
  )
)
