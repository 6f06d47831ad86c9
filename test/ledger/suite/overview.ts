/** The overview of many sessions: each is on exactly one page, in order, and is found by each of its filters. */
import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { AppName, SessionId } from "../../../src/domain/Ids.ts"
import type { SessionState } from "../../../src/domain/Session.ts"
import type { Ledger } from "../../../src/ledger/Ledger.ts"
import type { LedgerWrite, SessionSummary, OverviewQuery, Page } from "../../../src/ledger/Ledger.ts"
import { anySession } from "../../../src/ledger/Ledger.ts"
import { updateMessage } from "../../../src/domain/Acp.ts"
import { nameOf } from "../../../src/domain/sessionName.ts"
import type { LastOutcome } from "../../../src/domain/Turn.ts"
import { app, id, opened, otherApp } from "../samples.ts"
import type { LedgerUnderTest } from "./ledgerSuite.ts"

const states: ReadonlyArray<SessionState> = ["idle", "turning", "retiring", "closed"]
const nth = (n: number) => SessionId.make(`ses_${String(n).padStart(20, "0")}`)
const start = 1_700_000_000_000

const hasMoved = (n: number) => n > 2 && n % 4 !== 0
const enteredAfter = (n: number) => ((n * 13) % 30) * 1_000
const costOf = (n: number) => (n % 2 === 0 ? null : ((n * 7) % 11) / 8)
const outcomeOf = (n: number): LastOutcome => ({
  turn: 1,
  status: n % 2 === 0 ? "failed" : "completed",
  at: start + ((n * 11) % 17) * 100,
  failure: null
})
const metaOf = (n: number) => ({
  ...(n % 6 === 0 ? { title: `Ticket ${n}\nof the Harbour` } : {}),
  team: n % 2 === 0 ? "red" : "blue",
  'a.b "c" $d': n % 5,
  urgent: n % 3 === 0,
  nested: { deep: true }
})

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
    closedAt: state === "closed" ? at : null,
    turnCount: n % 7,
    lastOutcome: n % 3 === 0 ? null : outcomeOf(n),
    meta: metaOf(n),
    opening: n % 10 === 0 ? null : `Look at the ${n % 2 === 0 ? "Harbour" : "Lighthouse"} ${n}`
  }
})

/** Some steps enter the substate, the last of some does not; and what the sessions cost. */
const lived: ReadonlyArray<LedgerWrite> = sixty.flatMap(({ id, substate }, n): ReadonlyArray<LedgerWrite> => {
  const step = { session: id, event: { type: "x" }, commands: [] }
  const entered = { ...step, seq: 1, at: start + enteredAfter(n), from: "idle.awake", to: substate }
  const stays = { ...step, seq: 2, at: start + 500_000, from: substate, to: substate }
  const message = updateMessage("thread", {
    sessionUpdate: "usage_update",
    used: 1,
    size: 2,
    cost: { amount: costOf(n) ?? 0, currency: "USD" }
  })
  return [
    ...(!hasMoved(n) ? [] : [{ _tag: "StepAppended" as const, step: entered }]),
    ...(n % 8 === 5 ? [{ _tag: "StepAppended" as const, step: stays }] : []),
    ...(costOf(n) === null
      ? []
      : [{ _tag: "EventAppended" as const, event: { session: id, seq: 1, turn: 1, at: start, message } }])
  ]
})

const snapshot = { value: "idle", context: { turn: 4, process: true } }

const queryOf = (patch: Partial<OverviewQuery> = {}): OverviewQuery => ({ ...anySession, limit: 7, ...patch })

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
        (query.substate === null || one.substate === query.substate) &&
        (query.agent === null || one.agent === query.agent) &&
        (query.outcome === null || one.lastOutcome?.status === query.outcome) &&
        (query.meta === null || String(one.meta[query.meta.key as keyof typeof one.meta]) === query.meta.value) &&
        (query.search === null ||
          `${one.id} ${one.app} ${one.agent} ${one.substate} ${one.cwd} large ${one.opening ?? ""} ${one.meta.title ?? ""}`
            .toLowerCase()
            .includes(query.search.toLowerCase()))
    )
    .toSorted((a, b) => {
      const [one, other] = [valueOf(a, query), valueOf(b, query)]
      const direction = query.descending ? -1 : 1
      if (one === null || other === null) {
        if (one !== other) return one === null ? 1 : -1
        return direction * (a.id < b.id ? -1 : 1)
      }
      return direction * (one - other || (a.id < b.id ? -1 : 1))
    })
    .map(({ id }) => id)

