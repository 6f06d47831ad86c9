/**
 * Measures the commit of one step: the entries of a turn's two steps written by the ledger, against the same statements
 * on a bare `node:sqlite` connection.
 */
import { Effect } from "effect"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { SQLInputValue, StatementSync } from "node:sqlite"
import { begin, decide } from "../machines/decide.ts"
import { sessionMachineWith } from "../machines/session/machine.ts"
import { stateName } from "../machines/session/stateInfo.ts"
import type { SessionEvent } from "../machines/session/machine.ts"
import { entriesOf } from "../src/session/commit.ts"
import { EventRows } from "../src/session/EventRows.ts"
import { AppName, SessionId } from "../src/domain/Ids.ts"
import type { SessionRecord } from "../src/domain/Session.ts"
import { defaultLimits } from "../src/domain/Settings.ts"
import { noUsage } from "../src/domain/Turn.ts"
import type { Write } from "../src/ledger/sql/Database.ts"
import type { LedgerWrite } from "../src/ledger/Ledger.ts"
import { Ledger } from "../src/ledger/Ledger.ts"
import * as SqliteLedger from "../src/ledger/SqliteLedger.ts"
import { sqliteDialect } from "../src/ledger/sqlite/sqliteDialect.ts"
import { statementsOf } from "../src/ledger/sql/statements.ts"
import { quantile } from "./sample.ts"
import { millis, times } from "./table.ts"
import type { Row } from "./table.ts"

export interface CommitsPlan {
  readonly rounds: number
  readonly turns: number
}

const app = AppName.make("bench")
const machine = sessionMachineWith(defaultLimits)

/** A session that takes turn after turn on an awake agent. Each step returns the entries of its commit. */
export class SteppedSession {
  readonly #initial = begin(machine, undefined).next
  #snapshot = this.#initial
  #seq = 0
  #events = 0
  readonly #rows = new EventRows()
  #record: SessionRecord = {
    id: SessionId.make("ses_bench"),
    app,
    agent: "null",
    cwd: "/",
    ownsCwd: false,
    model: null,
    mode: null,
    effort: null,
    systemPrompt: null,
    setup: {},
    permissions: "deny",
    meta: {},
    state: "idle",
    substate: "idle.asleep",
    turnCount: 0,
    createdAt: 0,
    lastActivityAt: 0,
    lastTurnAt: null,
    closedAt: null,
    threadId: null,
    restarts: 0,
    lastOutcome: null,
    opening: null,
    usage: noUsage
  }

  readonly opening: ReadonlyArray<LedgerWrite> = [
    { _tag: "AppInserted", name: app, at: 0, tokenHash: "0".repeat(64) },
    { _tag: "SessionInserted", record: this.#record, snapshot: machine.getPersistedSnapshot(this.#initial) }
  ]

  wake(): ReadonlyArray<LedgerWrite> {
    const steps = [
      ...this.submit(),
      ...this.#step({ type: "slot.granted" }),
      ...this.#step({ type: "process.ready", thread: "t", at: 0 })
    ]
    return [...steps, ...this.end()]
  }

  submit(): ReadonlyArray<LedgerWrite> {
    const turn = this.#record.turnCount + 1
    return this.#step({ type: "turn.submitted", turn, timeoutMillis: 600_000, queue: false, at: 0 })
  }

  end(): ReadonlyArray<LedgerWrite> {
    const turn = this.#record.turnCount
    return this.#step({ type: "turn.ended", turn, stopReason: "end_turn", failure: null, at: 0 })
  }

  #step(event: SessionEvent): ReadonlyArray<LedgerWrite> {
    const before = this.#snapshot
    const decision = decide(machine, before, event)
    if (!decision.handled) throw new Error(`${event.type} is not taken in ${JSON.stringify(before.value)}`)
    const at = Date.now()
    const step = {
      seq: ++this.#seq,
      at,
      by: "bench",
      event,
      before,
      decision,
      from: stateName(before),
      to: stateName(decision.next),
      submission: event.type === "turn.submitted" ? { prompt: "hello", timeoutMillis: 600_000, queue: false } : null,
      disarmed: decision.cancel,
      heldBack: false,
      usage: null,
      contextLost: null,
      approval: null,
      answers: null,
      resolution: null,
      compaction: null,
      wire: null
    }
    const written = entriesOf(machine, this.#record, step, this.#events)
    this.#snapshot = decision.next
    this.#record = written.record
    const events = written.messages.map(({ message, turn }) => {
      return { session: this.#record.id, seq: ++this.#events, turn, at, message }
    })
    return [...this.#rows.entriesOf(events).entries, ...written.entries]
  }
}

/** Runs the statements of a commit on a connection of `node:sqlite`. */
const bareWriter = (db: DatabaseSync) => {
  const prepared = new Map<string, StatementSync>()
  const run = ({ params, text }: Write) => {
    const statement = prepared.get(text) ?? db.prepare(text)
    prepared.set(text, statement)
    statement.all(...(params as ReadonlyArray<SQLInputValue>))
  }
  return (writes: ReadonlyArray<Write>) => {
    db.exec("BEGIN IMMEDIATE")
    for (const write of writes) run(write)
    db.exec("COMMIT")
  }
}

const bareLedger = async (file: string) => {
  // Created and migrated by the ledger, then used by the bare connection only.
  await Effect.runPromise(
    Effect.scoped(
      Effect.provide(
        Ledger.use(({ ping }) => ping),
        SqliteLedger.layer(file)
      )
    )
  )
  const db = new DatabaseSync(file)
  db.exec("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 4000")
  return db
}

export const measure = async (dir: string, { rounds, turns }: CommitsPlan): Promise<ReadonlyArray<Row>> => {
  const db = await bareLedger(join(dir, "bare.db"))
  const writeBare = bareWriter(db)
  const bareSession = new SteppedSession()
  writeBare(statementsOf(sqliteDialect, bareSession.opening))
  writeBare(statementsOf(sqliteDialect, bareSession.wake()))
  const troupe: Array<number> = []
  const bare: Array<number> = []
  const time = <A>(into: Array<number>, write: Effect.Effect<A>) =>
    Effect.suspend(() => {
      const from = performance.now()
      return Effect.map(write, () => void into.push(performance.now() - from))
    })

  const program = Effect.gen(function* () {
    const ledger = yield* Ledger
    const session = new SteppedSession()
    yield* ledger.write(session.opening)
    yield* ledger.write(session.wake())
    for (let round = 0; round <= rounds; round++) {
      const ours = round === 0 ? [] : troupe
      const theirs = round === 0 ? [] : bare
      for (let turn = 0; turn < turns; turn++) {
        yield* time(ours, Effect.orDie(ledger.write(session.submit())))
        yield* time(ours, Effect.orDie(ledger.write(session.end())))
      }
      for (let turn = 0; turn < turns; turn++) {
        for (const entries of [bareSession.submit(), bareSession.end()]) {
          const writes = statementsOf(sqliteDialect, entries)
          yield* time(
            theirs,
            Effect.sync(() => writeBare(writes))
          )
        }
      }
    }
  })
  await Effect.runPromise(Effect.scoped(Effect.provide(program, SqliteLedger.layer(join(dir, "ledger.db")))))
  db.close()

  return ([0.5, 0.99] as const).map((part) => {
    const ours = quantile(troupe, part)
    const theirs = quantile(bare, part)
    return {
      what: `commit of one step of a turn: p${part * 100}`,
      troupe: millis(ours),
      reference: `${millis(theirs)} bare node:sqlite`,
      comparison: times(ours / theirs)
    }
  })
}
