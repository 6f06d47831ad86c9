/** A schema of its own for each test, in the database of the tests' server. */
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { Effect, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import { inject } from "vitest"

/** `null` where no PostgreSQL can be had. */
export const server = inject("postgres")

/** Runs a statement as another program would. */
export const query = (url: string, text: string) =>
  PgConnection.make({ url: Redacted.make(url) }).pipe(
    Effect.flatMap((connection) => connection.query(text, [], false)),
    Effect.scoped,
    Effect.orDie
  )

/** The name in the address of a schema. */
export const schemaOf = (url: string) => /search_path%3D(\w+)/.exec(url)?.[1] ?? ""

/** Ends the connections on which Troupes listen on the schema; how many. */
export const cutListeners = (url: string) =>
  Effect.map(
    query(
      url,
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE application_name = 'troupe on troupe_' || md5('${schemaOf(url)}')`
    ),
    ({ rows }) => rows.length
  )

/** The address of an empty schema, which is removed with the scope. */
export const emptySchema = Effect.acquireRelease(
  Effect.gen(function* () {
    const name = `test_${randomBytes(6).toString("hex")}`
    const url = server?.url ?? ""
    yield* query(url, `CREATE SCHEMA ${name}`)
    return { name, url: `${url}?options=${encodeURIComponent(`-csearch_path=${name}`)}` }
  }),
  ({ name }) => query(server?.url ?? "", `DROP SCHEMA ${name} CASCADE`)
).pipe(Effect.map(({ url }) => url))
