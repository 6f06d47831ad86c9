/** The real acpx as the editor: acpx → `troupe acp` → the real codex and Claude, and nobody is left. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { main } from "../builtProgram.ts"
import { environment } from "./harness/agentHome.ts"
import { claude, codex } from "./harness/agents.ts"
import * as Installation from "./harness/Installation.ts"
import { isShort } from "./harness/short.ts"
import { until } from "./harness/until.ts"

it.live.each(isShort ? [codex] : [codex, claude])("acpx has a turn of the real $name through troupe acp", ({ name }) =>
  Effect.gen(function* () {
    const installation = yield* Installation.make
    const { config, directory } = installation
    const agent = [
      process.execPath,
      main,
      "acp",
      "--agent",
      name,
      "--config",
      config,
      "--data-dir",
      `${directory}/data`
    ]
    const acpx = (...args: ReadonlyArray<string>) =>
      Effect.gen(function* () {
        const child = spawn("acpx", ["--format", "json", "--approve-all", "--agent", agent.join(" "), ...args], {
          cwd: installation.cwd,
          env: environment(directory, installation.model.port),
          stdio: ["ignore", "pipe", "pipe"]
        })
        let output = ""
        for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)))
        let code: number | null | undefined
        child.on("close", (exit) => (code = exit))
        yield* until("the end of acpx", () => (code === undefined ? undefined : { code }))
        assert.strictEqual(code, 0, output)
        return output
      })
    assert.include(yield* acpx("exec", "SAY:a heron"), "a heron")
    const made = yield* acpx("exec", "ASK:touch made\nSAY:done")
    assert.include(made, "session/request_permission")
    assert.isTrue(existsSync(installation.file("made")), made)
    yield* until("the end of every process", () => (installation.running().length === 0 ? true : undefined))
  })
)
