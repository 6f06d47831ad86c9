/** Many sessions: pages without a gap or a repeat, counts, sweeps, and what outlives a session. */
import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { LeaseId, SessionId } from "../../../src/domain/Ids.ts"
import { parseCursor } from "../../../src/ledger/Cursor.ts"
import type { LedgerWrite, Page, SessionQuery } from "../../../src/ledger/Ledger.ts"
import type { SessionRecord } from "../../../src/domain/Session.ts"
import { app, lease, opened, otherApp, eventAppended, session, step, turn, usage } from "../samples.ts"
import type { LedgerUnderTest } from "./ledgerSuite.ts"

const nth = (n: number) => SessionId.make(`ses_${String(n).padStart(26, "0")}`)

const idsOf = (records: ReadonlyArray<SessionRecord>) => records.map(({ id }) => id)

const closed = (n: number, at: number): LedgerWrite => ({
  _tag: "SessionPatched",
  session: nth(n),
  patch: { state: "closed", substate: "closed", closedAt: at }
})

const everything: SessionQuery = { app: null, state: null, cursor: null, limit: 100 }

export const sessions = ({ onLedger }: LedgerUnderTest) => {
  it.effect("the pages of sessions have no gap and no repeat while new sessions are created", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const many = Array.from({ length: 10_000 }, (_, n) => n)
        // Ten share each moment, so that time alone does not order them.
        yield* ledger.write(
          many.map((n) => opened({ id: nth(n), app: n % 5 === 0 ? otherApp : app, createdAt: n - (n % 10) }))
        )
        const seen: Array<SessionId> = []
        let cursor: string | null = null
        let fresh = 10_000
        do {
          const page: Page<SessionRecord> = yield* ledger.sessions({ ...everything, app, cursor, limit: 333 })
          assert.strictEqual(page.count, 8_000 + (fresh - 10_000))
          seen.push(...idsOf(page.items))
          cursor = page.next
          yield* ledger.write([opened({ id: nth(fresh), createdAt: fresh })])
          fresh++
        } while (cursor !== null)
        assert.deepStrictEqual(
          seen,
          many
            .filter((n) => n % 5 !== 0)
            .map(nth)
            .toReversed()
        )
      })
    )
  )

  it.effect("sessions are listed and counted by state and app", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const states = [
          { state: "idle", substate: "idle.asleep" },
          { state: "turning", substate: "turning.running" },
          { state: "retiring", substate: "retiring.killing" },
          { state: "idle", substate: "idle.awake" }
        ] as const
        yield* ledger.write([
          ...states.map((state, n) => opened({ id: nth(n), ...state, createdAt: n })),
          opened({ id: nth(4), createdAt: 4 }),
          opened({ id: nth(5), app: otherApp, createdAt: 5 }),
          closed(4, 9)
        ])
        const listed = (query: Partial<SessionQuery>) =>
          Effect.map(ledger.sessions({ ...everything, ...query }), (page) => {
            assert.strictEqual(page.count, page.items.length)
            assert.isNull(page.next)
            return idsOf(page.items)
          })
        assert.deepStrictEqual(yield* listed({}), [5, 4, 3, 2, 1, 0].map(nth))
        assert.deepStrictEqual(yield* listed({ state: "open" }), [5, 3, 2, 1, 0].map(nth))
        assert.deepStrictEqual(yield* listed({ state: "idle", app }), [3, 0].map(nth))
        assert.deepStrictEqual(yield* listed({ state: "turning", app }), [1].map(nth))
        assert.deepStrictEqual(yield* listed({ state: "retiring" }), [2].map(nth))
        assert.deepStrictEqual(yield* listed({ state: "closed", app }), [4].map(nth))
        assert.deepStrictEqual(yield* listed({ app: otherApp }), [nth(5)])
        assert.strictEqual(yield* ledger.openSessions(app), 4)
        assert.strictEqual(yield* ledger.openSessions(null), 5)
      })
    )
  )

  it.effect("a list of sessions refuses a cursor that the ledger did not make", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(parseCursor("not one of ours"), Option.none())
        const error = yield* Effect.flip(ledger.sessions({ ...everything, cursor: "not one of ours" }))
        assert.match(error.message, /the cursor is none of this ledger's/)
      })
    )
  )

  it.effect("old or inactive sessions are due to be closed, and closed ones to be removed, oldest first", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([
          opened({ id: nth(0), createdAt: 10, lastActivityAt: 90 }),
          opened({ id: nth(1), createdAt: 50, lastActivityAt: 50 }),
          opened({ id: nth(2), createdAt: 5, lastActivityAt: 5 }),
          opened({ id: nth(3), createdAt: 80, lastActivityAt: 80 }),
          opened({ id: nth(4) }),
          closed(4, 70),
          opened({ id: nth(5) }),
          closed(5, 60)
        ])
        const due = (createdBefore: number | null, activeBefore: number | null, closedBefore: number, limit = 10) =>
          Effect.map(ledger.dueForSweep({ createdBefore, activeBefore, closedBefore, limit }), ({ close, remove }) => [
            idsOf(close),
            idsOf(remove)
          ])
        assert.deepStrictEqual(yield* due(null, null, 60), [[], []])
        assert.deepStrictEqual(yield* due(20, null, 71), [[2, 0].map(nth), [5, 4].map(nth)])
        assert.deepStrictEqual(yield* due(20, 60, 61), [[2, 0, 1].map(nth), [nth(5)]])
        assert.deepStrictEqual(yield* due(20, 60, 71, 1), [[nth(2)], [nth(5)]])
      })
    )
  )

  it.effect("recovery finds the sessions that have something left to do", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const queuedCommand = {
          session: nth(3),
          step: 1,
          nth: 0,
          type: "removeDirectory",
          params: null,
          once: false,
          claimed: false
        }
        yield* ledger.write([
          opened({ id: nth(0) }),
          opened({ id: nth(1), substate: "idle.awake" }),
          opened({ id: nth(2) }),
          { _tag: "TimerArmed", timer: { session: nth(2), timer: "wake", dueAt: 1, event: { type: "wake" } } },
          opened({ id: nth(3) }),
          { _tag: "CommandQueued", command: queuedCommand },
          closed(3, 5),
          opened({ id: nth(4), state: "turning", substate: "turning.queued" }),
          { _tag: "TurnInserted", record: turn({ session: nth(4), status: "queued" }) },
          opened({ id: nth(5) }),
          closed(5, 5)
        ])
        assert.deepStrictEqual([...(yield* ledger.sessionsToRecover(1))].sort(), [1, 2, 3, 4].map(nth))
      })
    )
  )

  it.effect("a removed session leaves only its audit trail, its usage and the lease of a running process", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const id = nth(0)
        const line = { at: 1, session: id, app, action: "create", actor: app, detail: {} }
        const last = { ...line, at: 2, action: "sweep_delete" }
        yield* ledger.write([
          opened({ id }),
          { _tag: "StepAppended", step: step({ session: id }) },
          {
            _tag: "CommandQueued",
            command: { session: id, step: 1, nth: 0, type: "t", params: {}, once: false, claimed: false }
          },
          { _tag: "TimerArmed", timer: { session: id, timer: "t", dueAt: 1, event: { type: "t" } } },
          {
            _tag: "TurnInserted",
            record: turn({ session: id, status: "completed", endedAt: Date.UTC(2026, 0, 2), usage: usage(1) })
          },
          eventAppended(1, { session: id }),
          { _tag: "LeaseOpened", lease: lease({ session: id }) },
          { _tag: "Audited", record: line },
          opened({ id: nth(1) })
        ])
        yield* ledger.remove([id, nth(1)], [])
        assert.isTrue(Option.isSome(yield* ledger.session(id)))

        yield* ledger.write([closed(0, 5)])
        assert.deepStrictEqual(yield* ledger.deletedSessions([id, nth(1)]), [])
        // The open one stays, and gets no last line; two sweepers write one.
        const lines = [last, { ...last, session: nth(1) }]
        yield* ledger.remove([id, nth(1)], lines)
        yield* ledger.remove([id, nth(1)], lines)
        assert.deepStrictEqual(yield* ledger.deletedSessions([id, nth(1)]), [id])
        assert.deepStrictEqual(yield* ledger.audit(nth(1), 10), [])
        assert.deepStrictEqual(yield* ledger.session(id), Option.none())
        assert.deepStrictEqual(yield* ledger.steps(id, 0, 10), [])
        assert.deepStrictEqual(yield* ledger.outbox(id), [])
        assert.deepStrictEqual(yield* ledger.timers(id), [])
        assert.deepStrictEqual(yield* ledger.turns(id, 0, 10), [])
        assert.deepStrictEqual(yield* ledger.events(id, 0, 10), [])
        assert.deepStrictEqual(yield* ledger.sessionsToRecover(1), [])
        assert.deepStrictEqual(yield* ledger.audit(id, 10), [line, last])
        assert.deepStrictEqual(yield* ledger.leases, [lease({ id: LeaseId.make("lea_1"), session: null })])
        assert.strictEqual((yield* ledger.usage({ app, from: 0, to: Date.UTC(2027, 0) })).length, 1)
        const remaining = yield* ledger.sessions(everything)
        assert.deepStrictEqual([idsOf(remaining.items), remaining.count], [[nth(1)], 1])
        assert.deepStrictEqual(yield* ledger.session(nth(1)), Option.some(session({ id: nth(1) })))
      })
    )
  )

  it.effect("usage is added up by the UTC day on which turns ended, by app and agent", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const noon = Date.UTC(2026, 2, 1, 12)
        const midnight = Date.UTC(2026, 2, 2)
        const ended = (n: number, index: number, endedAt: number, tokens: number): ReadonlyArray<LedgerWrite> => [
          { _tag: "TurnInserted", record: turn({ session: nth(n), index }) },
          {
            _tag: "TurnPatched",
            session: nth(n),
            index,
            patch: { status: "completed", stopReason: "end_turn", endedAt, usage: usage(tokens) }
          }
        ]
        yield* ledger.write([
          opened({ id: nth(0) }),
          opened({ id: nth(1), agent: "codex" }),
          opened({ id: nth(2), app: otherApp }),
          ...ended(0, 1, noon, 10),
          ...ended(0, 2, midnight - 1, 20),
          ...ended(0, 3, midnight, 40),
          ...ended(1, 1, noon, 80),
          ...ended(2, 1, noon, 160),
          { _tag: "TurnInserted", record: turn({ session: nth(2), index: 2, usage: usage(1_000) }) }
        ])
        // Tokens that an agent reports or corrects after the end count on the same day.
        yield* ledger.write([{ _tag: "TurnPatched", session: nth(1), index: 1, patch: { usage: usage(81) } }])

        const days = (whose: typeof app | null, from: number, to: number) =>
          Effect.map(ledger.usage({ app: whose, from, to }), (rows) =>
            rows.map((row) => [row.day, row.app, row.agent, row.turns, row.usage.inputTokens])
          )
        const first = ["2026-03-01", app, "demo", 2, 30]
        const codex = ["2026-03-01", app, "codex", 1, 81]
        const second = ["2026-03-02", app, "demo", 1, 40]
        assert.deepStrictEqual(yield* days(app, noon, midnight + 1), [codex, first, second])
        assert.deepStrictEqual(yield* days(app, noon, midnight), [codex, first])
        assert.deepStrictEqual(yield* days(app, midnight, midnight + 1), [second])
        assert.deepStrictEqual(yield* days(null, 0, midnight), [codex, first, ["2026-03-01", otherApp, "demo", 1, 160]])
      })
    )
  )
}
