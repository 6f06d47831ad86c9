/** `troupe doctor` on a PostgreSQL database, and a node whose clock is far from the database's. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeWorkspace } from "../../cli/program.ts"
import { emptySchema, query, schemaOf, server } from "./schemas.ts"

interface Found {
  readonly ok: boolean
  readonly database: {
    readonly location: string
    readonly checks: ReadonlyArray<{
      readonly what: string
      readonly level: string
      readonly found: string
      readonly remedy: string | null
    }>
  }
}

const workspace = Effect.acquireRelease(Effect.sync(makeWorkspace), ({ cleanUp }) => Effect.promise(cleanUp))

const doctor = Effect.fnUntraced(function* (url: string) {
  const { run } = yield* workspace
  const { code, stdout } = yield* Effect.promise(() => run(["doctor", "--json"], { TROUPE_DATABASE_URL: url }))
  const found = JSON.parse(stdout) as Found
  assert.strictEqual(code, found.ok ? 0 : 1)
  return { ...found, of: (what: string) => found.database.checks.find((check) => check.what === what) }
})

/** In front of PostgreSQL's own functions and settings. */
const withOptions = (url: string, options: string) => `${url}${encodeURIComponent(options)}`

describe.skipIf(server === null)("troupe doctor on PostgreSQL", () => {
  it.live("measures it, finds what is not right, and changes nothing", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const { database, of, ok } = yield* doctor(url)
      // The tests' server does without, to be quick.
      assert.isFalse(ok)
      assert.notInclude(JSON.stringify(database), new URL(url).password)
      assert.deepStrictEqual(
        database.checks.filter(({ level }) => level !== "ok").map(({ found, what }) => [what, found]),
        [["fsync", "off"]]
      )
      for (const what of ["round trip", "commit"]) assert.match(of(what)?.found ?? "", /^[\d.]+ ms \(p50\)$/)
      assert.match(of("notifications")?.found ?? "", /^come after [\d.]+ ms$/)
      assert.match(of("schema")?.found ?? "", /^none yet/)
      const { rows } = yield* query(url, `SELECT 1 FROM pg_tables WHERE schemaname = '${schemaOf(url)}'`)
      assert.deepStrictEqual(rows, [])
    }).pipe(Effect.scoped)
  )

  it.live("says that a server answers commits early, and that its schema is old, with what to do", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      yield* query(url, "CREATE TABLE troupe_migrations (migration_id bigint, created_at timestamptz)")
      yield* query(url, "INSERT INTO troupe_migrations VALUES (2, now())")
      const { of, ok } = yield* doctor(withOptions(url, " -c synchronous_commit=off"))
      assert.isFalse(ok)
      assert.deepInclude(of("synchronous_commit"), { level: "fails", found: "off" })
      assert.match(of("synchronous_commit")?.remedy ?? "", /^Turn it on/)
      assert.deepInclude(of("schema"), { level: "warn", found: "version 2" })
      assert.match(of("schema")?.remedy ?? "", /troupe migrate/)
    }).pipe(Effect.scoped)
  )

  it.live("says that a database can't be reached", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const { of, ok } = yield* doctor(url.replace(/:\d+\//, ":1/"))
      assert.isFalse(ok)
      assert.match(of("database")?.remedy ?? "", /Check that the server runs/)
    }).pipe(Effect.scoped)
  )

  it.live("says how far the clock is off, and a node with such a clock does not start", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const schema = schemaOf(url)
      yield* query(
        url,
        `CREATE FUNCTION ${schema}.clock_timestamp() RETURNS timestamptz LANGUAGE sql
          AS $$ SELECT pg_catalog.clock_timestamp() + interval '8 seconds' $$`
      )
      const shadowed = withOptions(url, ",pg_catalog")
      const { of, ok } = yield* doctor(shadowed)
      assert.isFalse(ok)
      assert.match(of("clock")?.found ?? "", /^this machine's is [78]\.\d s behind the database's$/)
      const { run } = yield* workspace
      const { code, stderr } = yield* Effect.promise(() =>
        run(["serve", "--cluster", "--port", "0"], {
          TROUPE_DATABASE_URL: shadowed,
          TROUPE_ADMIN_TOKEN: "a".repeat(32),
          TROUPE_CLUSTER_SECRET: "s".repeat(32),
          TROUPE_NODE: "late",
          TROUPE_NODE_URL: "http://127.0.0.1:9"
        })
      )
      assert.notStrictEqual(code, 0)
      assert.match(stderr, /whose clock is [78]\.\d s behind the database's: nodes may differ by 5 s.+NTP/s)
    }).pipe(Effect.scoped)
  )
})
