/** Where a setting comes from. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { variableOf } from "../../src/configuration/keys.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import { directory, load } from "./load.ts"

describe("configuration", () => {
  it.effect("is the documented default where nothing is set", () =>
    Effect.gen(function* () {
      const { adminToken, cwd, reviews, server, settings } = yield* load({})
      assert.deepStrictEqual(settings, {
        dataDir: join(cwd, ".troupe"),
        limits: defaultLimits,
        agents: {},
        defaultAgent: null,
        mcpServers: {},
        run: {}
      })
      assert.deepStrictEqual(server, {
        host: "127.0.0.1",
        port: 8420,
        allowedHosts: null,
        allowedOrigins: [],
        logLevel: "info",
        logFormat: "json",
        agentsApi: false
      })
      assert.isTrue(Option.isNone(adminToken))
      assert.deepStrictEqual(reviews, {
        intervals: { memory: 0, skills: 0 },
        skillTool: false,
        bounds: { iterations: 16, inputTokens: 600_000 }
      })
    })
  )

  it.effect("prefers a flag to the environment, and the environment to the file", () =>
    Effect.gen(function* () {
      const file = { port: 3, maxProcesses: 3, poolWait: "3 seconds" }
      const env = { TROUPE_PORT: "2", TROUPE_MAX_PROCESSES: "2" }
      const { server, settings } = yield* load({ file, env, flags: { port: "1" } })
      assert.strictEqual(server.port, 1)
      assert.strictEqual(settings.limits.maxProcesses, 2)
      assert.strictEqual(settings.limits.poolWaitMillis, 3_000)
    })
  )

  it.effect("reads every kind of value", () =>
    Effect.gen(function* () {
      const { adminToken, server, settings } = yield* load({
        env: {
          TROUPE_SESSION_TTL: "off",
          TROUPE_SESSION_IDLE_TTL: "2 hours",
          TROUPE_MAX_BODY: "2 MiB",
          TROUPE_ALLOWED_HOSTS: "Troupe.example.org, localhost:1",
          TROUPE_ADMIN_TOKEN: "0123456789abcdef",
          TROUPE_LOG_FORMAT: "pretty",
          TROUPE_MAX_CAPSULE: "1 MB"
        },
        file: { allowedOrigins: ["https://app.example.org"], logLevel: "warn", maxFile: "1 GB", homes: "shared" }
      })
      assert.strictEqual(settings.limits.sessionTtlMillis, null)
      assert.strictEqual(settings.limits.sessionIdleTtlMillis, 7_200_000)
      assert.strictEqual(settings.limits.maxBodyBytes, 2 * 1024 * 1024)
      assert.strictEqual(settings.limits.maxFileBytes, 1_000_000_000)
      assert.strictEqual(settings.limits.maxCapsuleBytes, 1_000_000)
      assert.strictEqual(settings.homes, "shared")
      assert.deepStrictEqual(server.allowedHosts, ["troupe.example.org", "localhost:1"])
      assert.deepStrictEqual(server.allowedOrigins, ["https://app.example.org"])
      assert.strictEqual(server.logLevel, "warn")
      assert.strictEqual(server.logFormat, "pretty")
      assert.strictEqual(Option.map(adminToken, Redacted.value).pipe(Option.getOrNull), "0123456789abcdef")
    })
  )

  it.effect("reads a file with comments, trailing commas and the address of its schema", () =>
    Effect.gen(function* () {
      const file = `{
        "$schema": "./node_modules/troupe/troupe.config.schema.json", // for editors
        /* where "//" in a text is no comment */
        "allowedOrigins": ["https://app.example.org",],
      }`
      const { server } = yield* load({ file })
      assert.deepStrictEqual(server.allowedOrigins, ["https://app.example.org"])
    })
  )

  it.effect("reads the settings of reviews, which have an object of their own in the file", () =>
    Effect.gen(function* () {
      const { reviews } = yield* load({
        env: { TROUPE_REVIEW_API_KEY: "sk-review", TROUPE_REVIEW_MODEL: "small", TROUPE_REVIEW_SKILL_TOOL: "true" },
        file: {
          reviews: {
            enabled: true,
            memoryInterval: 0,
            skillInterval: 5,
            skillTool: false,
            baseUrl: "http://127.0.0.1:1/v1",
            model: "large",
            iterations: 4,
            inputTokens: 50_000
          }
        }
      })
      const { apiKey, ...rest } = reviews
      assert.strictEqual(apiKey && Redacted.value(apiKey), "sk-review")
      assert.notInclude(JSON.stringify(reviews), "sk-review")
      assert.deepStrictEqual(rest, {
        intervals: { memory: 0, skills: 5 },
        skillTool: true,
        bounds: { iterations: 4, inputTokens: 50_000 },
        baseUrl: "http://127.0.0.1:1/v1",
        model: "small"
      })
    })
  )

  it.effect("has reviews where they are turned on, by one switch, every 10 turns", () =>
    Effect.gen(function* () {
      const intervals = (given: Parameters<typeof load>[0]) =>
        Effect.map(load(given), ({ reviews }) => reviews.intervals)
      assert.deepStrictEqual(yield* intervals({ env: { TROUPE_REVIEWS: "true" } }), { memory: 10, skills: 10 })
      assert.deepStrictEqual(yield* intervals({ file: { reviews: { enabled: true, memoryInterval: 3 } } }), {
        memory: 3,
        skills: 10
      })
      assert.deepStrictEqual(yield* intervals({ env: { TROUPE_REVIEW_MEMORY_INTERVAL: "3" } }), {
        memory: 0,
        skills: 0
      })
    })
  )

  it.effect("allows an app all sessions where no limit per app is set", () =>
    Effect.gen(function* () {
      const { settings } = yield* load({ env: { TROUPE_MAX_SESSIONS: "7" } })
      assert.strictEqual(settings.limits.maxSessionsPerApp, 7)
    })
  )

  it.effect("limits what a session's processes may use, in the environment and in the file, or not at all", () =>
    Effect.gen(function* () {
      const limitsOf = (given: Parameters<typeof load>[0]) =>
        Effect.map(load(given), ({ settings: { limits } }) => [limits.maxSessionRssBytes, limits.maxSessionDescendants])
      const env = { TROUPE_MAX_SESSION_RSS: "4 GiB", TROUPE_MAX_SESSION_DESCENDANTS: "300" }
      assert.deepStrictEqual(yield* limitsOf({}), [null, null])
      assert.deepStrictEqual(yield* limitsOf({ env }), [4 * 1024 ** 3, 300])
      const file = { maxSessionRss: "500 MB", maxSessionDescendants: 20 }
      assert.deepStrictEqual(yield* limitsOf({ file }), [500_000_000, 20])
      const off = { TROUPE_MAX_SESSION_RSS: "off", TROUPE_MAX_SESSION_DESCENDANTS: "off" }
      assert.deepStrictEqual(yield* limitsOf({ file, env: off }), [null, null])
    })
  )

  it.effect("ignores an empty variable, which is how a compose file leaves one out", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* load({ env: { TROUPE_PORT: "" } })).server.port, 8420)
    })
  )

  it.effect("resolves a data dir of the file against the file, and one of a flag against the working directory", () =>
    Effect.gen(function* () {
      const elsewhere = yield* directory
      const config = join(elsewhere, "mine.json")
      yield* Effect.sync(() => writeFileSync(config, JSON.stringify({ dataDir: "data" })))
      assert.strictEqual((yield* load({ config })).settings.dataDir, join(elsewhere, "data"))
      const { cwd, settings } = yield* load({ config, flags: { dataDir: "data" } })
      assert.strictEqual(settings.dataDir, join(cwd, "data"))
      assert.strictEqual((yield* load({ env: { TROUPE_DATA_DIR: ":memory:" } })).settings.dataDir, ":memory:")
    }).pipe(Effect.scoped)
  )

  it.effect("reads the agents and the command of /run", () =>
    Effect.gen(function* () {
      const agents = {
        codex: { protocol: "codex-app-server", command: ["codex", "app-server"], env: { CODEX_HOME: "/srv/codex" } },
        gemini: { protocol: "acp", registry: "gemini", inheritEnv: ["GEMINI_API_KEY"] }
      }
      const run = { command: ["claude"], model: "sonnet" }
      const { settings } = yield* load({ file: { $schema: "x", defaultAgent: "gemini", agents, run } })
      assert.deepStrictEqual<unknown>(settings.agents, agents)
      assert.deepStrictEqual(settings.run, { command: ["claude"], model: "sonnet" })
      assert.strictEqual(settings.defaultAgent, "gemini")
    })
  )

  it("each key has the environment variable of its name", () => {
    assert.strictEqual(variableOf("maxSessionsPerApp"), "TROUPE_MAX_SESSIONS_PER_APP")
    assert.strictEqual(variableOf("postToolQuiet"), "TROUPE_POST_TOOL_QUIET")
    assert.strictEqual(variableOf("reviewApiKey"), "TROUPE_REVIEW_API_KEY")
  })
})
