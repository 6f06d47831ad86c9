/**
 * Whether a COMMIT that was answered is on the server's disk. With `synchronous_commit = off` it is some hundred
 * milliseconds later: a server that crashes meanwhile forgets what Troupe has acknowledged, and a prompt that an agent has
 * would be handed over again.
 */
import type { PgConnection } from "@effect/sql-pg/PgConnection"
import { Effect } from "effect"
import { LedgerError, LedgerUnusable } from "../LedgerError.ts"

/** Where a setting was made, by `pg_settings.source`. Any other is the server's own. */
const places: Readonly<Record<string, string>> = {
  client: "in the options of TROUPE_DATABASE_URL",
  user: "for the user (ALTER ROLE … RESET synchronous_commit)",
  database: "for the database (ALTER DATABASE … RESET synchronous_commit)",
  "database user": "for the user in this database (ALTER ROLE … IN DATABASE … RESET synchronous_commit)"
}
const ofServer = "in the server's configuration (ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf())"

/** Where commits of this session were set to be answered early; `null`: they are not. */
const lossyPlace = (connection: PgConnection) =>
  Effect.map(
    connection.query("SELECT setting, source FROM pg_settings WHERE name = 'synchronous_commit'", [], false),
    ({ rows: [row] }) => (row?.["setting"] === "off" ? (places[String(row["source"])] ?? ofServer) : null)
  )

/** Before anything is changed in the database. */
export const refuseLossy = Effect.fnUntraced(function* (connection: PgConnection, location: string) {
  const place = yield* lossyPlace(connection)
  if (place === null) return
  return yield* new LedgerUnusable({
    location,
    problem: "has synchronous_commit = off, with which a crash of its server loses what Troupe has acknowledged",
    remedy: `Turn it on ${place}. Nothing was changed.`
  })
})

/** In a session that takes the place of a lost one, perhaps on another server: commits are held until it is set right. */
export const holdWhileLossy = Effect.fnUntraced(function* (connection: PgConnection) {
  const place = yield* lossyPlace(connection)
  if (place === null) return
  const cause = `the server has synchronous_commit = off; turn it on ${place}`
  return yield* new LedgerError({ operation: "reach the database", cause, kind: "unreachable" })
})
