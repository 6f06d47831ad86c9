/**
 * The SQLite file behind the ledger: opens it, brings its tables up to date, and runs statements one caller at a time.
 *
 * One connection runs every statement. The SQL client would let another fiber's statement use the connection while a
 * transaction is open on it, and such a read could see rows that are then rolled back. Here a transaction has the
 * connection to itself.
 */
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Effect, Exit, Schedule, Scope, Semaphore } from "effect"
import { Reactivity } from "effect/reactivity"
import { Migrator, SqlClient } from "effect/sql"
import { chmodSync, closeSync, existsSync, openSync } from "node:fs"
import { LedgerError, LedgerUnusable, reasonOf } from "../LedgerError.ts"
import { NoRow, unreadable } from "../sql/Database.ts"
import type { Database, SqlValue, Write } from "../sql/Database.ts"
import { sqliteDialect } from "./sqliteDialect.ts"
import { failedTo, isLocked } from "./errors.ts"
import { latestVersion, migrations, migrationsTable } from "./migrations.ts"

/** How long opening waits for another process that writes to the same file. Nothing else runs in this process yet. */
const openingTimeoutMillis = 5_000
/** SQLite waits inside the statement, and with it the whole process. So each attempt is short, and repeated. */
const busyTimeoutMillis = 10
/** For another process that writes to the same file (the command line, a backup). After that the ledger is away. */
const busyRetry = Schedule.max([Schedule.spaced("50 millis"), Schedule.recurs(20)])

/** Turning WAL on does not wait for the lock of a process that opens the same fresh file just then; it is retried. */
const openingRetry = Schedule.max([Schedule.spaced("100 millis"), Schedule.recurs(20)])

/**
 * Half of SQLite's default: a commit writes whole pages, some twelve of them for a few hundred bytes each. Measured per
 * turn: 85 kB instead of 150 kB and a sixth less processor time; 1,024 gained nothing more. An existing file keeps the
 * page size that it has.
 */
const pageBytes = 2_048

/**
 * Pages in the WAL at which SQLite checkpoints, which costs two fsyncs. SQLite's default of 1,000 pages is reached every
 * 25 turns. Measured with pages of twice this size, 4,000 pages took the p99 of a write from 4 ms to 0.5 ms.
 */
const checkpointPages = 8_000
/** A larger WAL is truncated to this after a checkpoint. */
const mostWalBytes = 64 * 1024 * 1024

export const open = Effect.fn("Ledger.open")(function* (
  filename: string
): Effect.fn.Return<Database, LedgerUnusable, Scope.Scope> {
  yield* createPrivate(filename)
  const sql = yield* connect(filename)
  // The client's lock guards single statements only: reserve the connection for good, and take turns by our own lock.
  const connection = yield* sql.reserve.pipe(Effect.mapError((cause) => unusable(filename, cause)))
  const mutex = yield* Semaphore.make(1)

  const execute = (text: string, params: ReadonlyArray<SqlValue>) => connection.execute(text, params, undefined)
  const run = (operation: string, statements: ReadonlyArray<Write>) =>
    Effect.suspend(() => {
      let running: Write | undefined
      return Effect.gen(function* () {
        let returned = 0
        for (running of statements) {
          const rows: ReadonlyArray<unknown> = yield* execute(running.text, running.params)
          if (running.failIfNoRow !== undefined && rows.length === 0) {
            return yield* Effect.fail(new NoRow(running))
          }
          returned += rows.length
        }
        return returned
      }).pipe(Effect.mapError((cause) => failedTo(running?.operation ?? operation)(cause)))
    })
  // Ignored: after some failures (disk full, I/O) SQLite has rolled back by itself, and there is no transaction to end.
  const rollback = Effect.ignore(execute("ROLLBACK", []))

  return {
    dialect: sqliteDialect,
    // A statement answers within the call.
    settled: Effect.void,
    all: (operation, text, params, decode) =>
      execute(text, params).pipe(
        Effect.flatMap((rows) => Effect.try({ try: () => rows.map(decode), catch: unreadable(operation) })),
        mutex.withPermit,
        retryWhileLocked,
        Effect.mapError(failedTo(operation))
      ),
    commit: (operation, statements) =>
      failIfRemoved(filename).pipe(
        Effect.andThen(execute("BEGIN IMMEDIATE", [])),
        Effect.andThen(Effect.tap(run(operation, statements), execute("COMMIT", []))),
        // Of BEGIN, too: one that took place and failed would have each one after it fail, within a transaction.
        Effect.onError(() => rollback),
        Effect.uninterruptible,
        mutex.withPermit,
        retryWhileLocked,
        Effect.mapError(failedTo(operation))
      )
  }
})

/**
 * A file that was removed, alone or with its directory, takes every commit as before and loses all of them when this
 * process ends. SQLite does not notice. It may come back: it was moved, or its file system is mounted again.
 */
const failIfRemoved = (filename: string) =>
  Effect.suspend(() =>
    filename === ":memory:" || existsSync(filename)
      ? Effect.void
      : Effect.fail(
          new LedgerError({
            operation: "write",
            cause: `its file ${filename} is gone, moved or removed; put it back, or restore it and start Troupe again`,
            kind: "unreachable"
          })
        )
  )

