/**
 * The PostgreSQL database behind the ledger. One session writes: a commit is sent whole, without waiting for the answer to
 * any of its statements, and the server rolls it back where one fails. A few others read.
 */
import type { PgConnection } from "@effect/sql-pg/PgConnection"
import { Effect, Exit, Scope, Semaphore } from "effect"
import type { Redacted } from "effect"
import { LedgerError } from "../LedgerError.ts"
import type { LedgerUnusable } from "../LedgerError.ts"
import { unreadable } from "../sql/Database.ts"
import type { Database } from "../sql/Database.ts"
import type { Announcements } from "../Announcements.ts"
import { make as makeAnnouncements } from "./announcements.ts"
import * as Client from "./client.ts"
import { holdWhileLossy, refuseLossy } from "./durability.ts"
import { failedTo } from "./errors.ts"
import { migrate } from "./migrate.ts"
import * as Ownership from "./Ownership.ts"
import { postgresDialect } from "./postgresDialect.ts"
import { queryOf, writeOf } from "./statements.ts"
import type { Sent } from "./statements.ts"
import { refuseOff } from "./clock.ts"
import { unusable } from "./unusable.ts"

export type Works = "alone" | "together" | "beside"

export interface PostgresOptions {
  readonly url: Redacted.Redacted<string>
  /**
   * `alone`: works on sessions, as the only Troupe; `together`: beside others that do the same; `beside`: stores single
   * records while others work.
   */
  readonly works: Works
}

export interface PostgresDatabase extends Database {
  readonly announcements: Announcements
}

/** Sessions that read. One that searches keeps no other reader waiting. */
const readers = 4
/** A commit whose answer does not come is taken for lost, and looked up in another session. */
const answerTimeout = "40 seconds"

const begin: Sent = { text: "BEGIN", params: [] }
const end: Sent = { text: "COMMIT", params: [] }

export const open = Effect.fn("Ledger.open")(function* ({
  url,
  works
}: PostgresOptions): Effect.fn.Return<PostgresDatabase, LedgerUnusable, Scope.Scope> {
  const location = Client.locationOf(url)
  const client = yield* Client.load(location)
  const config = Client.configOf(client, url)
  const orUnusable = Effect.mapError((cause: unknown) => unusable(location, cause))
  yield* Effect.scoped(
    Effect.gen(function* () {
      const connection = yield* client.connection.make(config)
      if (works !== "beside") yield* refuseLossy(connection, location)
      if (works === "together") yield* refuseOff(connection, location)
      yield* migrate(connection, location)
    })
  ).pipe(orUnusable)
  const ownership = works === "beside" ? null : Ownership.make(works)
  const writer = writerOf(
    Effect.tap(client.connection.make({ ...config, multiplex: true }), (connection) =>
      ownership === null ? Effect.void : Effect.andThen(holdWhileLossy(connection), ownership.hold(connection))
    )
  )
  yield* Effect.addFinalizer(() => writer.close)
  // At once, and not with the first commit: whoever does not own the database must not start.
  yield* orUnusable(writer.connection)
  const pool = yield* orUnusable(client.pool.make({ ...config, maxConnections: readers }))
  const mutex = yield* Semaphore.make(1)

  return {
    announcements: yield* makeAnnouncements({
      connect: client.connection.make(config),
      query: (text, params) => pool.use((connection) => connection.query(text, params))
    }),
    dialect: postgresDialect,
    // A new session has the lock of the database when the one before has ended on the server, with all that it was sent.
    settled: writer.connection.pipe(Effect.mapError(failedTo("reach the database")), Effect.asVoid, mutex.withPermit),
    all: (operation, text, params, decode) => {
      const query = queryOf(text, params)
      return pool
        .use((connection) => connection.query(query.text, query.params))
        .pipe(
          Effect.mapError(failedTo(operation)),
          Effect.flatMap(({ rows }) =>
            Effect.try({ try: () => rows.map((row) => decode(row as never)), catch: unreadable(operation) })
          )
        )
    },
    commit: (operation, statements) =>
      Effect.gen(function* () {
        const connection = yield* Effect.mapError(writer.connection, failedTo(operation))
        const sent = [begin, ...statements.map(writeOf), end]
        // Each is queued before the first is sent, so that all of them go in one write, in this order.
        const exits = yield* Effect.forEach(sent, ({ params, text }) => Effect.exit(connection.query(text, params)), {
          concurrency: "unbounded"
        }).pipe(Effect.timeoutOrElse({ duration: answerTimeout, orElse: () => Effect.fail(noAnswer(operation)) }))
        let returned = 0
        for (const [nth, exit] of exits.entries()) {
          const named = failedTo(statements[nth - 1]?.operation ?? operation)
          const { command, rows } = yield* Effect.mapError(exit, named)
          if (nth === exits.length - 1 && command !== "COMMIT") return yield* named(new Error("it was rolled back"))
          returned += nth === 0 || nth === exits.length - 1 ? 0 : rows.length
        }
        return returned
      }).pipe(
        Effect.tapError((error) => (error.kind === "unreachable" ? writer.close : Effect.void)),
        Effect.uninterruptible,
        mutex.withPermit
      )
  }
})

/** Brings the schema up to date, whether or not a Troupe works on the database. */
export const migrateOnly = Effect.fn("Ledger.migrate")(function* (url: Redacted.Redacted<string>) {
  const location = Client.locationOf(url)
  const client = yield* Client.load(location)
  return yield* client.connection.make(Client.configOf(client, url)).pipe(
    Effect.flatMap((connection) => migrate(connection, location)),
    Effect.scoped,
    Effect.mapError((cause) => unusable(location, cause))
  )
})

const noAnswer = (operation: string) =>
  new LedgerError({ operation, cause: "the server does not answer", kind: "unreachable" })

/** One session, opened when it is needed and after it was lost. Callers take turns. */
const writerOf = (make: Effect.Effect<PgConnection, unknown, Scope.Scope>) => {
  let current: { readonly connection: PgConnection; readonly scope: Scope.Closeable } | null = null
  const close = Effect.suspend(() => {
    const closing = current
    current = null
    return closing === null ? Effect.void : Scope.close(closing.scope, Exit.void)
  })
  const connection = Effect.suspend(() => {
    if (current !== null) return Effect.succeed(current.connection)
    return Effect.gen(function* () {
      const scope = yield* Scope.make()
      const made = yield* make.pipe(
        Scope.provide(scope),
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
      current = { connection: made, scope }
      return made
    })
  })
  return { connection, close }
}
