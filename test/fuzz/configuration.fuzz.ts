/** Configuration files, environment variables and flags: settings, or one line that says what is wrong and where. */
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Option } from "effect"
import * as fc from "fast-check"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { BadConfiguration } from "../../src/configuration/BadConfiguration.ts"
import * as Configuration from "../../src/configuration/Configuration.ts"
import { keys, variableOf } from "../../src/configuration/keys.ts"
import type { KeyName } from "../../src/configuration/keys.ts"
import { anyText, anyValue, changed, damaged, jsonOf } from "./arbitraries.ts"
import { fuzz } from "./fuzz.ts"

const samples = [
  {
    port: 8420,
    dataDir: "./data",
    defaultAgent: "claude",
    maxProcesses: 8,
    turnTimeout: "10 minutes",
    sessionTtl: "7 days",
    allowedHosts: ["localhost"],
    reviews: { model: "small", memoryInterval: 4 },
    mcpServers: {
      tickets: { command: "serve", args: ["a"], env: { KEY: "x" } },
      remote: { type: "http", url: "http://x" }
    },
    agents: {
      claude: { protocol: "acp", command: ["claude-agent-acp"], inheritEnv: ["AWS_*"], trustedRoots: ["/srv"] },
      codex: { protocol: "codex-app-server", env: { CODEX_HOME: "/srv/codex" }, sandbox: "danger-full-access" },
      gemini: { protocol: "acp", registry: "gemini", authMethod: "key", startTimeout: "2 minutes" }
    },
    run: { command: ["claude"], model: "sonnet" }
  },
  Object.fromEntries(Object.keys(keys).map((name) => [name, 1]))
]

const names = Object.keys(keys) as ReadonlyArray<KeyName>
const json = fc.oneof(changed(samples), anyValue).map(jsonOf)

it("a configuration is read, or refused in one line, whatever is in the file, the environment and the flags", async () => {
  const cwd = mkdtempSync(join(tmpdir(), "troupe-fuzz-"))
  const file = join(cwd, "troupe.config.json")
  try {
    await fuzz({
      name: "configurations",
      share: 0.08,
      arbitrary: fc.record({
        bytes: fc.oneof(
          { weight: 4, arbitrary: json.map((text) => Buffer.from(text)) },
          { weight: 1, arbitrary: damaged(json) }
        ),
        env: fc.array(fc.tuple(fc.constantFrom(...names), anyText), { maxLength: 3 }),
        flags: fc.array(fc.tuple(fc.constantFrom(...names), anyText), { maxLength: 2 })
      }),
      run: async ({ bytes, env, flags }) => {
        writeFileSync(file, bytes)
        const exit = await Effect.runPromiseExit(
          Configuration.load({
            flags: Object.fromEntries(flags),
            env: Object.fromEntries(env.map(([name, value]) => [variableOf(name), value])),
            cwd,
            config: Option.none(),
            isTerminal: false
          })
        )
        if (Exit.isSuccess(exit)) return
        const [reason] = exit.cause.reasons
        assert(reason?._tag === "Fail", String(reason))
        assert.instanceOf(reason.error, BadConfiguration)
        // A terminal shows it: one line, and nothing in it that the terminal would obey.
        // oxlint-disable-next-line no-control-regex -- what must not be in it
        assert.notMatch(reason.error.message, /[\u0000-\u001f\u007f]/)
      }
    })
  } finally {
    rmSync(cwd, { recursive: true })
  }
})