const retryWhileLocked = Effect.retry({ schedule: busyRetry, while: isLocked })

/**
 * Creates the file, readable by its user only, before SQLite would: its WAL and shared-memory files get the same mode.
 */
const createPrivate = (filename: string) =>
  filename === ":memory:"
    ? Effect.void
    : Effect.try({
        try: () => closeSync(openSync(filename, "a", 0o600)),
        catch: (cause) => unusable(filename, cause)
      })

/** Closes what a failed attempt acquired at once, and not only with its caller's scope. */
const closedOnFailure = <A, E, R>(attempt: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const scope = yield* Scope.fork(yield* Effect.scope)
    return yield* attempt.pipe(
      Scope.provide(scope),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
  })

const connect = Effect.fnUntraced(
  function* (filename: string) {
    const sql = yield* SqliteClient.make({
      filename,
      // Turned on below, after the busy timeout: another process may be doing the same.
      disableWAL: true,
      prepareCacheSize: 400,
      prepareCacheTTL: "365 days"
    })
    yield* sql.unsafe(`PRAGMA busy_timeout = ${openingTimeoutMillis}`)
    yield* refuseForeign(filename).pipe(Effect.provideService(SqlClient.SqlClient, sql))
    // Ignored where the file system has no modes: its owner alone can enter the data dir, where that can be had at all.
    if (filename !== ":memory:") yield* Effect.ignore(Effect.try(() => chmodSync(filename, 0o600)))
    // Both take effect only before WAL is on and before there is a table.
    yield* sql.unsafe(`PRAGMA page_size = ${pageBytes}`)
    yield* sql.unsafe("PRAGMA auto_vacuum = INCREMENTAL")
    yield* sql.unsafe("PRAGMA journal_mode = WAL")
    yield* sql.unsafe("PRAGMA synchronous = NORMAL")
    yield* sql.unsafe("PRAGMA foreign_keys = ON")
    yield* sql.unsafe(`PRAGMA wal_autocheckpoint = ${checkpointPages}`)
    yield* sql.unsafe(`PRAGMA journal_size_limit = ${mostWalBytes}`)
    yield* Migrator.make({})({ loader: Migrator.fromRecord(migrations), table: migrationsTable }).pipe(
      Effect.provideService(SqlClient.SqlClient, sql),
      Effect.provideService(SqlClient.BeginTransaction, "BEGIN IMMEDIATE")
    )
    yield* sql.unsafe(`PRAGMA busy_timeout = ${busyTimeoutMillis}`)
    return sql
  },
  Effect.provide(Reactivity.layer),
  // The SQL client throws where it should fail.
  Effect.catchDefect((cause) => Effect.fail(cause)),
  closedOnFailure,
  Effect.retry({ schedule: openingRetry, while: isLocked }),
  (connection, filename) => Effect.mapError(connection, (cause) => unusable(filename, cause))
)

/** Fails on a database that is not a ledger, or was written by a newer Troupe, without changing it. */
const refuseForeign = Effect.fnUntraced(function* (filename: string) {
  const sql = yield* SqlClient.SqlClient
  const tables = yield* sql.unsafe<{ readonly name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'")
  if (tables.length === 0) return
  if (!tables.some(({ name }) => name === migrationsTable)) {
    return yield* new LedgerUnusable({
      location: filename,
      problem: "is another program's SQLite database",
      remedy: "Point TROUPE_DATA_DIR at a directory of Troupe's own."
    })
  }
  const [row] = yield* sql.unsafe<{ readonly version: number | null }>(
    `SELECT max(migration_id) AS version FROM ${migrationsTable}`
  )
  const version = row?.version ?? 0
  if (version > latestVersion && !(yield* isUsable(sql, tables))) {
    return yield* new LedgerUnusable({
      location: filename,
      problem: `has schema version ${version}, and this Troupe knows versions up to ${latestVersion}`,
      remedy: "Start a newer Troupe, or point TROUPE_DATA_DIR at another directory. Nothing was changed."
    })
  }
})

/** Whether this Troupe can work on a newer schema. */
const isUsable = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  tables: ReadonlyArray<{ readonly name: string }>
) {
  if (!tables.some(({ name }) => name === "schema_use")) return false
  const [use] = yield* sql.unsafe<{ readonly from: number }>(`SELECT usable_from AS "from" FROM schema_use`)
  return use !== undefined && use.from <= latestVersion
})

const unusable = (filename: string, cause: unknown): LedgerUnusable => {
  if (cause instanceof LedgerUnusable) return cause
  const reason = reasonOf(cause)
  return /not a database|malformed/.test(reason)
    ? new LedgerUnusable({
        location: filename,
        problem: `is no SQLite database, or a damaged one (${reason})`,
        remedy: "Restore it from a backup, or move it away and start again with an empty one.",
        cause
      })
    : new LedgerUnusable({
        location: filename,
        problem: `could not be opened (${reason})`,
        remedy:
          "Check that its directory exists, is writable for this user and has room, and that nothing keeps the file locked.",
        cause
      })
}
