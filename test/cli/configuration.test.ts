/** Where a setting comes from, and how a wrong one is rejected. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Configuration from "../../src/cli/configuration/Configuration.ts"
import { keys, names, placeOf, variableOf } from "../../src/cli/configuration/keys.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "troupe-config-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

interface Given {
  readonly flags?: Configuration.Sources["flags"]
  readonly env?: Configuration.Sources["env"]
  readonly file?: unknown
  readonly config?: string
}

/** `file` is written to `troupe.config.json` in the working directory. */
const load = Effect.fnUntraced(function* ({ config, env = {}, file, flags = {} }: Given) {
  const cwd = yield* directory
  if (file !== undefined) {
    const text = typeof file === "string" ? file : JSON.stringify(file)
    yield* Effect.sync(() => writeFileSync(join(cwd, "troupe.config.json"), text))
  }
  const loaded = yield* Configuration.load({
    flags,
    env,
    cwd,
    config: Option.fromUndefinedOr(config),
    isTerminal: false
  })
  return { ...loaded, cwd }
}, Effect.scoped)

const problem = (given: Given) =>
  load(given).pipe(
    Effect.flip,
    Effect.map(({ problem }) => problem)
  )

describe("configuration", () => {
  it.effect("is the documented default where nothing is set", () =>
    Effect.gen(function* () {
      const { adminToken, cwd, reviews, server, settings } = yield* load({})
      assert.deepStrictEqual(settings, {
        dataDir: join(cwd, ".troupe"),
        limits: defaultLimits,
        agents: {},
        defaultAgent: null,
        run: {}
      })
      assert.deepStrictEqual(server, {
        host: "127.0.0.1",
        port: 8420,
        allowedHosts: null,
        allowedOrigins: [],
        logLevel: "info",
        logFormat: "json"
      })
      assert.isTrue(Option.isNone(adminToken))
      assert.deepStrictEqual(reviews, {
        intervals: { memory: 10, skills: 10 },
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
          TROUPE_LOG_FORMAT: "pretty"
        },
        file: { allowedOrigins: ["https://app.example.org"], logLevel: "warn", maxFile: "1 GB" }
      })
      assert.strictEqual(settings.limits.sessionTtlMillis, null)
      assert.strictEqual(settings.limits.sessionIdleTtlMillis, 7_200_000)
      assert.strictEqual(settings.limits.maxBodyBytes, 2 * 1024 * 1024)
      assert.strictEqual(settings.limits.maxFileBytes, 1_000_000_000)
      assert.deepStrictEqual(server.allowedHosts, ["troupe.example.org", "localhost:1"])
      assert.deepStrictEqual(server.allowedOrigins, ["https://app.example.org"])
      assert.strictEqual(server.logLevel, "warn")
      assert.strictEqual(server.logFormat, "pretty")
      assert.strictEqual(Option.map(adminToken, Redacted.value).pipe(Option.getOrNull), "0123456789abcdef")
    })
  )

  it.effect("reads the settings of reviews, which have an object of their own in the file", () =>
    Effect.gen(function* () {
      const { reviews } = yield* load({
        env: { TROUPE_REVIEW_API_KEY: "sk-review", TROUPE_REVIEW_MODEL: "small", TROUPE_REVIEW_SKILL_TOOL: "true" },
        file: {
          reviews: {
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

  it.effect("allows an app all sessions where no limit per app is set", () =>
    Effect.gen(function* () {
      const { settings } = yield* load({ env: { TROUPE_MAX_SESSIONS: "7" } })
      assert.strictEqual(settings.limits.maxSessionsPerApp, 7)
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
})

describe("a bad configuration is rejected in one line that says where, what, and what is accepted", () => {
  const wrong: ReadonlyArray<readonly [Given, string]> = [
    [{ flags: { port: "99999" } }, `--port is "99999": it takes a whole number from 0 to 65535 (0 picks a free one).`],
    [
      { env: { TROUPE_POOL_WAIT: "30" } },
      `TROUPE_POOL_WAIT is "30": it takes a duration such as "30 seconds" (a number and millis, seconds, minutes, hours, days or weeks).`
    ],
    [
      { env: { TROUPE_TURN_TIMEOUT: "0 seconds" } },
      `TROUPE_TURN_TIMEOUT is "0 seconds": it takes a duration such as "10 minutes" (a number and millis, seconds, minutes, hours, days or weeks), and not zero.`
    ],
    [
      { env: { TROUPE_SESSION_TTL: "never" } },
      `TROUPE_SESSION_TTL is "never": it takes a duration such as "24 hours" (a number and millis, seconds, minutes, hours, days or weeks), or "off".`
    ],
    [
      { file: { maxFile: 33554432 } },
      `maxFile in troupe.config.json is 33554432: it takes a size from 1 KiB to 1 TiB such as "32 MiB" (a number and B, kB, MB, GB, KiB, MiB or GiB).`
    ],
    [
      { file: { logLevel: "loud" } },
      `logLevel in troupe.config.json is "loud": it takes trace, debug, info, warn, error or none.`
    ],
    [
      { env: { TROUPE_ADMIN_TOKEN: "short secret" } },
      "TROUPE_ADMIN_TOKEN is not usable: it takes at least 16 printable characters without spaces."
    ],
    [{ file: { maxSesions: 3 } }, "maxSesions in troupe.config.json is no setting. Did you mean maxSessions?"],
    [
      { file: { agents: { codex: { protocol: "codex-app-server", comand: ["codex"] } } } },
      "agents.codex.comand in troupe.config.json is no setting. Did you mean agents.codex.command?"
    ],
    [
      { file: { agents: { mine: { protocol: "acp" } } } },
      `agents.mine in troupe.config.json does not say what to launch: it takes "command" (such as ["claude-agent-acp"]) or "registry" (such as "gemini").`
    ],
    [
      { env: { TROUPE_REVIEW_MEMORY_INTERVAL: "-1" } },
      `TROUPE_REVIEW_MEMORY_INTERVAL is "-1": it takes a whole number from 0 to 1000000 user turns (0 turns memory reviews off).`
    ],
    [
      { file: { reviews: { baseUrl: "api.openai.com" } } },
      `reviews.baseUrl in troupe.config.json is "api.openai.com": it takes an http or https address such as https://api.openai.com/v1.`
    ],
    [
      { env: { TROUPE_REVIEW_API_KEY: "sk with a blank" } },
      "TROUPE_REVIEW_API_KEY is not usable: it takes the key as its provider gave it out, without spaces."
    ],
    [
      { file: { reviews: { skillTool: "perhaps" } } },
      `reviews.skillTool in troupe.config.json is "perhaps": it takes true or false.`
    ],
    [
      { file: { reviews: { itterations: 3 } } },
      "reviews.itterations in troupe.config.json is no setting. Did you mean reviews.iterations?"
    ],
    [
      { file: { reviews: 10 } },
      "reviews in troupe.config.json is 10: it takes an object with any of memoryInterval, skillInterval, skillTool, apiKey, baseUrl, model, iterations, inputTokens."
    ],
    [{ file: { reviewModel: "x" } }, "reviewModel in troupe.config.json is no setting. Did you mean reviews?"],
    [{ file: [1] }, "troupe.config.json is [1]: it takes a JSON object."]
  ]

  it.effect.each(wrong.map(([given, says]) => ({ given, says })))("$says", ({ given, says }) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* problem(given), says)
    })
  )

  it.effect("an error names the key of an agent that is wrong, and shows no secret of its environment", () =>
    Effect.gen(function* () {
      const protocol = yield* problem({ file: { agents: { mine: { protocol: "acpp", command: ["x"] } } } })
      assert.match(protocol, /^agents\.mine\.protocol in troupe\.config\.json: .*"acpp"\.$/)
      const secret = yield* problem({ file: { agents: { mine: { protocol: "acp", env: { KEY: 8675309 } } } } })
      assert.strictEqual(secret, "agents.mine.env.KEY in troupe.config.json: it takes text.")
    })
  )

  it.effect("an error says where a file is no JSON, and that a named one is missing", () =>
    Effect.gen(function* () {
      assert.match(yield* problem({ file: `{ "port": }` }), /^troupe\.config\.json is no JSON: Unexpected token/)
      assert.match(yield* problem({ config: "none.json" }), /^The configuration file none\.json can't be read: ENOENT/)
    })
  )

  it.effect("every key rejects a value that it does not take", () =>
    Effect.gen(function* () {
      for (const name of names) {
        const [first, second] = placeOf(name)
        const wrong = { an: "object" }
        const says = yield* problem({ file: { [first]: second === undefined ? wrong : { [second]: wrong } } })
        assert.match(says, new RegExp(`^${placeOf(name).join("\\.")} in .* it takes `))
        assert.notInclude(keys[name].takes, "undefined")
      }
    })
  )

  it("each key has the environment variable of its name", () => {
    assert.strictEqual(variableOf("maxSessionsPerApp"), "TROUPE_MAX_SESSIONS_PER_APP")
    assert.strictEqual(variableOf("postToolQuiet"), "TROUPE_POST_TOOL_QUIET")
    assert.strictEqual(variableOf("reviewApiKey"), "TROUPE_REVIEW_API_KEY")
  })
})
