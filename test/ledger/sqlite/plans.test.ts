/** No read goes through a whole table that grows with sessions, turns or events: SQLite's own plans say so. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { DatabaseSync } from "node:sqlite"
import { FileId, NodeToken } from "../../../src/domain/Ids.ts"
import type { WebhookDelivery } from "../../../src/domain/Webhook.ts"
import type { Database, SqlValue } from "../../../src/ledger/sql/Database.ts"
import { cursorOf, positionOf } from "../../../src/ledger/Cursor.ts"
import { anySession, Ledger } from "../../../src/ledger/Ledger.ts"
import type { OverviewQuery, SessionQuery } from "../../../src/ledger/Ledger.ts"
import { sqliteDialect } from "../../../src/ledger/sqlite/sqliteDialect.ts"
import * as SqliteLedger from "../../../src/ledger/SqliteLedger.ts"
import * as Approvals from "../../../src/ledger/sql/tables/approvals.ts"
import * as Apps from "../../../src/ledger/sql/tables/apps.ts"
import * as Attention from "../../../src/ledger/sql/tables/attention.ts"
import * as Audit from "../../../src/ledger/sql/tables/audit.ts"
import * as Capsules from "../../../src/ledger/sql/tables/capsules.ts"
import * as Events from "../../../src/ledger/sql/tables/events.ts"
import * as Files from "../../../src/ledger/sql/tables/files.ts"
import * as Learned from "../../../src/ledger/sql/tables/learned.ts"
import * as Nodes from "../../../src/ledger/sql/tables/nodes.ts"
import * as Overview from "../../../src/ledger/sql/tables/overview.ts"
import * as Receipts from "../../../src/ledger/sql/tables/receipts.ts"
import * as Reviews from "../../../src/ledger/sql/tables/reviews.ts"
import * as Sessions from "../../../src/ledger/sql/tables/sessions.ts"
import * as Steps from "../../../src/ledger/sql/tables/steps.ts"
import * as Tallies from "../../../src/ledger/sql/tables/tallies.ts"
import * as Turns from "../../../src/ledger/sql/tables/turns.ts"
import * as Webhooks from "../../../src/ledger/sql/tables/webhooks.ts"
import { app, id, scratchFile } from "../samples.ts"

interface Statement {
  readonly text: string
  readonly params: ReadonlyArray<SqlValue>
}

/** A database that answers nothing and records the statements it is given. */
const recorder = () => {
  const statements: Array<Statement> = []
  const record = (text: string, params: ReadonlyArray<SqlValue>) =>
    Effect.sync(() => (statements.push({ text, params }), []))
  const db: Database = {
    dialect: sqliteDialect,
    settled: Effect.void,
    all: (_operation, text, params) => record(text, params),
    commit: (_operation, statements) =>
      Effect.as(
        Effect.forEach(statements, ({ params, text }) => record(text, params)),
        0
      )
  }
  return { statements, db }
}

/** The lines of SQLite's plan for each statement, on a fresh ledger. */
const plansOf = (statements: ReadonlyArray<Statement>) =>
  Effect.gen(function* () {
    const filename = yield* scratchFile
    yield* Ledger.use((ledger) => ledger.ping).pipe(Effect.provide(SqliteLedger.layer(filename)))
    const file = new DatabaseSync(filename, { readOnly: true })
    const plans = statements.map(({ params, text }) => ({
      text,
      plan: file
        .prepare(`EXPLAIN QUERY PLAN ${text}`)
        .all(...params)
        .map(({ detail }) => String(detail))
    }))
    file.close()
    return plans
  }).pipe(Effect.scoped)

