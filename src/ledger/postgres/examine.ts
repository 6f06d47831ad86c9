/** Looks at a PostgreSQL database as an operator would: what it does for Troupe, and how fast. It changes nothing in it. */
import type { PgConnection } from "@effect/sql-pg/PgConnection"
import { Clock, Effect, Option, Queue } from "effect"
import type { Redacted } from "effect"
import { randomUUID } from "node:crypto"
import type { NodeRecord } from "../LedgerWrite.ts"
import * as Client from "./client.ts"
import { unusable } from "./unusable.ts"
import { difference } from "./clock.ts"
import type { ClockDifference } from "./clockDifference.ts"
import { latestVersion, migrationsTable } from "./migrations.ts"

export interface DatabaseFacts {
  /** Without a password. */
  readonly location: string
  readonly serverVersion: string
  /** As `server_version_num`: 180000 is version 18. */
  readonly versionNumber: number
  /** Medians. */
  readonly roundTripMillis: number
  readonly commitMillis: number
  readonly clock: ClockDifference
  /** Until a notification came; `null`: it did not. */
  readonly notifyMillis: number | null
  /** Two sessions are two on the server, and a session keeps its locks between transactions. */
  readonly hasSessions: boolean
  readonly settings: Readonly<Record<(typeof settingNames)[number], string>>
  /** It takes no writes: a standby. */
  readonly isStandby: boolean
  /** Connections that others than Troupe have now. */
  readonly otherConnections: number
  /** `null`: it has no schema of Troupe's yet. */
  readonly schemaVersion: number | null
  readonly latestVersion: number
  /** Those that live, with the database's time. Empty where the schema is an older or newer one. */
  readonly nodes: ReadonlyArray<Pick<NodeRecord, "name" | "url" | "version" | "leaseUntil" | "draining">>
  readonly at: number
}

const settingNames = [
  "synchronous_commit",
  "fsync",
  "full_page_writes",
  "max_connections",
  "superuser_reserved_connections"
] as const

const times = 20
const notifiedWithin = "3 seconds"

const median = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const timed = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const before = yield* Clock.currentTimeNanos
    yield* effect
    return Number((yield* Clock.currentTimeNanos) - before) / 1_000_000
  })

const medianOf = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.map(
    Effect.forEach(Array.from({ length: times }), () => timed(effect)),
    median
  )

/** How long a notification takes from one session to the other. */
const notified = Effect.fnUntraced(
  function* (listening: PgConnection, telling: PgConnection) {
    const channel = `troupe_doctor_${randomUUID().replaceAll("-", "")}`
    const pinned = yield* listening.pin
    const heard = yield* pinned.listen(channel)
    const before = yield* Clock.currentTimeMillis
    yield* telling.query("SELECT pg_notify($1, '')", [channel], false)
    const first = yield* Effect.timeoutOption(Queue.take(heard), notifiedWithin)
    return Option.isNone(first) ? null : (yield* Clock.currentTimeMillis) - before
  },
  Effect.scoped,
  Effect.orElseSucceed(() => null)
)

/** A pooler in transaction mode gives both sessions the same one of the server's, as each has ended its transaction. */
const sessionsOf = Effect.fnUntraced(function* (one: PgConnection, other: PgConnection) {
  const pid = (connection: PgConnection) =>
    Effect.map(connection.query("SELECT pg_backend_pid() AS pid", [], false), ({ rows }) => Number(rows[0]?.["pid"]))
  const lock = String(Math.floor(Math.random() * 2 ** 31))
  yield* one.query("SELECT pg_advisory_lock(845330219, $1::int)", [lock], false)
  const [first, second, again] = [yield* pid(one), yield* pid(other), yield* pid(one)]
  const { rows } = yield* one.query("SELECT pg_advisory_unlock(845330219, $1::int) AS held", [lock], false)
  return first !== second && first === again && rows[0]?.["held"] === true
})

const schemaOf = Effect.fnUntraced(function* (connection: PgConnection) {
  const { rows: tables } = yield* connection.query(
    "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1",
    [migrationsTable],
    false
  )
  if (tables.length === 0) return null
  const { rows } = yield* connection.query(
    `SELECT coalesce(max(migration_id), 0)::int AS version FROM ${migrationsTable}`,
    [],
    false
  )
  return Number(rows[0]?.["version"])
})

const nodesOf = (connection: PgConnection) =>
  Effect.map(
    connection.query(
      `SELECT name, url, version, lease_until::float8 AS lease_until, draining::int AS draining FROM nodes
        WHERE lease_until IS NULL OR lease_until > extract(epoch FROM clock_timestamp()) * 1000 ORDER BY joined_at`,
      [],
      false
    ),
    ({ rows }) =>
      rows.map((row) => ({
        name: String(row["name"]),
        url: row["url"] === null ? null : String(row["url"]),
        version: String(row["version"]),
        leaseUntil: row["lease_until"] === null ? null : Number(row["lease_until"]),
        draining: row["draining"] === 1
      }))
  )

export const examine = Effect.fn("Ledger.examine")(function* (url: Redacted.Redacted<string>) {
  const location = Client.locationOf(url)
  const client = yield* Client.load(location)
  return yield* Effect.gen(function* () {
    const config = Client.configOf(client, url)
    const connection = yield* client.connection.make(config)
    const other = yield* client.connection.make(config)
    const run = (text: string) => Effect.map(connection.query(text, [], false), ({ rows }) => rows)
    const hasSessions = yield* sessionsOf(connection, other)
    const settings = yield* run(
      `SELECT name, setting FROM pg_settings WHERE name IN (${settingNames.map((name) => `'${name}'`).join()})`
    )
    const [server] = yield* run(
      `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
        pg_is_in_recovery() AS standby, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS at`
    )
    const [others] = yield* run(
      `SELECT count(*)::int AS n FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND coalesce(application_name, '') NOT LIKE 'troupe%'`
    )
    const isStandby = server?.["standby"] === true
    const schemaVersion = yield* schemaOf(connection)
    const facts: DatabaseFacts = {
      location,
      serverVersion: String(server?.["version"]),
      versionNumber: Number(server?.["number"]),
      roundTripMillis: yield* medianOf(run("SELECT 1")),
      // It writes to the server's log and to no table, and its commit waits for the disk as any other.
      commitMillis: isStandby
        ? 0
        : yield* medianOf(run("SELECT pg_logical_emit_message(true, 'troupe', 'doctor')::text")),
      clock: yield* difference(connection),
      notifyMillis: isStandby ? null : yield* notified(connection, other),
      hasSessions,
      settings: Object.fromEntries(
        settings.map((row) => [String(row["name"]), String(row["setting"])])
      ) as DatabaseFacts["settings"],
      isStandby,
      otherConnections: Number(others?.["n"]),
      schemaVersion,
      latestVersion,
      nodes: schemaVersion === latestVersion ? yield* nodesOf(connection) : [],
      at: Number(server?.["at"])
    }
    return facts
  }).pipe(
    Effect.scoped,
    Effect.mapError((cause) => unusable(location, cause))
  )
})
