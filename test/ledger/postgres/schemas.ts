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