const states = ["idle", "turning", "retiring", "closed", null] as const
const cursor = cursorOf({ createdAt: 1, id })
const pages = [...states, "open" as const].flatMap((state) =>
  [app, null].flatMap((app) => [null, cursor].map((cursor): SessionQuery => ({ app, state, cursor, limit: 10 })))
)
const overviews = states.flatMap((state) =>
  [app, null].flatMap((app) =>
    [null, "codex"].flatMap((agent) =>
      [null, "repo-1"].flatMap((search) =>
        [null, cursor].map((cursor): OverviewQuery => ({
          ...anySession,
          app,
          state,
          agent,
          node: agent,
          search,
          cursor,
          limit: 7
        }))
      )
    )
  )
)
const sorts = (["activity", "created", "state", "outcome", "cost", "turns"] as const).flatMap((sort) =>
  [true, false].flatMap((descending) =>
    [null, "idle.asleep", "idle.parked", "turning.asking", "closed"].flatMap((substate) =>
      [app, null].flatMap((app) =>
        [null, positionOf({ rank: 1, id }, { sort, descending })].map((cursor): OverviewQuery => ({
          ...anySession,
          app,
          substate,
          outcome: app === null ? null : "failed",
          meta: app === null ? null : { key: "team", value: "red" },
          sort,
          descending,
          cursor,
          limit: 7
        }))
      )
    )
  )
)

const delivery: WebhookDelivery = {
  webhook: "whk_1",
  event: "evt_1",
  type: "turn.ended",
  session: id,
  body: "{}",
  createdAt: 1,
  attempts: 0,
  dueAt: 1,
  error: null
}

const bounds = "(session=? AND seq>? AND seq<?)"

