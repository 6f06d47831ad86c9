/** Brings the tables of a ledger's file up to date, by Effect's migrator, one process at a time and in one transaction. */
import { Effect, Stream } from "effect"
import { Reactivity } from "effect/reactivity"
import { Migrator, SqlClient, SqlError, Statement } from "effect/sql"
import type { SqlConnection } from "effect/sql"
import { LedgerUnusable } from "../LedgerError.ts"
import type { SqlValue } from "../sql/Database.ts"
import type { Connection } from "./Connection.ts"
import { latestVersion, migrations, migrationsTable } from "./migrations.ts"

/** Fails on a database that is not a ledger, or was written by a newer Troupe, without changing it. */
export const refuseForeign = (connection: Connection, filename: string): void => {
  const tables = connection.run("SELECT name FROM sqlite_schema WHERE type = 'table'", []) as ReadonlyArray<Table>
  if (tables.length === 0) return
  if (!tables.some(({ name }) => name === migrationsTable)) {
    throw new LedgerUnusable({
      location: filename,
      problem: "is another program's SQLite database",
      remedy: "Point TROUPE_DATA_DIR at a directory of Troupe's own."
    })
  }
  const [row] = connection.run(`SELECT max(migration_id) AS version FROM ${migrationsTable}`, []) as ReadonlyArray<{
    readonly version: number | null
  }>
  const version = row?.version ?? 0
  if (version <= latestVersion || isUsable(connection, tables)) return
  throw new LedgerUnusable({
    location: filename,
    problem: `has schema version ${version}, and this Troupe knows versions up to ${latestVersion}`,
    remedy: "Start a newer Troupe, or point TROUPE_DATA_DIR at another directory. Nothing was changed."
  })
}

interface Table {
  readonly name: string
}

/** Whether this Troupe can work on a newer schema. */
const isUsable = (connection: Connection, tables: ReadonlyArray<Table>): boolean => {
  if (!tables.some(({ name }) => name === "schema_use")) return false
  const rows = connection.run(`SELECT usable_from AS "from" FROM schema_use`, []) as ReadonlyArray<{
    readonly from: number
  }>
  return rows[0] !== undefined && rows[0].from <= latestVersion
}

export const migrate = (connection: Connection, to: Readonly<Record<string, Migration>> = migrations) =>
  Migrator.make({})({ loader: Migrator.fromRecord(to), table: migrationsTable }).pipe(
    Effect.provideServiceEffect(SqlClient.SqlClient, clientOf(connection)),
    Effect.provide(Reactivity.layer),
    Effect.scoped
  )

type Migration = (typeof migrations)[keyof typeof migrations]

/** The client that migrations take. None of them reads a stream. */
const clientOf = (connection: Connection) => {
  const execute = (text: string, params: ReadonlyArray<unknown> = []) =>
    Effect.try({
      try: () => connection.runOnce(text, params as ReadonlyArray<SqlValue>),
      catch: (cause) =>
        new SqlError.SqlError({ reason: new SqlError.UnknownError({ cause, message: "Failed", operation: "execute" }) })
    })
  const values = (text: string, params: ReadonlyArray<unknown>) =>
    Effect.map(execute(text, params), (rows) => rows.map((row) => Object.values(row as object)))
  const lent: SqlConnection.Connection = {
    execute,
    executeRaw: execute,
    executeUnprepared: execute,
    executeValues: values,
    executeValuesUnprepared: values,
    executeStream: () => Stream.die("The ledger's migrations read no stream.")
  }
  return SqlClient.make({
    acquirer: Effect.succeed(lent),
    compiler: Statement.makeCompilerSqlite(),
    driver: "node:sqlite",
    beginTransaction: "BEGIN IMMEDIATE",
    spanAttributes: []
  })
}