/** What a list is sorted by, computed from the samples. */
const valueOf = (one: (typeof sixty)[number], { sort }: OverviewQuery): number | null => {
  const n = sixty.indexOf(one)
  switch (sort) {
    case "activity":
      return one.lastActivityAt
    case "created":
      return one.createdAt
    case "state":
      return -(!hasMoved(n) ? one.createdAt : start + enteredAfter(n))
    case "outcome":
      return one.lastOutcome?.at ?? null
    case "cost":
      return costOf(n)
    case "turns":
      return one.turnCount
  }
}

const filters = [null, ...states].flatMap((state) =>
  [null, app].flatMap((app) =>
    [null, "codex"].flatMap((agent) =>
      [null, "repo-1", "RETIRING", "100%", "large", "the harbour"].map((search) =>
        queryOf({ state, app, agent, search })
      )
    )
  )
)

const sorted = (["activity", "created", "state", "outcome", "cost", "turns"] as const).flatMap((sort) =>
  [true, false].flatMap((descending) => [
    ...[null, app].map((app) => queryOf({ app, sort, descending })),
    ...["idle.asleep", "turning.asking", "closed", "idle.parked"].map((substate) =>
      queryOf({ substate, sort, descending })
    ),
    queryOf({ state: "turning", substate: "turning.asking", sort, descending }),
    queryOf({ state: "idle", sort, descending }),
    queryOf({ outcome: "failed", sort, descending }),
    queryOf({ meta: { key: "team", value: "red" }, search: "harbour", sort, descending })
  ])
)

const ofMeta = [
  ...["0", "4", "5", "x"].map((value) => ({ key: 'a.b "c" $d', value })),
  { key: "urgent", value: "true" },
  { key: "urgent", value: "1" },
  { key: "nested", value: "{}" },
  { key: "nobody", value: "undefined!" },
  { key: "$.team", value: "red" }
].map((meta) => queryOf({ meta }))

export const overview = ({ onLedger }: LedgerUnderTest) => {
  const filled = <A, E>(use: (ledger: Ledger["Service"]) => Effect.Effect<A, E>) =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([...sixty.map((session) => opened(session, snapshot)), ...lived])
        return yield* use(ledger)
      })
    )

  it.effect("the overview has every match on exactly one page, the last active first, and counts them", () =>
    filled((ledger) =>
      Effect.gen(function* () {
        for (const filter of [...filters, ...sorted, ...ofMeta]) {
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
        assert.deepInclude(yield* ledger.substateCounts(null), {
          "idle.asleep": 15,
          "turning.asking": 15,
          "retiring.asking": 15
        })
        assert.deepInclude(yield* ledger.substateCounts(otherApp), { "idle.asleep": 5, "turning.asking": 5 })
        assert.deepStrictEqual(yield* ledger.agentsAndApps(null), { agents: ["codex", "demo"], apps: ["desk", "shop"] })
        assert.deepStrictEqual((yield* ledger.agentsAndApps(otherApp)).apps, ["shop"])
      })
    )
  )

  it.effect("sessions are called by their title, else how their first prompt begins, else their id", () =>
    filled((ledger) =>
      Effect.gen(function* () {
        const ids = [nth(0), nth(1), nth(10), nth(6), SessionId.make("ses_nobody")]
        const named = yield* ledger.namedSessions(ids)
        const names = new Map(named.map((one) => [one.id, nameOf(one)]))
        assert.deepStrictEqual(
          ids.map((id) => names.get(id)),
          ["Ticket 0 of the Harbour", "Look at the Lighthouse 1", nth(10), "Ticket 6 of the Harbour", undefined]
        )
        const summaries = yield* ledger.summaries(ids)
        assert.deepStrictEqual(summaries.map(nameOf).toSorted(), [...names.values()].toSorted())
        assert.deepStrictEqual(summaries.find(({ id }) => id === nth(1))?.meta, {
          team: "blue",
          'a.b "c" $d': "1",
          urgent: "false"
        })
        yield* ledger.write([{ _tag: "SessionPatched", session: nth(10), patch: { opening: "At last" } }])
        assert.strictEqual(nameOf(Option.getOrThrow(yield* ledger.summary(nth(10)))), "At last")
        assert.strictEqual(Option.getOrThrow(yield* ledger.session(nth(10))).opening, "At last")
      })
    )
  )

  it.effect("the overview refuses a cursor that the ledger did not make", () =>
    filled((ledger) =>
      Effect.gen(function* () {
        assert.match((yield* Effect.flip(ledger.overview(queryOf({ cursor: "!" })))).message, /cursor/)
        const { next } = yield* ledger.overview(queryOf({ sort: "turns" }))
        assert.match((yield* Effect.flip(ledger.overview(queryOf({ sort: "cost", cursor: next })))).message, /cursor/)
        assert.match((yield* Effect.flip(ledger.overview(queryOf({ cursor: next })))).message, /cursor/)
      })
    )
  )
}
