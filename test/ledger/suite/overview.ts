/** The overview of many sessions: each is on exactly one page, in order, and is found by each of its filters. */
import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { AppName, SessionId } from "../../../src/domain/Ids.ts"
import type { SessionState } from "../../../src/domain/Session.ts"
import type { Ledger } from "../../../src/ledger/Ledger.ts"
import type { SessionSummary, OverviewQuery, Page } from "../../../src/ledger/Ledger.ts"
import { app, id, opened, otherApp } from "../samples.ts"
import type { LedgerUnderTest } from "./ledgerSuite.ts"

const states: ReadonlyArray<SessionState> = ["idle", "turning", "retiring", "closed"]
const nth = (n: number) => SessionId.make(`ses_${String(n).padStart(20, "0")}`)
const start = 1_700_000_000_000

/** Sixty sessions, some of which were active in the same millisecond. */
const sixty = Array.from({ length: 60 }, (_, n) => {
  const state = states[n % 4]!
  const at = start + (Math.floor((n * 37) % 60) >> 1) * 1_000
  return {
    id: nth(n),
    app: n % 3 === 0 ? otherApp : app,
    agent: n % 5 === 0 ? "codex" : "demo",
    cwd: `/srv/Repo-${n}`,
    state,
    substate: state === "closed" ? "closed" : state === "idle" ? "idle.asleep" : `${state}.asking`,
    createdAt: start + n,
    lastActivityAt: at,
    closedAt: state === "closed" ? at : null
  }
})

const snapshot = { value: "idle", context: { turn: 4, process: true } }

const queryOf = (patch: Partial<OverviewQuery> = {}): OverviewQuery => ({
  app: null,
  state: null,
  agent: null,
  node: null,
  search: null,
  cursor: null,
  limit: 7,
  ...patch
})

const allPages = Effect.fnUntraced(function* (ledger: Ledger["Service"], query: OverviewQuery) {
  const ids: Array<string> = []
  const counts = new Set<number>()
  for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
    const page: Page<SessionSummary> = yield* ledger.overview({ ...query, cursor })
    assert.isAtMost(page.items.length, query.limit)
    ids.push(...page.items.map(({ id }) => id))
    counts.add(page.count)
    cursor = page.next
  }
  return { ids, counts: [...counts] }
})

const expected = (query: OverviewQuery) =>
  sixty
    .filter(
      (one) =>
        (query.app === null || one.app === query.app) &&
        (query.state === null || one.state === query.state) &&
        (query.agent === null || one.agent === query.agent) &&
        (query.search === null ||
          `${one.id} ${one.app} ${one.agent} ${one.substate} ${one.cwd} large`
            .toLowerCase()
            .includes(query.search.toLowerCase()))
    )
    .toSorted((a, b) => b.lastActivityAt - a.lastActivityAt || (a.id < b.id ? 1 : -1))
    .map(({ id }) => id)

const filters = [null, ...states].flatMap((state) =>
  [null, app].flatMap((app) =>
    [null, "codex"].flatMap((agent) =>
      [null, "repo-1", "RETIRING", "100%", "large"].map((search) => queryOf({ state, app, agent, search }))
    )
  )
)

