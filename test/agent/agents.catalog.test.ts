/** The catalog of agents: what each name launches, and with which environment. No agent is started. */
import { existsSync, realpathSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Catalog from "../../src/agent/Catalog.ts"
import * as Launch from "../../src/agent/Launch.ts"
import type { AgentSpec } from "../../src/domain/Settings.ts"
import { directory, program } from "./programFile.ts"

const catalog = (agents: Readonly<Record<string, AgentSpec>> = {}, from: Readonly<Record<string, string>> = {}) =>
  Catalog.make({ agents, defaultAgent: null, dataDir: "/data" }, { PATH: "/nowhere", ...from })

const foundAs = (...command: [string, ...ReadonlyArray<string>]): Launch.Launch => ({ _tag: "Found", command })

describe("the catalog of agents", () => {
  it.effect("the catalog has codex, demo, and every name of the registry, directly and behind acpx", () =>
    Effect.gen(function* () {
      const entries = yield* catalog()
      assert.strictEqual(entries.get("codex")?.spec.protocol, "codex-app-server")
      assert.strictEqual(entries.get("demo")?.spec.protocol, "acp")
      assert.isAbove(Launch.registered.length, 20)
      for (const name of Launch.registered) {
        assert.strictEqual(entries.get(name)?.spec.protocol, name === "codex" ? "codex-app-server" : "acp")
        assert.deepInclude(entries.get(`acpx:${name}`), {
          spec: { protocol: "acpx", registry: name },
          secondary: true
        })
      }
    })
  )

  it.effect("a configured agent replaces the built-in one of the same name", () =>
    Effect.gen(function* () {
      const entries = yield* catalog({ claude: { protocol: "acp", command: ["/bin/sh", "-c", "true"] } })
      assert.deepStrictEqual(entries.get("claude")?.locate(), foundAs("/bin/sh", "-c", "true"))
    })
  )

  it.effect("agents are found by PATH, each with what its protocol launches", () =>
    Effect.gen(function* () {
      const bin = yield* directory
      const [codex, gemini, claude] = ["codex", "gemini", "claude-agent-acp"].map((name) => program(join(bin, name)))
      const entries = yield* catalog({}, { PATH: bin })
      assert.deepStrictEqual(entries.get("codex")?.locate(), foundAs(codex ?? "", "app-server"))
      assert.deepStrictEqual(entries.get("gemini")?.locate(), foundAs(gemini ?? "", "--acp"))
      const located = entries.get("claude")?.locate()
      assert.isTrue(located?._tag === "Found" && located.command.includes(claude ?? ""))
      const behind = entries.get("acpx:gemini")?.locate()
      assert.isTrue(behind?._tag === "Found" && behind.command[0] === process.execPath)
      assert.isTrue(behind?._tag === "Found" && behind.command[1]?.endsWith("/acpx/dist/cli.js"))
      const demo = entries.get("demo")?.locate()
      assert.isTrue(demo?._tag === "Found" && existsSync(demo.command[1] ?? ""))
    })
  )

  it.effect("the hint of an agent that is not installed says what to do", () =>
    Effect.gen(function* () {
      const entries = yield* catalog({
        mine: { protocol: "acp", command: ["my-agent", "--acp"] },
        yours: { protocol: "acp", command: ["/no/such/agent"] }
      })
      const hint = (name: string) => {
        const launch = entries.get(name)?.locate()
        return launch?._tag === "Missing" ? launch.hint : assert.fail(`${name} was found`)
      }
      assert.include(hint("codex"), "npm install -g @openai/codex")
      assert.include(hint("gemini"), "needs the command gemini on PATH")
      assert.strictEqual(hint("acpx:gemini"), hint("gemini"))
      assert.strictEqual(
        hint("mine"),
        "my-agent was not found on PATH. Install it, or set agents.mine.command to where it is."
      )
      assert.include(hint("yours"), "/no/such/agent is no program that may be run")
    })
  )

  it.effect("only an agent that was configured by name is downloaded", () =>
    Effect.gen(function* () {
      const bin = yield* directory
      const npx = program(join(bin, "npx"))
      const entries = yield* catalog({ fetched: { protocol: "acp", registry: "mux" } }, { PATH: bin })
      const builtIn = entries.get("mux")?.locate()
      assert.isTrue(
        builtIn?._tag === "Missing" && builtIn.hint.endsWith('"agents": {"protocol":"acp","registry":"mux"}.')
      )
      const configured = entries.get("fetched")?.locate()
      assert.isTrue(configured?._tag === "Found" && configured.command[0] === npx)
    })
  )

  it.effect("adapters for acpx are found where acpx finds them: in the packages around it, not on PATH", () =>
    Effect.gen(function* () {
      const root = yield* directory
      const bin = join(root, "bin")
      program(join(bin, "claude-agent-acp"))
      const entries = yield* catalog({}, { PATH: bin })
      const locate = () => entries.get("acpx:claude")?.locate()
      const alone = locate()
      assert.isTrue(
        alone?._tag === "Missing" && alone.hint.includes("Install @agentclientprotocol/claude-agent-acp beside acpx")
      )
      const acpx = program(join(root, "node_modules", "acpx", "dist", "cli.js"))
      const adapter = join(root, "node_modules", "@agentclientprotocol", "claude-agent-acp")
      program(join(adapter, "index.js"))
      writeFileSync(
        join(adapter, "package.json"),
        '{"name":"@agentclientprotocol/claude-agent-acp","bin":{"claude-agent-acp":"index.js"}}'
      )
      symlinkSync(acpx, join(bin, "acpx"))
      assert.deepStrictEqual(locate(), foundAs(process.execPath, realpathSync(acpx)))
    })
  )

  it.effect("the default is the first of codex, claude and demo that is installed", () =>
    Effect.gen(function* () {
      const bin = yield* directory
      const entries = yield* catalog({ claude: { protocol: "acp", command: ["my-claude"] } }, { PATH: bin })
      assert.strictEqual(Catalog.defaultOf(entries), "demo")
      program(join(bin, "my-claude"))
      assert.strictEqual(Catalog.defaultOf(entries), "claude")
      program(join(bin, "codex"))
      assert.strictEqual(Catalog.defaultOf(entries), "codex")
    })
  )

  it.effect("a child gets its protocol's variables, those that were named for it, and none of ours", () =>
    Effect.gen(function* () {
      const from = { ANTHROPIC_API_KEY: "a", OPENAI_API_KEY: "o", TROUPE_ADMIN_TOKEN: "t", MINE: "m", OTHER: "x" }
      const env = { TROUPE_DEMO_START: "crash", EXTRA: "e" }
      const spec: AgentSpec = { protocol: "codex-app-server", inheritEnv: ["MINE"], env }
      const entries = yield* catalog({ mine: spec }, from)
      assert.deepStrictEqual(entries.get("mine")?.env, { PATH: "/nowhere", OPENAI_API_KEY: "o", MINE: "m", ...env })
      assert.deepStrictEqual(entries.get("demo")?.env, { PATH: "/nowhere", TROUPE_DEMO_STATE: "/data/demo" })
      assert.strictEqual(entries.get("claude")?.env["ANTHROPIC_API_KEY"], "a")
    })
  )

  it.effect("the demo agent's sessions are in a temporary directory where the ledger is in memory", () =>
    Effect.gen(function* () {
      const state = yield* Effect.scoped(
        Effect.gen(function* () {
          const entries = yield* Catalog.make({ agents: {}, defaultAgent: null, dataDir: ":memory:" }, {})
          const state = entries.get("demo")?.env["TROUPE_DEMO_STATE"] ?? assert.fail("it has no state")
          assert.isTrue(existsSync(state))
          return state
        })
      )
      assert.isFalse(existsSync(state))
    })
  )

  const refusals: ReadonlyArray<readonly [string, AgentSpec, string]> = [
    ["a b", { protocol: "acp", command: ["x"] }, 'agents["a b"] is no name for an agent'],
    ["x", { protocol: "codex-app-server", registry: "gemini" }, "agents.x.registry is for acp and acpx only"],
    [
      "x",
      { protocol: "acp", registry: "no-such" },
      `agents.x.registry is "no-such", which acpx's registry does not know`
    ],
    ["x", { protocol: "acp" }, 'agents.x takes either "command"'],
    ["x", { protocol: "acp", command: ["x"], registry: "gemini" }, 'agents.x takes either "command"'],
    ["x", { protocol: "acpx", command: ["x"] }, "agents.x.registry is missing"],
    ["x", { protocol: "acp", command: ["x"], startTimeout: "soon" }, 'agents.x.startTimeout is "soon": it takes a'],
    ["x", { protocol: "acp", command: ["x"], startTimeout: "2 hours" }, "agents.x.startTimeout is"],
    ["x", { protocol: "codex-app-server", startTimeout: "1 minute" }, "agents.x.startTimeout is for acp only"],
    [
      "x",
      { protocol: "codex-app-server", trustedRoots: ["/srv", "mine"] },
      'agents.x.trustedRoots names "mine": it takes absolute directories.'
    ],
    [
      "x",
      { protocol: "acp", command: ["x"], sandbox: "danger-full-access" },
      "agents.x.sandbox is for codex-app-server only"
    ],
    ["x", { protocol: "acpx", registry: "gemini", authMethod: "y" }, "agents.x.authMethod is for acp only"],
    ["x", { protocol: "acp", command: ["x"], env: { "A=B": "c" } }, 'agents.x.env names "A=B"'],
    [
      "x",
      { protocol: "acp", command: ["x"], inheritEnv: ["*"] },
      'agents.x.inheritEnv names "*", which is every variable'
    ],
    ["x", { protocol: "acp", command: ["x"], env: { TROUPE_X: "c" } }, "agents.x.env names TROUPE_X: variables of"],
    ["x", { protocol: "acp", command: ["x"], inheritEnv: ["TROUPE_TOKEN"] }, "agents.x.inheritEnv names TROUPE_TOKEN"]
  ]
  it.effect.each(refusals)(
    "an invalid specification is refused with the setting that is wrong: %s %o",
    ([name, spec, message]) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(catalog({ [name]: spec }))
        assert.strictEqual(error._tag, "AgentsMisconfigured")
        assert.isTrue(error.message.startsWith(message), error.message)
      })
  )

  it.effect("a default agent that does not exist is refused", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Catalog.make({ agents: { mine: { protocol: "codex-app-server" } }, defaultAgent: "your", dataDir: "/" }, {})
      )
      assert.match(error.message, /^defaultAgent is "your", and no agent has that name: there are mine, codex, demo, /)
      const acpx = yield* Catalog.make({ agents: {}, defaultAgent: "acpx:gemini", dataDir: "/" }, {})
      assert.isTrue(acpx.has("acpx:gemini"))
    })
  )
})
