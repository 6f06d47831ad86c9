/** What is PostgreSQL's own: one Troupe at a time, sessions of the server that end, migrations of several at once. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Fiber, Layer, Redacted, Scope } from "effect"
import { randomBytes } from "node:crypto"
import { AppName } from "../../../src/domain/Ids.ts"
import { Ledger } from "../../../src/ledger/Ledger.ts"
import * as PostgresLedger from "../../../src/ledger/PostgresLedger.ts"
import { latestVersion } from "../../../src/ledger/postgres/migrations.ts"
import { event, eventAppended, id, opened } from "../samples.ts"
import { emptySchema, query, schemaOf, server } from "./schemas.ts"

const layer = (url: string, options?: PostgresLedger.PostgresLedgerOptions) =>
  PostgresLedger.layer(Redacted.make(url), options)

/** A ledger that is open until its scope is closed. */
const openIn = (scope: Scope.Scope, url: string, options?: PostgresLedger.PostgresLedgerOptions) =>
  Effect.map(Layer.buildWithScope(layer(url, options), scope), (built) => Context.get(built, Ledger))

/** Ends the session by which the schema's owner writes, as a restart of the server or a cut connection does. */
const cutWriter = (url: string) =>
  query(
    url,
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND classid = 845330218
      AND objid::bigint = (hashtext('${schemaOf(url)}')::bigint & 4294967295) AND granted`
  )

const refusal = (url: string, works: "alone" | "together" | "beside" = "alone") =>
  Effect.map(
    Effect.exit(Effect.scoped(Ledger.use(({ ping }) => ping).pipe(Effect.provide(layer(url, { works }))))),
    (exit) =>
      Exit.isFailure(exit)
        ? Cause.prettyErrors(exit.cause)
            .map(({ message }) => message)
            .join()
        : "it opens"
  )

/** A user of the server who may do everything in the schema, and its address of the schema. */
const userOf = (url: string) =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const name = `user_${randomBytes(6).toString("hex")}`
      const address = new URL(url)
      address.username = name
      address.password = randomBytes(16).toString("hex")
      yield* query(url, `CREATE ROLE ${name} LOGIN PASSWORD '${address.password}'`)
      yield* query(url, `GRANT ALL ON SCHEMA ${schemaOf(url)} TO ${name}`)
      return { name, url: String(address) }
    }),
    ({ name }) => Effect.andThen(query(url, `DROP OWNED BY ${name}`), query(url, `DROP ROLE ${name}`))
  )

/** The number of the migration that older programs can't work beside; those behind it are undone with it. */
const eventRows = 9

const seqs = (ledger: Ledger["Service"]) =>
  Effect.map(ledger.events(id, 0, 100), (events) => events.map(({ seq }) => seq))

describe.skipIf(server === null)("a ledger in PostgreSQL", () => {
  it.live("is held by one Troupe; a program beside it stores single records", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const first = yield* Scope.make()
      yield* openIn(first, url)
      assert.match(yield* refusal(url), /postgres:\/\/troupe@127.+ is held by another Troupe\. One Troupe works on/)
      yield* Ledger.use((ledger) =>
        ledger.write([{ _tag: "AppInserted", name: AppName.make("desk"), at: 1, tokenHash: "0".repeat(64) }])
      ).pipe(Effect.provide(layer(url, { works: "beside" })))
      yield* Scope.close(first, Exit.void)
      assert.strictEqual(yield* refusal(url), "it opens")
    }).pipe(Effect.scoped)
  )

  it.live("goes on when its session ended, and stores once what was to be written", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const ledger = yield* openIn(yield* Effect.scope, url)
      yield* ledger.write([opened()])
      for (const n of [1, 2, 3]) {
        assert.strictEqual((yield* cutWriter(url)).rows.length, 1)
        yield* ledger.writeLater([eventAppended(2 * n - 1)])
        yield* ledger.write([eventAppended(2 * n)])
      }
      assert.deepStrictEqual(yield* seqs(ledger), [1, 2, 3, 4, 5, 6])
      assert.isNull(ledger.away())
    }).pipe(Effect.scoped)
  )

  it.live("loses nothing and repeats nothing where its session is ended at any moment of a commit", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const ledger = yield* openIn(yield* Effect.scope, url)
      yield* ledger.write([opened()])
      const cutting = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 10 }), () => Effect.andThen(Effect.sleep("60 millis"), cutWriter(url)))
      )
      let written = 0
      while (cutting.pollUnsafe() === undefined) {
        // Numbers are unique: a commit that is repeated would fail.
        yield* ledger.write([eventAppended(++written)])
      }
      yield* Fiber.join(cutting)
      assert.isAbove(written, 20)
      assert.deepStrictEqual(
        (yield* ledger.events(id, 0, written + 1)).map(({ seq }) => seq),
        Array.from({ length: written }, (_, n) => n + 1)
      )
    }).pipe(Effect.scoped)
  )

  it.live("is not written by a Troupe whose session ended while another worked on it", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const old = yield* openIn(yield* Effect.scope, url)
      yield* old.write([opened()])
      yield* cutWriter(url)
      const other = yield* Scope.make()
      const ledger = yield* openIn(other, url)
      yield* ledger.write([eventAppended(1)])
      const late = yield* Effect.forkChild(Effect.flip(old.write([eventAppended(2)])))
      yield* Effect.repeat(Effect.andThen(Effect.sleep("5 millis"), Effect.sync(old.away)), {
        until: (away) => away?.kind === "busy"
      })
      yield* Scope.close(other, Exit.void)
      const error = yield* Fiber.join(late)
      assert.deepStrictEqual([error.kind, error.away], ["taken", false])
      assert.match(error.message, /another Troupe has worked on it since/)
      assert.strictEqual((yield* Effect.flip(old.ping)).kind, "taken")
      assert.deepStrictEqual(yield* seqs(old), [1])
    }).pipe(Effect.scoped)
  )

  it.live("is migrated once where several do it at the same time", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const versions = yield* Effect.forEach(
        Array.from({ length: 5 }),
        () => PostgresLedger.migrate(Redacted.make(url)),
        {
          concurrency: "unbounded"
        }
      )
      assert.deepStrictEqual(
        versions,
        Array.from({ length: 5 }, () => latestVersion)
      )
      const { rows } = yield* query(url, "SELECT count(*)::int AS n FROM troupe_migrations")
      assert.deepStrictEqual(rows, [{ n: latestVersion }])
    }).pipe(Effect.scoped)
  )

  it.live("is worked on where a newer Troupe only added to it", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      yield* PostgresLedger.migrate(Redacted.make(url))
      yield* query(url, "ALTER TABLE sessions ADD COLUMN mood text")
      yield* query(url, `INSERT INTO troupe_migrations (migration_id) VALUES (${latestVersion + 1})`)
      assert.strictEqual(yield* PostgresLedger.migrate(Redacted.make(url)), latestVersion + 1)
    }).pipe(Effect.scoped)
  )

  it.live("keeps what running nodes of an older version use, where a migration would take it", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      yield* PostgresLedger.migrate(Redacted.make(url))
      yield* query(
        url,
        `INSERT INTO nodes (token, name, version, joined_at, lease_until, draining, schema_version)
          VALUES ('nod_old', 'old', '0.9.0', 0, 9999999999999, 0, ${eventRows - 1})`
      )
      // As if the migrations from there on were still to come: older programs would read less than events have stored.
      yield* query(url, `DELETE FROM troupe_migrations WHERE migration_id >= ${eventRows}`)
      yield* query(url, "ALTER TABLE events DROP COLUMN more, DROP COLUMN last")
      yield* query(url, "DROP TABLE webhooks, webhook_deliveries")
      yield* query(url, "ALTER TABLE sessions DROP COLUMN last_outcome")
      yield* query(url, "ALTER TABLE session_requests DROP COLUMN opening")
      yield* query(url, "DROP INDEX turns_failed")
      yield* query(url, "DROP TABLE fleet_tallies")
      yield* query(url, "UPDATE schema_use SET usable_from = 1")
      assert.match(yield* refusal(url, "together"), /could not go on: old\. End them first, or have them run a version/)
      yield* query(url, "UPDATE nodes SET lease_until = 1")
      assert.strictEqual(yield* PostgresLedger.migrate(Redacted.make(url)), latestVersion)
    }).pipe(Effect.scoped)
  )

  it.live("is refused and not changed where a newer Troupe or another program made it", () =>
    Effect.gen(function* () {
      const newer = yield* emptySchema
      yield* PostgresLedger.migrate(Redacted.make(newer))
      yield* query(newer, `INSERT INTO troupe_migrations (migration_id) VALUES (${latestVersion + 3})`)
      yield* query(newer, `UPDATE schema_use SET usable_from = ${latestVersion + 1}`)
      assert.include(
        yield* refusal(newer),
        `has schema version ${latestVersion + 3}, and this Troupe knows versions up to`
      )
      const foreign = yield* emptySchema
      yield* query(foreign, "CREATE TABLE recipes (name text)")
      assert.match(yield* refusal(foreign), /has another program's tables\. Point TROUPE_DATABASE_URL/)
    }).pipe(Effect.scoped)
  )

  it.live("is refused and not changed where commits are answered before they are on disk", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const having = (setting: string) => `${url}${encodeURIComponent(` -csynchronous_commit=${setting}`)}`
      for (const works of ["alone", "together"] as const) {
        assert.match(
          yield* refusal(having("off"), works),
          /synchronous_commit = off.+\. Turn it on in the options of TROUPE_DATABASE_URL\. Nothing was changed\.$/
        )
      }
      const tables = yield* query(url, `SELECT 1 FROM pg_tables WHERE schemaname = '${schemaOf(url)}'`)
      assert.deepStrictEqual(tables.rows, [])
      assert.strictEqual(yield* refusal(having("off"), "beside"), "it opens")
      assert.strictEqual(yield* refusal(having("local")), "it opens")
    }).pipe(Effect.scoped)
  )

  it.live("holds commits while a session that takes the place of a lost one would answer them early", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const user = yield* userOf(url)
      const ledger = yield* openIn(yield* Effect.scope, user.url)
      yield* ledger.write([opened()])
      yield* query(url, `ALTER ROLE ${user.name} SET synchronous_commit = off`)
      assert.match(yield* refusal(user.url), /Turn it on for the user \(ALTER ROLE/)
      yield* cutWriter(url)
      const held = yield* Effect.forkChild(ledger.write([eventAppended(1)]))
      yield* Effect.repeat(Effect.andThen(Effect.sleep("5 millis"), Effect.sync(ledger.away)), {
        until: (away) => away?.reason.includes("synchronous_commit = off; turn it on for the user") === true
      })
      assert.deepStrictEqual(yield* seqs(ledger), [])
      yield* query(url, `ALTER ROLE ${user.name} RESET synchronous_commit`)
      yield* Fiber.join(held)
      assert.deepStrictEqual(yield* seqs(ledger), [1])
    }).pipe(Effect.scoped)
  )

  it.live("says in one line without the password why it can't be opened", () =>
    Effect.gen(function* () {
      const address = new URL(server?.url ?? "")
      address.password = "wrong-secret"
      assert.match(
        yield* refusal(String(address)),
        /could not be opened \(.*password.*\)\. Check the user, the password/
      )
      const nowhere = new URL(String(address))
      nowhere.port = "1"
      assert.match(yield* refusal(String(nowhere)), /could not be opened \(.+\)\. Check that the server runs/)
      for (const url of [address, nowhere]) {
        const said = yield* refusal(String(url))
        assert.notInclude(said, "wrong-secret")
        assert.notInclude(said, "\n")
      }
    }).pipe(Effect.scoped)
  )

  it.live("has a mark in place of the NUL characters that the server refuses", () =>
    Effect.gen(function* () {
      const ledger = yield* openIn(yield* Effect.scope, yield* emptySchema)
      yield* ledger.write([opened({ systemPrompt: "a\0b" }), { _tag: "EventAppended", event: event(1) }])
      const { items } = yield* ledger.sessions({ app: null, state: null, cursor: null, limit: 1 })
      assert.strictEqual(items[0]?.systemPrompt, "a\u{fffd}b")
    }).pipe(Effect.scoped)
  )
})
