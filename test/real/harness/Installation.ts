/**
 * An installation of Troupe and real agents for one test: a model, a home, a data directory, a configuration.
 *
 * `serve` starts the real program. When its scope closes it gets a SIGTERM, must exit with code 0, and must have left no
 * process behind: every test checks that, too.
 */
import { createHash } from "node:crypto"
import { assert } from "@effect/vitest"
import { Effect, Exit } from "effect"
import type { Scope } from "effect"
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Model from "../models/Model.ts"
import { codexConfig, environment, real } from "./agentHome.ts"
import { processesOf } from "./Kernel.ts"
import type { Running } from "./Kernel.ts"
import * as Server from "./Server.ts"
import { until } from "./until.ts"

export { codexConfig, environment, real }

/** What an operator would write, and the agents by their plain names on the `PATH`. */
const configuration = (directory: string, more: object) => ({
  defaultAgent: "codex",
  agents: {
    codex: { protocol: "codex-app-server", command: ["codex", "app-server"] },
    claude: { protocol: "acp", command: ["claude-agent-acp"], inheritEnv: ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"] },
    // The real codex, stopped before its first word when it is started for the first time.
    "late-codex": {
      protocol: "codex-app-server",
      command: ["sh", "-c", "[ -e late ] || { touch late; kill -STOP $$; }; exec codex app-server"]
    },
    // It brings a codex of its own, of another version; two versions do not share a home.
    "codex-acp": {
      protocol: "acp",
      command: ["codex-acp"],
      inheritEnv: ["OPENAI_API_KEY"],
      env: { CODEX_HOME: join(directory, "codex-acp") }
    },
    "claude-via-acpx": { protocol: "acpx", registry: "claude" },
    ...more
  },
  run: { command: ["claude"] }
})

/** Opencode speaks to any provider that its configuration describes. */
const opencodeConfig = (port: number) => ({
  provider: {
    anthropic: {
      options: { baseURL: `http://127.0.0.1:${port}/v1`, apiKey: "stand-in-key" },
      models: { "stand-in": { name: "stand-in" } }
    }
  },
  model: "anthropic/stand-in",
  small_model: "anthropic/stand-in",
  share: "disabled"
})

export interface Installation {
  /** All that is in it, and the configuration's file. */
  readonly directory: string
  readonly config: string
  /** The agents' working directory, with `linger.sh` in it: a command that begins (see `lingering`) and never ends. */
  readonly cwd: string
  readonly model: Model.Model
  readonly file: (name: string) => string
  /** Every process of the installation: Troupe, agents, and what they run. */
  readonly running: () => ReadonlyArray<Running>
  /** Waits for a process by its command line. */
  readonly process: (what: string, command: RegExp) => Effect.Effect<Running>
  /** Runs one command of Troupe's to its end. */
  readonly command: (...args: ReadonlyArray<string>) => Effect.Effect<Server.Output>
  /** Starts Troupe on the installation's data directory, also again after it was stopped or killed. */
  readonly serve: (
    settings?: Readonly<Record<string, string>>,
    flags?: ReadonlyArray<string>
  ) => Effect.Effect<Server.Server, never, Scope.Scope>
}

/** Where acpx puts the sockets of a home directory, whatever `TMPDIR` is. */
const socketsOfAcpx = (home: string): string =>
  join("/tmp", `acpx-${createHash("sha256").update(home).digest("hex").slice(0, 10)}`)

/** `more`: agents besides those that every installation has. */
export const makeWith = Effect.fnUntraced(function* (more: object) {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "tr-"))),
    (directory) =>
      Effect.sync(() => {
        for (const { pid } of processesOf(directory)) process.kill(pid, "SIGKILL")
        rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
        rmSync(socketsOfAcpx(join(directory, "home")), { recursive: true, force: true })
      })
  )
  const model = yield* Model.start
  const at = (name: string) => join(directory, name)
  for (const name of ["home", "tmp", "work"]) mkdirSync(at(name))
  for (const name of ["codex", "codex-acp"]) {
    mkdirSync(at(name))
    cpSync(join(real, "models", "models.json"), join(at(name), "models.json"))
    writeFileSync(join(at(name), "config.toml"), codexConfig(at(name), model.port))
  }
  mkdirSync(at("home/.config/opencode"), { recursive: true })
  writeFileSync(at("home/.config/opencode/opencode.json"), JSON.stringify(opencodeConfig(model.port)))
  writeFileSync(at("troupe.config.json"), JSON.stringify(configuration(directory, more)))
  writeFileSync(at("work/linger.sh"), "#!/bin/sh\ntouch lingering\nexec tail -f /dev/null\n", { mode: 0o755 })

  const running = () => processesOf(directory)
  const env = environment(directory, model.port)
  const config = ["--config", at("troupe.config.json")]
  const serve: Installation["serve"] = (settings = {}, flags = []) =>
    Effect.acquireRelease(
      Server.start({
        args: ["--port", "0", "--data-dir", at("data"), ...config, ...flags],
        cwd: at("home"),
        // The tests count processes; `spares.test.ts` is about these.
        env: { ...env, TROUPE_WARM_SPARES: "0", ...settings }
      }),
      Effect.fnUntraced(function* (server, exit) {
        if (Exit.isFailure(exit)) console.error(server.log())
        if (!server.alive()) return
        const ended = yield* server.stop
        assert.deepStrictEqual(ended, { code: 0, signal: null }, "how Troupe ends after SIGTERM")
        assert.deepStrictEqual(running(), [], "who is left when Troupe has ended")
      })
    )
  const installation: Installation = {
    directory,
    config: at("troupe.config.json"),
    cwd: at("work"),
    model,
    file: (name) => join(at("work"), name),
    running,
    process: (what, command) => until(what, () => running().find((one) => command.test(one.command))),
    command: (...args) => Server.command({ args: [...args, ...config], cwd: at("work"), env }),
    serve
  }
  return installation
})

export const make = makeWith({})
