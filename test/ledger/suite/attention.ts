/** What may need a person: sessions that wait in some states, and turns that failed and were their session's last. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { SessionId } from "../../../src/domain/Ids.ts"
import type { TurnRecord } from "../../../src/domain/Turn.ts"
import type { LedgerWrite } from "../../../src/ledger/Ledger.ts"
import { app, id, opened, otherApp, step, turn } from "../samples.ts"
import type { LedgerUnderTest } from "./ledgerSuite.ts"

const at = 1_700_000_000_000
const nth = (n: number) => SessionId.make(`ses_${String(n).padStart(20, "0")}`)

const snapshot = { value: { idle: "parked" }, context: { turn: 4, process: false, reason: "it keeps dying" } }

const waits = (n: number, substate: string, fields: Parameters<typeof opened>[0] = {}) =>
  opened({ id: nth(n), substate, createdAt: at + n, ...fields }, snapshot)

export const attention = ({ onLedger }: LedgerUnderTest) => {
  it.effect("lists the sessions that wait in some states, oldest first, with why, since when and until when", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([
          waits(1, "idle.asleep"),
          waits(3, "idle.parked"),
          waits(2, "idle.parked", { app: otherApp }),
          waits(4, "turning.queued", { state: "turning" }),
          waits(5, "closed", { state: "closed", closedAt: at }),
          { _tag: "StepAppended", step: step({ session: nth(3), at: at + 9, to: "idle.parked" }), wire: null },
          {
            _tag: "TimerArmed",
            timer: {
              session: nth(3),
              timer: "xstate.after.parkFor.session.idle.parked",
              dueAt: at + 99,
              event: { type: "x" }
            }
          }
        ])
        const parked = yield* ledger.waitingSessions(null, ["idle.parked"], 9)
        assert.deepStrictEqual(parked, [
          {
            id: nth(2),
            app: otherApp,
            agent: "demo",
            substate: "idle.parked",
            turn: 4,
            since: at + 2,
            reason: "it keeps dying",
            nextDueAt: null
          },
          {
            id: nth(3),
            app,
            agent: "demo",
            substate: "idle.parked",
            turn: 4,
            since: at + 9,
            reason: "it keeps dying",
            nextDueAt: at + 99
          }
        ])
        const both = yield* ledger.waitingSessions(app, ["turning.queued", "idle.parked"], 9)
        assert.deepStrictEqual(
          both.map((one) => one.id),
          [nth(3), nth(4)]
        )
        assert.lengthOf(yield* ledger.waitingSessions(null, ["turning.queued", "idle.parked"], 2), 2)
      })
    )
  )

  it.effect("lists failed turns that were their session's last, the last first, with what failed", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const ends = (n: number, fields: Partial<TurnRecord>): LedgerWrite => ({
          _tag: "TurnInserted",
          record: turn({ session: nth(n), status: "completed", endedAt: at, ...fields })
        })
        const failure = { class: "model", message: "x".repeat(600) } as const
        yield* ledger.write([
          ...[1, 2, 3, 4, 5].map((n) => opened({ id: nth(n), turnCount: n === 3 ? 2 : 1 })),
          opened({ id: nth(6), turnCount: 1, state: "closed", substate: "closed", closedAt: at }),
          opened({ id, app: otherApp, turnCount: 1 }),
          ends(1, { status: "failed", failure, endedAt: at + 10 }),
          ends(2, {}),
          // Another turn came after it.
          ends(3, { status: "failed", failure }),
          ends(3, { index: 2 }),
          ends(4, { status: "timed_out", failure: null, endedAt: at + 20 }),
          ends(5, { status: "failed", failure, endedAt: at - 1 }),
          ends(6, { status: "failed", failure }),
          ends(0, {
            session: id,
            status: "failed",
            failure: { class: "outcome_unknown", message: "lost" },
            endedAt: at + 30
          })
        ])
        const found = yield* ledger.failedLastTurns(null, at, 9)
        assert.deepStrictEqual(
          found.map(({ class: kind, endedAt, message, status, ...one }) => [
            one.id,
            status,
            kind,
            endedAt - at,
            message.length
          ]),
          [
            [id, "failed", "outcome_unknown", 30, 4],
            [nth(4), "timed_out", null, 20, 0],
            [nth(1), "failed", "model", 10, 500]
          ]
        )
        assert.deepStrictEqual(
          (yield* ledger.failedLastTurns(otherApp, at, 9)).map((one) => one.id),
          [id]
        )
        assert.lengthOf(yield* ledger.failedLastTurns(null, at, 1), 1)
      })
    )
  )
}
