/** A ledger that is away for a moment: what is to be written waits for it, in order, and is stored once. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Logger, Schedule } from "effect"
import { existsSync, renameSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { Ledger, LedgerError } from "../../../src/ledger/Ledger.ts"
import type { LedgerWrite } from "../../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../../src/ledger/SqliteLedger.ts"
import * as Database from "../../../src/ledger/sqlite/Database.ts"
import type { Database as SqlDatabase } from "../../../src/ledger/sql/Database.ts"
import * as Writer from "../../../src/ledger/sql/Writer.ts"
import { eventAppended, id, opened, scratchFile } from "../samples.ts"

/** Another process's lock, as far as SQLite can tell: a connection of its own. */
const lock = (filename: string) => {
  const db = new DatabaseSync(filename)
  db.exec("BEGIN IMMEDIATE")
  return Effect.sync(() => {
    db.exec("COMMIT")
    db.close()
  })
}

const withLines = () => {
  const lines: Array<string> = []
  const logger = Logger.make<unknown, void>(({ message }) => void lines.push(String(message)))
  return { lines, layer: Logger.layer([logger]) }
}

/** Looks again and again; the two sides share a file and no notice. */
const until = <E>(condition: Effect.Effect<boolean, E>) =>
  condition.pipe(
    Effect.repeat({ schedule: Schedule.spaced("5 millis"), until: (holds) => holds }),
    Effect.timeout("20 seconds")
  )

const isAway = (ledger: Ledger["Service"]) => until(Effect.sync(() => ledger.away() !== null))

describe("a ledger whose file is locked by another process", () => {
  it.live("holds what is written meanwhile, and stores it once and in order when it is free", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      const { layer, lines } = withLines()
      yield* Effect.gen(function* () {
        const ledger = yield* Ledger
        yield* ledger.write([opened()])
        const unlock = lock(filename)
        const first = yield* Effect.forkChild(ledger.write([eventAppended(1)]))
        yield* isAway(ledger)
        yield* ledger.writeLater([eventAppended(2)])
        const third = yield* Effect.forkChild(ledger.write([eventAppended(3)]))
        assert.isTrue(ledger.away()?.holding)
        assert.match(ledger.away()?.reason ?? "", /database is locked/)
        const error = yield* Effect.flip(ledger.ping)
        assert.isTrue(error.away)
        assert.strictEqual(error.kind, "busy")
        // Readers are not kept waiting.
        assert.strictEqual(yield* ledger.lastEvent(id), 0)
        yield* unlock
        yield* ledger.available
        yield* Fiber.join(first)
        yield* Fiber.join(third)
        assert.deepStrictEqual(
          (yield* ledger.events(id, 0, 10)).map(({ seq }) => seq),
          [1, 2, 3]
        )
        assert.isNull(ledger.away())
        yield* ledger.ping
      }).pipe(Effect.provide(SqliteLedger.layer(filename)), Effect.provide(layer))
      assert.strictEqual(lines.length, 2, lines.join("\n"))
      assert.match(lines[0]!, /The ledger is away: database is locked. Commits are held for up to 60 s/)
      assert.match(lines[1]!, /The ledger is back after \d+ s/)
    }).pipe(Effect.scoped)
  )

  it.live("fails its callers when patience is over, and goes on owing what was to be written later", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      yield* Effect.gen(function* () {
        const ledger = yield* Ledger
        yield* ledger.write([opened(), eventAppended(1)])
        const unlock = lock(filename)
        yield* ledger.writeLater([eventAppended(2)])
        const failed = yield* Effect.flip(ledger.write([eventAppended(3)]))
        assert.isTrue(failed.away)
        assert.isFalse(ledger.away()?.holding)
        yield* unlock
        // Nobody writes: its return is noticed all the same, and what was owed is stored.
        yield* ledger.available
        yield* until(Effect.map(ledger.lastEvent(id), (seq) => seq === 2))
        yield* ledger.write([eventAppended(3)])
      }).pipe(Effect.provide(SqliteLedger.layer(filename, { patienceMillis: 100 })))
    }).pipe(Effect.scoped)
  )

  it.live("holds what is written while its file is moved away, and stores it when it is put back", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      yield* Effect.gen(function* () {
        const ledger = yield* Ledger
        yield* ledger.write([opened()])
        renameSync(filename, `${filename}.away`)
        const held = yield* Effect.forkChild(ledger.write([eventAppended(1)]))
        yield* isAway(ledger)
        assert.match(ledger.away()?.reason ?? "", /its file .* is gone, moved or removed; put it back/)
        assert.isFalse(existsSync(filename))
        renameSync(`${filename}.away`, filename)
        yield* Fiber.join(held)
        assert.isNull(ledger.away())
        assert.strictEqual((yield* ledger.events(id, 0, 10)).length, 1)
      }).pipe(Effect.provide(SqliteLedger.layer(filename)))
    }).pipe(Effect.scoped)
  )

  it.live("is closed while it is away, without waiting for it", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      const { layer, lines } = withLines()
      const written = yield* Deferred.make<void, LedgerError>()
      const unlock = yield* Effect.gen(function* () {
        const ledger = yield* Ledger
        yield* ledger.write([opened()])
        const unlock = lock(filename)
        yield* ledger.write([eventAppended(1)]).pipe(
          Effect.onExit((exit) => Deferred.done(written, exit)),
          Effect.forkDetach
        )
        yield* isAway(ledger)
        yield* ledger.writeLater([eventAppended(2)])
        return unlock
      }).pipe(Effect.provide(SqliteLedger.layer(filename)), Effect.provide(layer))
      assert.isTrue((yield* Effect.flip(Deferred.await(written))).away)
      assert.match(lines.at(-1)!, /The ledger is still away: 1 entries that it was to write are lost/)
      yield* unlock
    }).pipe(Effect.scoped)
  )
})

