/** No read goes through a whole table that grows with sessions, turns or events: SQLite's own plans say so. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { DatabaseSync } from "node:sqlite"
import { FileId } from "../../../src/domain/Ids.ts"
import type { Database, SqlValue } from "../../../src/ledger/sqlite/Database.ts"
import { cursorOf } from "../../../src/ledger/Cursor.ts"
import { Ledger } from "../../../src/ledger/Ledger.ts"
import type { SessionQuery } from "../../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../../src/ledger/SqliteLedger.ts"
import * as Approvals from "../../../src/ledger/sqlite/tables/approvals.ts"
import * as Apps from "../../../src/ledger/sqlite/tables/apps.ts"
import * as Audit from "../../../src/ledger/sqlite/tables/audit.ts"
import * as Events from "../../../src/ledger/sqlite/tables/events.ts"
import * as Files from "../../../src/ledger/sqlite/tables/files.ts"
import * as Receipts from "../../../src/ledger/sqlite/tables/receipts.ts"
import * as Sessions from "../../../src/ledger/sqlite/tables/sessions.ts"
import * as Steps from "../../../src/ledger/sqlite/tables/steps.ts"
import * as Turns from "../../../src/ledger/sqlite/tables/turns.ts"
import { app, id, scratchFile } from "../samples.ts"

/** A database that answers nothing and remembers what it was asked. */
const listening = () => {
  const asked: Array<readonly [text: string, params: ReadonlyArray<SqlValue>]> = []
  const db: Database = {
    all: (_operation, text, params) => Effect.sync(() => (asked.push([text, params]), [])),
    transaction: (_operation, body) =>
      Effect.orDie(body(({ params, text }) => Effect.sync(() => (asked.push([text, params]), []))))
  }
  return { asked, db }
}

const states = ["open", "idle", "turning", "retiring", "closed", null] as const
const cursor = cursorOf({ createdAt: 1, id })
const pages = states.flatMap((state) =>
  [app, null].flatMap((app) => [null, cursor].map((cursor): SessionQuery => ({ app, state, cursor, limit: 10 })))
)

describe("the reads of the ledger", () => {
  it.effect("go by an index, and sessions come out of it in order", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      yield* Ledger.use((ledger) => ledger.ping).pipe(Effect.provide(SqliteLedger.layer(filename)))
      const { asked, db } = listening()
      const sessions = Sessions.reads(db)
      const all: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
        ...pages.map(sessions.sessions),
        sessions.session(id),
        sessions.snapshot(id),
        sessions.due({ createdBefore: 1, activeBefore: 1, closedBefore: 1, limit: 1 }),
        sessions.remove([id]),
        sessions.restless,
        ...[Steps.reads(db)].flatMap((it) => [it.outbox(id), it.timers(id), it.lastStep(id), it.steps(id, 1, 1)]),
        ...[Steps.reads(db)].flatMap((it) => [it.lifeSteps(id, 1), it.wire(id, 1)]),
        Turns.reads(db).turnOutlines(id, 1, 1),
        Approvals.reads(db).lastApprovals(id, 1),
        ...[Turns.reads(db)].flatMap((it) => [
          it.turns(id, 1, 1),
          it.turn(id, 1),
          it.openTurns(id),
          it.usage({ app, from: 1, to: 2 })
        ]),
        ...[Events.reads(db)].flatMap((it) => [it.lastEvent(id), it.events(id, 1, 1), it.eventsOfTurn(id, 1)]),
        ...[Audit.reads(db)].flatMap((it) => [it.audit(id, 1), it.removeAudit(1, 1)]),
        ...[Files.reads(db)].flatMap((it) => [
          it.file(app, FileId.make("f")),
          it.filesBefore(1, 1),
          it.removeFiles([FileId.make("f")])
        ]),
        Apps.reads(db).appByToken("h"),
        ...[Receipts.reads(db)].flatMap((it) => [it.receipt(app, "k"), it.removeReceipts(1)])
      ]
      for (const read of all) yield* Effect.exit(read)
      assert.isAbove(asked.length, 50)

      const file = new DatabaseSync(filename)
      for (const [text, params] of asked) {
        const plan = file
          .prepare(`EXPLAIN QUERY PLAN ${text}`)
          .all(...params)
          .map(({ detail }) => String(detail))
        for (const line of plan) {
          // Counts are a few rows per app; timers and owed commands are only those that are open.
          const small = /SCAN (session_counts|json_each|timers|owed)/.test(line)
          assert.isFalse(/^SCAN (?!.*USING )/.test(line) && !small, `${text}\n${plan.join("\n")}`)
          // Of a long session, only the turn that is asked for is read.
          if (text.includes("AND turn = ?")) assert.include(line, "(session=? AND turn=?)", text)
          if (text.includes("ORDER BY created_at")) assert.notInclude(line, "TEMP B-TREE", text)
        }
      }
      file.close()
    }).pipe(Effect.scoped)
  )
})
