/** `troupe doctor --cluster` asks each node as another node would. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { emptySchema, server as postgres } from "../ledger/postgres/schemas.ts"
import { Cluster } from "./nodes.ts"

interface Found {
  readonly ok: boolean
  readonly database: {
    readonly checks: ReadonlyArray<{
      readonly what: string
      readonly level: string
      readonly found: string
      readonly remedy: string | null
    }>
  }
}

describe.skipIf(postgres === null)("troupe doctor --cluster", () => {
  it.live("finds nodes that answer, those that are set up in another way, and those that can't be reached", () =>
    Effect.gen(function* () {
      const nodes = yield* Effect.acquireRelease(
        Effect.map(emptySchema, (url) => new Cluster(url)),
        (cluster) => Effect.promise(() => cluster.cleanUp())
      )
      yield* Effect.promise(async () => {
        const shared = { TROUPE_DATA_DIR: ".troupe" }
        await nodes.start("first", shared)
        await nodes.start("second", { ...shared, TROUPE_MAX_SESSIONS: "7", TROUPE_HOMES: "shared" })
        await nodes.start("third", { ...shared, TROUPE_NODE_URL: "http://127.0.0.1:9" })
        const { code, stdout } = await nodes.run(["doctor", "--cluster", "--json"], nodes.settings("doctor"))
        const { database, ok } = JSON.parse(stdout) as Found
        const of = (what: string) => database.checks.find((check) => check.what === what)
        assert.isFalse(ok)
        assert.strictEqual(code, 1)
        for (const name of ["first", "second"]) {
          assert.match(of(`node ${name}`)?.found ?? "", /^http:.+, version .+, lease \d\.\d s, answers in \d+ ms$/)
          assert.deepInclude(of(`node ${name}: clock`), { level: "ok" })
        }
        // Each has a directory of its own here.
        assert.strictEqual(of("node first: settings")?.found, "not as here: TROUPE_DATA_DIR")
        assert.strictEqual(of("node second: settings")?.found, "not as here: the limits, TROUPE_DATA_DIR, TROUPE_HOMES")
        assert.match(of("homes")?.found ?? "", /^capsule: /)
        assert.deepInclude(of("node third"), { level: "fails" })
        assert.match(of("node third")?.remedy ?? "", /does not answer a signed call at http:\/\/127\.0\.0\.1:9/)

        // One of the agents' homes is on storage that both have, and the other one is not there.
        const home = nodes.directoryOf("second")
        await (
          await nodes.start("fourth", { ...shared, TROUPE_HOMES: "shared", CODEX_HOME: home })
        ).call("GET", "/healthz")
        const shares = await nodes.run(["doctor", "--cluster", "--json"], {
          ...nodes.settings("doctor"),
          TROUPE_HOMES: "shared",
          CODEX_HOME: home
        })
        const homes = (name: string) =>
          (JSON.parse(shares.stdout) as Found).database.checks.find(({ what }) => what === `node ${name}: homes`)
        assert.isUndefined(homes("first"))
        assert.match(
          homes("second")?.found ?? "",
          /^not the same as here: CODEX_HOME .+; CLAUDE_CONFIG_DIR .+, which is not here$/
        )
        assert.match(homes("fourth")?.found ?? "", /^not the same as here: CLAUDE_CONFIG_DIR [^;]+, which is not here$/)
        assert.deepInclude(homes("fourth"), { level: "warn" })

        const other = await nodes.run(["doctor", "--cluster"], {
          ...nodes.settings("doctor"),
          TROUPE_CLUSTER_SECRET: "another".repeat(8)
        })
        assert.strictEqual(other.code, 1)
        assert.match(other.stdout, /^FAILS +node first /m)
        assert.notInclude(other.stdout + other.stderr + stdout, nodes.settings("doctor")["TROUPE_CLUSTER_SECRET"] ?? "")
      })
    }).pipe(Effect.scoped)
  )
})
