/** Copies of agents' conversations: their records, their parts, who finds them, and when they go. */
import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { NodeToken, SessionId } from "../../../src/domain/Ids.ts"
import type { CapsuleRecord, LedgerWrite } from "../../../src/ledger/Ledger.ts"
import { app, id, opened, otherApp } from "../samples.ts"
import type { LedgerUnderTest } from "./ledgerSuite.ts"

const capsule = (fields: Partial<CapsuleRecord> = {}): CapsuleRecord => ({
  session: id,
  thread: "thread",
  turn: 1,
  node: "first",
  epoch: 3,
  path: "sessions/2026/11/29/rollout-ü.jsonl",
  bytes: 3_000_000_000,
  hash: "5f".repeat(32),
  series: 1,
  parts: 2,
  storedAt: 1_700_000_000_000,
  ...fields
})

const stored = (fields: Partial<CapsuleRecord> = {}): LedgerWrite => ({
  _tag: "CapsuleStored",
  capsule: capsule(fields)
})

const part = (nth: number, data: string, series = 1, session = id): LedgerWrite => ({
  _tag: "CapsulePartStored",
  session,
  series,
  nth,
  data
})

const closed = { state: "closed", substate: "closed", closedAt: 1_700_000_009_000 } as const

export const capsules = ({ onLedger }: LedgerUnderTest) => {
  it.effect("a record is in the place of the one before, and parts that it does not count go", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const parts = (series: number) =>
          Effect.forEach([0, 1, 2], (nth) => Effect.map(ledger.capsulePart(id, series, nth), Option.getOrNull))
        yield* ledger.write([opened()])
        assert.deepStrictEqual(yield* ledger.capsules(app, "thread"), [])
        // The third was written before a node died, and nothing counts it.
        yield* ledger.write([part(0, "a"), part(1, "b"), part(2, "lost"), part(1, "b again"), stored()])
        assert.deepStrictEqual(yield* ledger.capsules(app, "thread"), [capsule()])
        assert.deepStrictEqual(yield* parts(1), ["a", "b again", null])

        yield* ledger.write([part(2, "c"), stored({ parts: 3, turn: 2 })])
        assert.deepStrictEqual(yield* parts(1), ["a", "b again", "c"])

        const anew = { series: 2, parts: 1, turn: 3, thread: "other", node: "second" }
        yield* ledger.write([part(0, "whole", 2)])
        assert.deepStrictEqual(yield* ledger.capsules(app, "thread"), [capsule({ parts: 3, turn: 2 })])
        yield* ledger.write([stored(anew)])
        assert.deepStrictEqual(yield* ledger.capsules(app, "thread"), [])
        assert.deepStrictEqual(yield* ledger.capsules(app, "other"), [capsule(anew)])
        assert.deepStrictEqual(
          [yield* parts(1), yield* parts(2)],
          [
            [null, null, null],
            ["whole", null, null]
          ]
        )
      })
    )
  )

  it.effect("an app finds those of its own sessions alone, the last one first", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const [second, third] = [SessionId.make("ses_second"), SessionId.make("ses_third")]
        yield* ledger.write([opened(), opened({ id: second }), opened({ id: third, app: otherApp })])
        const later = { session: second, storedAt: 1_700_000_000_001 }
        const others = { session: third, storedAt: 1_700_000_000_002 }
        yield* ledger.write([stored(), stored(later), stored(others)])
        assert.deepStrictEqual(yield* ledger.capsules(app, "thread"), [capsule(later), capsule()])
        assert.deepStrictEqual(yield* ledger.capsules(otherApp, "thread"), [capsule(others)])
      })
    )
  )

  it.effect("they go with their session", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened(closed), part(0, "a"), part(1, "b"), stored()])
        yield* ledger.remove([id], [])
        assert.deepStrictEqual(yield* ledger.capsules(app, "thread"), [])
        assert.deepStrictEqual(yield* ledger.capsulePart(id, 1, 0), Option.none())
      })
    )
  )

  it.effect("a node that has lost the session adds nothing, and no error tells what was said", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const [first, second] = [NodeToken.make("node_1"), NodeToken.make("node_2")]
        const claims = (owner: NodeToken): LedgerWrite => ({
          _tag: "SessionClaimed",
          session: id,
          owner
        })
        const joins = (token: NodeToken): LedgerWrite => ({
          _tag: "NodeJoined",
          node: { token, name: token, url: null, version: "1.0.0" },
          leaseMillis: 60_000
        })
        yield* ledger.write([opened(), joins(first), joins(second), claims(first)])
        const claim = Option.getOrNull(yield* ledger.claimOf(id))
        if (claim === null) throw new Error("it has no owner")
        yield* ledger.write([{ _tag: "ClaimChecked", claim }, part(0, "a"), stored({ parts: 1 })])
        yield* ledger.write([{ _tag: "NodeLeft", token: first }, claims(second)])
        const refused = yield* Effect.flip(ledger.write([{ _tag: "ClaimChecked", claim }, part(1, "what was said")]))
        assert.strictEqual(refused.kind, "fenced")
        assert.deepStrictEqual(yield* ledger.capsulePart(id, 1, 1), Option.none())

        const nobody = SessionId.make("ses_nobody")
        const unknown = yield* Effect.flip(ledger.write([part(0, "what was said", 1, nobody)]))
        assert.strictEqual(unknown.kind, "constraint")
        assert.notInclude(unknown.message + JSON.stringify(unknown), "what was said")
      })
    )
  )
}