describe("a commit whose answer was lost", () => {
  /** A file whose every commit takes place, and whose answers are lost where `loses` says so. */
  const lossy = Effect.fnUntraced(function* (filename: string, loses: () => boolean) {
    const db = yield* Database.open(filename)
    const lost = new LedgerError({
      operation: "commit",
      cause: new Error("the connection was lost"),
      kind: "unreachable"
    })
    const commit: SqlDatabase["commit"] = (operation, statements) =>
      Effect.tap(db.commit(operation, statements), () => (loses() ? Effect.fail(lost) : Effect.void))
    return { db, writer: yield* Writer.make({ ...db, commit }, 60_000) }
  })

  it.live("is recognised and not repeated", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      let toLose = 0
      const { db, writer } = yield* lossy(filename, () => toLose-- > 0)
      yield* writer.write([opened()])
      toLose = 1
      // Each would fail if it was repeated: the numbers of events are unique.
      yield* Effect.all([writer.write([eventAppended(1)]), writer.write([eventAppended(2)])], {
        concurrency: "unbounded"
      })
      toLose = 1
      yield* writer.writeLater([eventAppended(3)])
      yield* writer.write([eventAppended(4)])
      const seqs = yield* db.all(
        "read",
        "SELECT seq FROM events ORDER BY seq",
        [],
        ({ seq }: { readonly seq: number }) => seq
      )
      assert.deepStrictEqual(seqs, [1, 2, 3, 4])
      assert.isNull(writer.away())
    }).pipe(Effect.scoped)
  )

  it.live("is repeated where it did not take place", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      const db = yield* Database.open(filename)
      let failures = 0
      const failed = new LedgerError({ operation: "commit", cause: new Error("no connection"), kind: "unreachable" })
      const writer = yield* Writer.make(
        { ...db, commit: (...args) => (failures-- > 0 ? Effect.fail(failed) : db.commit(...args)) },
        60_000
      )
      yield* writer.write([opened()])
      failures = 3
      const writes: ReadonlyArray<ReadonlyArray<LedgerWrite>> = [[eventAppended(1)], [eventAppended(1)]]
      const exits = yield* Effect.forEach(writes, (entries) => Effect.exit(writer.write(entries)))
      // The second one is refused, and not because the ledger was away.
      assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false])
    }).pipe(Effect.scoped)
  )
})
