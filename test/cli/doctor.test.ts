/** `troupe doctor`: what it says of the agents and of the ledger, and what it exits with. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { readFileSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makeWorkspace } from "./program.ts"
import type { Workspace } from "./program.ts"
import { fixture } from "../agent/child.ts"
import { on, reply, started } from "../agent/codex.agent.ts"

let workspace: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(() => workspace.cleanUp())

const configure = (content: unknown) =>
  writeFileSync(join(workspace.cwd, "troupe.config.json"), JSON.stringify(content))

describe("troupe doctor", () => {
  it("performs the handshake with installed agents, says what to do about the others, and makes no data dir", async () => {
    const { code, stdout } = await workspace.run(["doctor"])
    assert.strictEqual(code, 0)
    assert.match(stdout, /^ok +demo \(default\) +acp +\S+ +\d+ ms$/m)
    assert.match(stdout, /^ +codex +codex was not found on PATH\. Install it/m)
    assert.deepStrictEqual(readdirSync(workspace.cwd), [])
  })

  it("names the variables that are held back from an agent, and never a value", async () => {
    const mine = { protocol: "acp", command: ["/bin/false"], inheritEnv: ["NAMED_TOKEN"] }
    configure({ agents: { mine } })
    const env = { ANTHROPIC_API_KEY: "a-value-1", NAMED_TOKEN: "a-value-2", HARMLESS: "a-value-3" }
    const text = await workspace.run(["doctor", "mine"], env)
    assert.match(text.stdout, /held back from the agent.*\n +mine +ANTHROPIC_API_KEY$/m)
    const { stdout } = await workspace.run(["doctor", "mine", "--json"], env)
    assert.deepInclude(JSON.parse(stdout).agents[0], { name: "mine", held_back: ["ANTHROPIC_API_KEY"] })
    assert.notInclude(text.stdout + stdout, "a-value")
  })

  it("says that codex's sandbox can't start on this machine, in codex's words", async () => {
    const stderr = "bwrap: setting up uid map: Operation not permitted\n"
    const script = [...started, on(3, "command/exec"), reply(3, { exitCode: 1, stdout: "", stderr })]
    const command = [process.execPath, fixture("codex")]
    configure({ agents: { mine: { protocol: "codex-app-server", command, env: { SCRIPT: JSON.stringify(script) } } } })
    const text = await workspace.run(["doctor", "mine"])
    assert.match(text.stdout, /^ok +mine .*\n\nmine: Codex's sandbox can't start on this machine.*setting up uid map/m)
    const { stdout } = await workspace.run(["doctor", "mine", "--json"])
    const body = JSON.parse(stdout) as { readonly agents: ReadonlyArray<{ readonly problem: string | null }> }
    assert.match(body.agents[0]?.problem ?? "", /Operation not permitted/)
  })

  it("exits with 1 where the default agent can't start", async () => {
    configure({ defaultAgent: "mine", agents: { mine: { protocol: "acp", command: ["/bin/false"] } } })
    const { code, stdout } = await workspace.run(["doctor", "--json"])
    assert.strictEqual(code, 1)
    const body = JSON.parse(stdout) as {
      readonly agents: ReadonlyArray<{ readonly name: string; readonly handshake: { readonly ok: boolean } | null }>
    }
    assert.deepInclude<object>(body, { ok: false, default_agent: "mine" })
    assert.isFalse(body.agents.find(({ name }) => name === "mine")?.handshake?.ok)
    assert.isTrue(body.agents.find(({ name }) => name === "demo")?.handshake?.ok)
  })

  it("says that a ledger is damaged, and what to do", async () => {
    await workspace.run(["app", "create", "web"])
    const file = join(workspace.cwd, ".troupe", "troupe.sqlite")
    const whole = await workspace.run(["doctor", "--json"])
    assert.deepInclude(JSON.parse(whole.stdout), { ok: true, ledger: { file, ok: true, problem: null } })
    const bytes = readFileSync(file)
    // Most pages hold the roots of tables; the first one, with the names of them, stays.
    writeFileSync(file, bytes.fill(0, 4 * 2_048, 12 * 2_048))
    const { code, stdout } = await workspace.run(["doctor"])
    assert.strictEqual(code, 1)
    assert.match(stdout, /FAILS +the ledger \S+troupe\.sqlite: .+\. Stop Troupe, and restore it from a backup/)
  })
})
