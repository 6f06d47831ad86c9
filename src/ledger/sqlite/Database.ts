/**
 * The SQLite file behind the ledger: opens it, brings its tables up to date, and runs statements one caller at a time.
 *
 * One connection runs every statement, and a transaction runs within one call: nothing else of this process can read rows
 * in between that are then rolled back.
 */
import { Effect, Exit, Option, Schedule, Scope } from "effect"
import { chmodSync, closeSync, existsSync, openSync } from "node:fs"
import { LedgerError, LedgerUnusable, reasonOf } from "../LedgerError.ts"
import { NoRow, unreadable } from "../sql/Database.ts"
import type { Database, SqlValue, Write } from "../sql/Database.ts"
import * as Checkpoints from "./Checkpoints.ts"
import { Connection } from "./Connection.ts"
import { sqliteDialect } from "./sqliteDialect.ts"
import { failedTo, isLocked } from "./errors.ts"
import { migrate, refuseForeign } from "./migrate.ts"

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

/** A larger WAL is truncated to this after a checkpoint. */
const mostWalBytes = 64 * 1024 * 1024

/**
 * For pages in memory, as they are needed: each that is not there is a read of the file. SQLite's default, 2 MB, is less than
 * ten sessions at work write to. More than this costs each commit that splits a page a walk over all of them (decision 0063).
 */
const cacheKibibytes = 8 * 1024

export const open = Effect.fn("Ledger.open")(function* (
  filename: string
): Effect.fn.Return<Database, LedgerUnusable, Scope.Scope> {
  yield* createPrivate(filename)
  const connection = yield* connect(filename)
  const checkpoints = isInMemory(filename) ? Checkpoints.none : yield* Checkpoints.make(filename, connection)

  const transaction = (operation: string, statements: ReadonlyArray<Write>): number => {
    let running: Write | undefined
    try {
      failIfRemoved(filename)
      connection.run("BEGIN IMMEDIATE", [])
      let returned = 0
      for (running of statements) {
        const rows = connection.count(running.text, running.params)
        if (running.failIfNoRow !== undefined && rows === 0) throw new NoRow(running)
        returned += rows
      }
      running = undefined
      connection.run("COMMIT", [])
      return returned
    } catch (cause) {
      // Of BEGIN, too: one that took place and failed would have each one after it fail, within a transaction.
      rollback()
      throw failedTo(running?.operation ?? operation)(cause)
    }
  }
  // After some failures (disk full, I/O) SQLite has rolled back by itself, and there is no transaction to end.
  const rollback = () => {
    try {
      connection.run("ROLLBACK", [])
    } catch {}
  }

  return {
    dialect: sqliteDialect,
    // A statement answers within the call.
    settled: Effect.void,
    all: <Row, A>(operation: string, text: string, params: ReadonlyArray<SqlValue>, decode: (row: Row) => A) =>
      whileLocked(() => {
        const rows = attempt(failedTo(operation), () => connection.run(text, params) as ReadonlyArray<Row>)
        return attempt(unreadable(operation), () => rows.map(decode))
      }),
    commit: (operation, statements) =>
      whileLocked(() => {
        const returned = transaction(operation, statements)
        checkpoints.committed(statements.length)
        return returned
      })
  }
})

const attempt = <A>(failed: (cause: unknown) => LedgerError, make: () => A): A => {
  try {
    return make()
  } catch (cause) {
    throw failed(cause)
  }
}

/** Calls what throws a `LedgerError` where it fails, and again while another process has the file locked. */
const whileLocked = <A>(call: () => A): Effect.Effect<A, LedgerError> => {
  const once = (): Exit.Exit<A, LedgerError> => {
    try {
      return Exit.succeed(call())
    } catch (cause) {
      return cause instanceof LedgerError ? Exit.fail(cause) : Exit.die(cause)
    }
  }
  return Effect.suspend(() => {
    const exit = once()
    return Option.exists(Exit.findErrorOption(exit), isLocked)
      ? Effect.retry(Effect.suspend(once), { schedule: busyRetry, while: isLocked })
      : exit
  })
}

/**
 * A file that was removed, alone or with its directory, takes every commit as before and loses all of them when this
 * process ends. SQLite does not notice. It may come back: it was moved, or its file system is mounted again.
 */
const failIfRemoved = (filename: string): void => {
  if (isInMemory(filename) || existsSync(filename)) return
  throw new LedgerError({
    operation: "write",
    cause: `its file ${filename} is gone, moved or removed; put it back, or restore it and start Troupe again`,
    kind: "unreachable"
  })
}

/**
 * Creates the file, readable by its user only, before SQLite would: its WAL and shared-memory files get the same mode.
 */
const createPrivate = (filename: string) =>
  isInMemory(filename)
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
    const connection = yield* Effect.acquireRelease(
      Effect.sync(() => new Connection(filename)),
      (connection) => Effect.sync(() => connection.close())
    )
    connection.run(`PRAGMA busy_timeout = ${openingTimeoutMillis}`, [])
    refuseForeign(connection, filename)
    // Ignored where the file system has no modes: its owner alone can enter the data dir, where that can be had at all.
    if (!isInMemory(filename)) yield* Effect.ignore(Effect.try(() => chmodSync(filename, 0o600)))
    for (const pragma of pragmas) connection.run(pragma, [])
    yield* migrate(connection)
    connection.run(`PRAGMA busy_timeout = ${busyTimeoutMillis}`, [])
    return connection
  },
  // SQLite throws.
  Effect.catchDefect((cause) => Effect.fail(cause)),
  closedOnFailure,
  Effect.retry({ schedule: openingRetry, while: isLocked }),
  (connection, filename) => Effect.mapError(connection, (cause) => unusable(filename, cause))
)

const isInMemory = (filename: string) => filename === ":memory:"

const pragmas = [
  // Both take effect only before WAL is on and before there is a table.
  `PRAGMA page_size = ${pageBytes}`,
  "PRAGMA auto_vacuum = INCREMENTAL",
  // After the busy timeout: another process may be doing the same.
  "PRAGMA journal_mode = WAL",
  "PRAGMA synchronous = NORMAL",
  "PRAGMA foreign_keys = ON",
  `PRAGMA cache_size = -${cacheKibibytes}`,
  `PRAGMA journal_size_limit = ${mostWalBytes}`
]

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