export const overview = ({ onLedger }: LedgerUnderTest) => {
  const filled = <A, E>(use: (ledger: Ledger["Service"]) => Effect.Effect<A, E>) =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        for (const session of sixty) yield* ledger.write([opened(session, snapshot)])
        return yield* use(ledger)
      })
    )

  it.effect("the overview has every match on exactly one page, the last active first, and counts them", () =>
    filled((ledger) =>
      Effect.gen(function* () {
        for (const filter of filters) {
          const expectedIds = expected(filter)
          const { counts, ids } = yield* allPages(ledger, filter)
          assert.deepStrictEqual(ids, expectedIds, JSON.stringify(filter))
          assert.deepStrictEqual(counts, [expectedIds.length], JSON.stringify(filter))
        }
      })
    )
  )

  it.effect("a snapshot with values that no session has costs the list nothing", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const strange = [
          { turn: 2 ** 53, process: 2 ** 53 },
          { turn: "four", process: "yes" },
          { turn: [1], process: null },
          { turn: 4, process: true }
        ]
        yield* ledger.write(strange.map((context, n) => opened({ id: nth(n) }, { value: "idle", context })))
        const seen = yield* Effect.forEach(strange, (_, n) => Effect.map(ledger.summary(nth(n)), Option.getOrThrow))
        assert.deepStrictEqual(
          seen.map(({ process, turn }) => [turn, process]),
          [
            [2 ** 53, false],
            [0, false],
            [0, false],
            [4, true]
          ]
        )
        assert.lengthOf((yield* ledger.overview(queryOf())).items, strange.length)
      })
    )
  )

  it.effect("a summary says what its session waits for: since when, its approval, its next timer", () =>
    filled((ledger) =>
      Effect.gen(function* () {
        const session = nth(1)
        const asking = { session, event: { type: "approval.asked" }, commands: [] }
        yield* ledger.write([
          {
            _tag: "StepAppended",
            step: { ...asking, seq: 1, at: start + 5, from: "turning.running", to: "turning.asking" }
          },
          {
            _tag: "StepAppended",
            step: { ...asking, seq: 2, at: start + 9, from: "turning.asking", to: "turning.asking" }
          },
          { _tag: "TimerArmed", timer: { session, timer: "late", dueAt: start + 99, event: { type: "x" } } },
          { _tag: "TimerArmed", timer: { session, timer: "soon", dueAt: start + 50, event: { type: "x" } } },
          {
            _tag: "ApprovalAsked",
            record: {
              id: "apr_1",
              session,
              turn: 4,
              kind: "execute",
              title: "rm -rf build",
              toolCallId: null,
              raw: { command: ["rm"] },
              createdAt: start + 5,
              deadlineAt: start + 50,
              status: "pending",
              decision: null,
              decidedBy: null,
              settledAt: null,
              fields: null,
              answers: null
            }
          }
        ])
        const one = Option.getOrThrow(yield* ledger.summary(session))
        assert.containSubset(one, {
          id: session,
          since: start + 5,
          turn: 4,
          process: true,
          asks: "rm -rf build",
          next: { timer: "soon", dueAt: start + 50 }
        })
        const { items } = yield* ledger.overview(queryOf({ search: session }))
        assert.deepStrictEqual(items, [one])
        assert.containSubset(Option.getOrThrow(yield* ledger.summary(nth(2))), {
          since: start + 2,
          asks: null,
          next: null
        })
        assert.isTrue(Option.isNone(yield* ledger.summary(id)))

        assert.deepStrictEqual(
          (yield* ledger.inbox(null, 10)).map(({ agent, app, id, raw }) => ({ agent, app, id, raw })),
          [{ agent: "demo", app, id: "apr_1", raw: { command: ["rm"] } }]
        )
        assert.deepStrictEqual(yield* ledger.inbox(otherApp, 10), [])
        assert.deepStrictEqual(yield* ledger.transitionCounts(session, 10), [
          { from: "turning.asking", event: "approval.asked", to: "turning.asking", n: 1 },
          { from: "turning.running", event: "approval.asked", to: "turning.asking", n: 1 }
        ])
        assert.strictEqual((yield* ledger.transitionCounts(session, 1)).length, 1)
      })
    )
  )

  it.effect("sessions are counted by state, and agents and apps named, of one app or of all", () =>
    filled((ledger) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* ledger.stateCounts(null), { idle: 15, turning: 15, retiring: 15, closed: 15 })
        assert.deepStrictEqual(yield* ledger.stateCounts(otherApp), { idle: 5, turning: 5, retiring: 5, closed: 5 })
        assert.deepStrictEqual(yield* ledger.stateCounts(AppName.make("nobody")), {
          idle: 0,
          turning: 0,
          retiring: 0,
          closed: 0
        })
        assert.deepStrictEqual(yield* ledger.agentsAndApps(null), { agents: ["codex", "demo"], apps: ["desk", "shop"] })
        assert.deepStrictEqual((yield* ledger.agentsAndApps(otherApp)).apps, ["shop"])
      })
    )
  )

  it.effect("the overview refuses a cursor that the ledger did not make", () =>
    filled((ledger) =>
      Effect.gen(function* () {
        assert.match((yield* Effect.flip(ledger.overview(queryOf({ cursor: "!" })))).message, /cursor/)
      })
    )
  )
}
