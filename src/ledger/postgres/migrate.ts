/** Brings the schema up to date, one Troupe at a time, in one transaction. */
import type { PgConnection } from "@effect/sql-pg/PgConnection"
import { Effect } from "effect"
import { LedgerUnusable } from "../LedgerError.ts"
import { postgresDialect } from "./postgresDialect.ts"
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
    if (before > 0 && before < latestVersion) yield* refuseBesideOlder(run, location)
    yield* run("COMMIT")
    return Math.max(before, latestVersion)
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
  if (version > latestVersion && !(yield* isUsable(run, tables.rows))) {
    return yield* new LedgerUnusable({
      location,
      problem: `has schema version ${version}, and this Troupe knows versions up to ${latestVersion}`,
      remedy: "Start a newer Troupe, or use another database. Nothing was changed."
    })
  }
  return version
})

/** Whether this Troupe can work on a newer schema. */
const isUsable = Effect.fnUntraced(function* (run: Run, tables: ReadonlyArray<Readonly<Record<string, unknown>>>) {
  if (!tables.some(({ name }) => name === "schema_use")) return false
  const { rows } = yield* run("SELECT usable_from FROM schema_use")
  return Number(rows[0]?.["usable_from"] ?? Number.POSITIVE_INFINITY) <= latestVersion
})

/** A migration that takes away what older programs use must not take it from below those that run. */
const refuseBesideOlder = Effect.fnUntraced(function* (run: Run, location: string) {
  const { rows } = yield* run(`SELECT name FROM nodes
    WHERE (lease_until IS NULL OR lease_until > ${postgresDialect.now})
      AND coalesce(schema_version, 0) < (SELECT usable_from FROM schema_use) ORDER BY name`)
  if (rows.length === 0) return
  return yield* new LedgerUnusable({
    location,
    problem: `needs a change of its schema on which its running nodes could not go on: ${rows.map(({ name }) => name).join(", ")}`,
    remedy: "End them first, or have them run a version in between. Nothing was changed."
  })
})