describe("query plans", () => {
  it.effect("the reads of the ledger use an index, which returns sessions in order", () =>
    Effect.gen(function* () {
      const { db, statements } = recorder()
      const sessions = Sessions.reads(db)
      const steps = Steps.reads(db)
      const turns = Turns.reads(db)
      const events = Events.reads(db)
      const audit = Audit.reads(db)
      const files = Files.reads(db)
      const receipts = Receipts.reads(db)
      const nodes = Nodes.reads(db)
      const webhooks = Webhooks.reads(db)
      const all: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
        ...pages.map(sessions.sessions),
        sessions.session(id),
        sessions.snapshot(id),
        sessions.dueForSweep({ createdBefore: 1, activeBefore: 1, closedBefore: 1, limit: 1 }),
        sessions.remove([id], []),
        sessions.sessionsToRecover(1),
        steps.outbox(id),
        steps.timers(id),
        steps.lastStep(id),
        steps.steps(id, 1, 1),
        steps.processSteps(id, 1),
        steps.wireLine(id, 1),
        turns.turnOutlines(id, 1, 1),
        turns.turns(id, 1, 1),
        turns.turn(id, 1),
        turns.turnOfSubmission(id, "k"),
        turns.turnsOfSubmissions(id, ["k", "l"]),
        turns.usage({ app, from: 1, to: 2 }),
        Approvals.reads(db).lastApprovals(id, 1),
        events.lastEvent(id),
        events.events(id, 1, 1),
        events.eventsOfTurn(id, 1),
        audit.audit(id, 1),
        audit.removeAudit(1, 1),
        Capsules.reads(db).capsules(app, "t"),
        Capsules.reads(db).capsulePart(id, 1, 1),
        files.file(app, FileId.make("f")),
        files.filesBefore(1, 1),
        files.removeFiles([FileId.make("f")]),
        Apps.reads(db).appByToken("h"),
        Apps.reads(db).appBounds(app),
        nodes.nodes,
        nodes.nodeNames,
        nodes.node(NodeToken.make("n")),
        nodes.claimOf(id),
        nodes.ownerOf(id),
        nodes.ownersOf([id]),
        nodes.claims(id, 1),
        receipts.receipt(app, "k"),
        receipts.removeReceipts(1),
        webhooks.dueDeliveries("whk_1", 1),
        webhooks.takeDelivery(delivery, 1),
        Tallies.reads(db).tallies(null, 1, 1),
        Tallies.reads(db).tallies(app, 1, 1)
      ]
      for (const read of all) yield* Effect.exit(read)
      assert.isAbove(statements.length, 50)
      for (const { plan, text } of yield* plansOf(statements)) {
        for (const line of plan) {
          // Small tables: counts are a few rows per app, timers and the outbox have only open rows, nodes are few.
          const small = /SCAN (CONSTANT ROW|restless|session_counts|json_each|timers|owed|nodes)/.test(line)
          assert.isFalse(/^SCAN (?!.*USING )/.test(line) && !small, `${text}\n${plan.join("\n")}`)
          // Of a long session, little more than the requested turn is read.
          if (/ events .*turn = /.test(text) && line.includes(" events ")) assert.include(line, bounds, text)
          if (text.includes("AND submission = ?")) assert.include(line, "turns_by_submission", text)
          if (text.includes("ORDER BY created_at")) assert.notInclude(line, "TEMP B-TREE", text)
        }
      }
    })
  )

  it.effect("the reads of the overview use an index with every filter", () =>
    Effect.gen(function* () {
      const { db, statements } = recorder()
      const reads = Overview.reads(db)
      for (const query of [...overviews, ...sorts]) yield* reads.overview(query)
      yield* Effect.all([reads.summaries([id]), reads.namedSessions([id])])
      for (const whose of [null, app]) {
        yield* Effect.all([reads.agentsAndApps(whose), Approvals.reads(db).inbox(whose, 1)])
      }
      yield* Effect.forEach([null, app], reads.stateCounts)
      yield* Effect.forEach([null, app], reads.substateCounts)
      yield* Steps.reads(db).transitionCounts(id, 1)
      for (const { plan, text } of yield* plansOf(statements)) {
        for (const line of plan) {
          assert.notMatch(line, /^SCAN (sessions|steps|timers|session_requests|costs|s|r)$/, text)
          // Those that were active last are found in order, and not by sorting all of an app's.
          assert.notMatch(line, /LAST TERM/, text)
          if (/ORDER BY (last_activity_at|closed_at)/.test(text)) assert.notMatch(line, /by_app/, text)
          // Of sessions that do not sleep there are few: the others are not looked at.
          if (/substate <> 'idle.asleep'/.test(text))
            assert.notMatch(line, / sessions USING INDEX (?!sessions_restless)/, text)
        }
      }
    })
  )

  it.effect("the reads of approvals use an index", () =>
    Effect.gen(function* () {
      const { db, statements } = recorder()
      const reads = Approvals.reads(db)
      yield* Effect.all([reads.approval(id, "apr_1"), reads.pendingApprovals(id)])
      assert.deepStrictEqual(
        (yield* plansOf(statements)).map(({ plan }) => plan),
        [["SEARCH approvals USING PRIMARY KEY (id=?)"], ["SEARCH approvals USING INDEX approvals_pending (session=?)"]]
      )
    })
  )

  it.effect("what needs a person is found among the sessions that do not sleep, and the turns that failed", () =>
    Effect.gen(function* () {
      const { db, statements } = recorder()
      const reads = Attention.reads(db)
      for (const whose of [null, app]) {
        yield* Effect.all([
          reads.waitingSessions(whose, ["idle.parked"], 1),
          reads.failedLastTurns(whose, 1, 1),
          reads.failedTurns(whose, 1, 2, 1)
        ])
      }
      assert.lengthOf(statements, 6)
      for (const { plan, text } of yield* plansOf(statements)) {
        const [first = "", ...rest] = plan.filter((line) => !/^(CO-ROUTINE|MATERIALIZE)/.test(line))
        assert.match(
          first,
          /USING INDEX sessions_restless$|USING INDEX turns_failed \(ended_at>\?( AND ended_at<\?)?\)$/,
          text
        )
        for (const line of rest) assert.notMatch(line, /^SCAN (?!t$|json_each )/, `${text}\n${plan.join("\n")}`)
      }
    })
  )

  it.effect("the reads of reviews, memories and skills use an index", () =>
    Effect.gen(function* () {
      const { db, statements } = recorder()
      const { nudgeCounters, reviewUsage, reviews } = Reviews.reads(db)
      const { memories, skills } = Learned.reads(db)
      yield* Effect.all([nudgeCounters(id), reviews(id, 1), reviewUsage([id]), memories(app), skills(app)], {
        discard: true
      })
      assert.lengthOf(statements, 5)
      for (const { plan, text } of yield* plansOf(statements)) {
        for (const line of plan) {
          assert.isFalse(/^SCAN (?!json_each)|TEMP B-TREE FOR ORDER/.test(line), `${text}\n${line}`)
        }
      }
    })
  )
})
