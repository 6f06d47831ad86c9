/** Brings the schema up to date, one Troupe at a time, in one transaction. */
import type { PgConnection } from "@effect/sql-pg/PgConnection"
import { Effect } from "effect"
import { LedgerUnusable } from "../LedgerError.ts"
import { latestVersion, migrations, migrationsTable } from "./migrations.ts"

/** A number of Troupe's own among the advisory locks of a database; the second one is that of the schema. */
const migrating = "pg_advisory_xact_lock(845330217, hashtext(current_schema()))"

/** The version of the schema then. Fails on a newer schema, and on tables of another program, without changing them. */
export const migrate = (connection: PgConnection, location: string) => {
  const run = (text: string, params: ReadonlyArray<string> = []) => connection.query(text, params, false)
  return Effect.gen(function* () {
    yield* run("BEGIN")
    // A migration may take longer than any other statement.
    yield* run("SET LOCAL statement_timeout = 0")
    yield* run(`SELECT ${migrating}`)
    const before = yield* versionOf(run, location)
    if (before === 0) {
      yield* run(`CREATE TABLE IF NOT EXISTS ${migrationsTable} (
        migration_id bigint PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now())`)
    }
    for (const [nth, statements] of migrations.entries()) {
      if (nth < before) continue
      for (const statement of statements) yield* run(statement)
      yield* run(`INSERT INTO ${migrationsTable} (migration_id) VALUES ($1)`, [String(nth + 1)])
    }
    yield* run("COMMIT")
    return latestVersion
  }).pipe(Effect.onError(() => Effect.ignore(run("ROLLBACK"))))
}

type Run = (text: string) => ReturnType<PgConnection["query"]>

const versionOf = Effect.fnUntraced(function* (run: Run, location: string) {
  const tables = yield* run("SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()")
  if (tables.rows.length === 0) return 0
  if (!tables.rows.some(({ name }) => name === migrationsTable)) {
    return yield* new LedgerUnusable({
      location,
      problem: "has another program's tables",
      remedy: "Point TROUPE_DATABASE_URL at a database of Troupe's own. Nothing was changed."
    })
  }
  const { rows } = yield* run(`SELECT coalesce(max(migration_id), 0) AS version FROM ${migrationsTable}`)
  const version = Number(rows[0]?.["version"])
  if (version > latestVersion) {
    return yield* new LedgerUnusable({
      location,
      problem: `has schema version ${version}, and this Troupe knows versions up to ${latestVersion}`,
      remedy: "Start a newer Troupe, or use another database. Nothing was changed."
    })
  }
  return version
})
