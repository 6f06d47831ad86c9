/** Approvals are settled once, belong to their session and are deleted with it; permissions are read as they were written. */
/* oxlint-disable unicorn/no-thenable -- a rule says what is then, as on the wire */
import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import type { ApprovalRecord, Resolution } from "../../../src/domain/Approval.ts"
import { SessionId } from "../../../src/domain/Ids.ts"
import type { Permissions } from "../../../src/domain/Permissions.ts"
import type { LedgerWrite } from "../../../src/ledger/Ledger.ts"
import { id, opened } from "../samples.ts"
import type { LedgerUnderTest } from "./ledgerSuite.ts"

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
  fields: null,
  answers: null,
  ...fields
})

const asked = (record: ApprovalRecord): LedgerWrite => ({ _tag: "ApprovalAsked", record })

const settled = (n: number, resolution: Resolution, session = id): LedgerWrite => ({
  _tag: "ApprovalSettled",
  session,
  id: `apr_${n}`,
  resolution,
  by: "desk",
  at
})

const allowOnce: Resolution = { status: "answered", decision: "once" }

export const approvals = ({ onLedger }: LedgerUnderTest) => {
  it.effect("approvals are read as they were asked, the pending ones oldest first, and are settled once", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened(), asked(approval(1)), asked(approval(2, { toolCallId: "call-2", raw: null }))])
        const pending = yield* ledger.pendingApprovals(id)
        assert.deepStrictEqual(pending, [approval(2, { toolCallId: "call-2", raw: null }), approval(1)])
        yield* ledger.write([settled(1, allowOnce)])
        const answered = approval(1, { ...allowOnce, decidedBy: "desk", settledAt: at })
        assert.deepStrictEqual(yield* ledger.approval(id, "apr_1"), Option.some(answered))
        assert.strictEqual((yield* ledger.pendingApprovals(id)).length, 1)
        const again = yield* Effect.flip(ledger.write([settled(1, { status: "expired", decision: "deny" })]))
        assert.include(again.message, "the approval is not pending")
        assert.deepStrictEqual(yield* ledger.approval(id, "apr_1"), Option.some(answered))
      })
    )
  )

  it.effect("an approval is readable only by its session, and is deleted with it", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened(), opened({ id: other }), asked(approval(1))])
        assert.deepStrictEqual(yield* ledger.approval(other, "apr_1"), Option.none())
        yield* Effect.flip(ledger.write([settled(1, allowOnce, other)]))
        yield* ledger.write([
          { _tag: "SessionPatched", session: id, patch: { state: "closed", substate: "closed", closedAt: at } }
        ])
        yield* ledger.remove([id], [])
        assert.deepStrictEqual(yield* ledger.approval(id, "apr_1"), Option.none())
      })
    )
  )

  it.effect("an approval that nobody answered can't permit anything", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened(), asked(approval(1))])
        for (const status of ["expired", "withdrawn"] as const) {
          yield* Effect.flip(ledger.write([settled(1, { status, decision: "session" })]))
        }
        assert.strictEqual((yield* ledger.pendingApprovals(id)).length, 1)
      })
    )
  )

  it.effect("a session's permissions are read as they were written, a policy or rules", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const rules: Permissions = { default: "ask", rules: [{ match: { command: ["git", "*"] }, then: "approve" }] }
        yield* ledger.write([opened({ permissions: rules }), opened({ id: other, permissions: "ask" })])
        assert.deepStrictEqual(Option.getOrThrow(yield* ledger.session(id)).permissions, rules)
        assert.strictEqual(Option.getOrThrow(yield* ledger.session(other)).permissions, "ask")
      })
    )
  )
}
