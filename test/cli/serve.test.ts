/** The server as a program: its first boot, its greeting, its port, its signals, its crashes. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isAlive, makeWorkspace } from "./program.ts"
import type { Workspace } from "./program.ts"
import { openServer, pidOf, sessionOf, untilSpeaking, wardenOf } from "./server.ts"

let workspace: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(() => workspace.cleanUp())

const open = (env?: Readonly<Record<string, string>>) => openServer(workspace, env)

describe("troupe serve", () => {
  it("creates a first app whose token is in a file, and prints a request that works when pasted", async () => {
    const { program, token } = await open()
    const file = join(workspace.cwd, ".troupe", "app-token")
    assert.match(token, /^trp_[\w-]{43}$/)
    assert.strictEqual(statSync(file).mode & 0o777, 0o600)
    assert.notInclude(program.stdout() + program.stderr(), token)
    assert.match(program.stdout(), /^ {2}reviews +off \(TROUPE_REVIEWS=true /m)
    const request = /^ {2}(curl .*)$/m.exec(program.stdout())?.[1] ?? ""
    const pasted = spawnSync("bash", ["-c", request], { encoding: "utf8" })
    assert.deepInclude(JSON.parse(pasted.stdout) as object, { ok: true, agent: "demo", state: "idle" })
  })

  it("answers the requests of the README", async () => {
    const { token, url } = await open()
    const readme = readFileSync(join(import.meta.dirname, "..", "..", "README.md"), "utf8")
    const [, lines = ""] = /## HTTP in five lines[^]*?```sh\n([^]*?)```/.exec(readme) ?? []
    const script = lines.replaceAll("http://127.0.0.1:8420", url)
    const { stdout } = spawnSync("bash", ["-euc", script], {
      encoding: "utf8",
      env: { PATH: process.env["PATH"], TROUPE_TOKEN: token }
    })
    assert.match(stdout, /"final_text":"You said: hello \(turn 1\)"/)
    assert.match(stdout, /^event: result$/m)
    assert.match(stdout, /\{"ok":true\}\s*$/)
  })

  it("creates no second app on its second boot, and prints the same token's file", async () => {
    const first = await open()
    first.program.child.kill("SIGTERM")
    await first.program.ended
    const second = await open()
    assert.strictEqual(second.token, first.token)
    const request = /^ {2}(curl .*)$/m.exec(second.program.stdout())?.[1] ?? ""
    assert.include(spawnSync("bash", ["-c", request], { encoding: "utf8" }).stdout, '"ok":true')
  })

  it("has sessions that troupe sessions lists, shows, follows and closes", async () => {
    const server = await open()
    const env = { TROUPE_URL: server.url, TROUPE_TOKEN: server.token }
    const id = await sessionOf(server)
    await server.call("POST", `/sessions/${id}/turn`, { prompt: "hello" })
    const list = await workspace.run(["sessions", "list"], env)
    assert.match(list.stdout, new RegExp(`^${id} +demo +idle +1 +\\d+ +\\d+ s ago +hello$`, "m"))
    const show = await workspace.run(["sessions", "show", id, "--json"], env)
    assert.deepInclude(JSON.parse(show.stdout) as object, { session_id: id, turn_count: 1 })
    const tail = workspace.start(["sessions", "tail", id], env)
    await tail.printed(/You said: hello \(turn 1\)/)
    assert.match((await workspace.run(["sessions", "close", id], env)).stdout, / is closed\.\n$/)
    assert.strictEqual((await tail.ended).code, 0)
    const unknown = await workspace.run(["sessions", "show", "nope"], env)
    assert.deepStrictEqual([unknown.code, unknown.stdout], [1, ""])
    assert.match(unknown.stderr, /^troupe: No session of this app has that id\..*\n$/)
    const stranger = await workspace.run(["sessions", "list"], { ...env, TROUPE_TOKEN: "trp_nobody" })
    assert.strictEqual(stranger.code, 1)
    assert.match(stranger.stderr, /^troupe: .*token.*\n$/)
  })

  it("names each configured agent that is missing, with what to do, and is not ready without the default one", async () => {
    const program = join(workspace.cwd, "my-agent")
    const mine = { protocol: "acp", command: [program] }
    const agents = { mine, here: { protocol: "acp", command: ["/bin/false"] }, codex: { protocol: "codex-app-server" } }
    writeFileSync(join(workspace.cwd, "troupe.config.json"), JSON.stringify({ defaultAgent: "mine", agents }))
    const server = await open()
    const said = server.program.stdout()
    assert.include(
      said,
      `missing  mine, the default agent: ${program} is no program that may be run. Install it, or set`
    )
    assert.match(said, /missing {2}codex: codex was not found on PATH\. Install it \(npm install -g @openai\/codex\)/)
    assert.notInclude(said, "missing  here")
    // The request to paste is one whose turns work.
    const request = /^ {2}(curl .*)$/m.exec(said)?.[1] ?? ""
    assert.include(spawnSync("bash", ["-c", request], { encoding: "utf8" }).stdout, '"agent":"demo"')

    const ready = async () => {
      const response = await fetch(`${server.url}/readyz`)
      return { status: response.status, body: (await response.json()) as { readonly reasons?: ReadonlyArray<string> } }
    }
    const before = await ready()
    assert.deepStrictEqual([before.status, before.body.reasons?.length], [503, 1])
    assert.match(
      before.body.reasons![0]!,
      /^the default agent, mine, is missing: .* Install it, or set agents\.mine\.command/
    )
    writeFileSync(program, "#!/bin/sh\nexit 1\n", { mode: 0o755 })
    // It is looked for again without a new start.
    while ((await ready()).status !== 200) await new Promise((resolve) => setTimeout(resolve, 100))
  })

  it("says which process holds the data dir, and that the port is taken", async () => {
    const { program, url } = await open()
    const second = await workspace.run(["serve", "--port", "0"])
    assert.strictEqual(second.code, 1)
    assert.match(second.stderr, new RegExp(`^troupe: .*held by the Troupe with pid ${program.child.pid}, since`))
    const { port } = new URL(url)
    const elsewhere = await workspace.run(["serve", "--port", port, "--data-dir", "other"])
    assert.strictEqual(elsewhere.code, 1)
    assert.match(
      elsewhere.stderr,
      new RegExp(`^troupe: Troupe can't listen: port ${port} of 127\\.0\\.0\\.1 is taken\\.`)
    )
  })

  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "drains on %s: a turn may finish, no process is left, the exit code is 0",
    async (signal) => {
      const server = await open()
      const id = await sessionOf(server)
      const turn = server.call("POST", `/sessions/${id}/turn`, { prompt: "slow 20 20" })
      await untilSpeaking(server, id)
      const agent = await pidOf(server, id)
      server.program.child.kill(signal)
      assert.deepInclude(await turn, { ok: true, stop_reason: "end_turn" })
      assert.strictEqual((await server.program.ended).code, 0)
      assert.isFalse(isAlive(agent))
      assert.isFalse(existsSync(join(workspace.cwd, ".troupe", "lock.json")))
    }
  )

  it("does not wait for a turn after a second signal", async () => {
    const server = await open()
    const id = await sessionOf(server)
    await server.call("POST", `/sessions/${id}/turn`, { prompt: "hang", wait: false })
    await untilSpeaking(server, id)
    const agent = await pidOf(server, id)
    server.program.child.kill("SIGTERM")
    await until(() => server.program.stderr().includes("SIGTERM: ending"))
    server.program.child.kill("SIGTERM")
    assert.strictEqual((await server.program.ended).code, 0)
    assert.isFalse(isAlive(agent))
  })

  it("recovers after a SIGKILL: no process runs on, the turn has one outcome, the session goes on", async () => {
    const server = await open()
    const id = await sessionOf(server)
    await server.call("POST", `/sessions/${id}/turn`, { prompt: "Remember 42." })
    const lost = server.call("POST", `/sessions/${id}/turn`, { prompt: "hang" }).catch(() => "gone")
    await untilSpeaking(server, id, "Hanging.")
    const agent = await pidOf(server, id)
    server.program.child.kill("SIGKILL")
    assert.strictEqual(await lost, "gone")
    // Before Troupe is started again: its warden has seen it die.
    await until(() => !isAlive(agent))

    const next = await open()
    const { turns } = await next.call("GET", `/sessions/${id}/turns`)
    assert.deepStrictEqual(
      (turns as ReadonlyArray<Record<string, unknown>>).map(({ ok, status }) => ({ ok, status })),
      [
        { ok: true, status: "completed" },
        { ok: false, status: "failed" }
      ]
    )
    const { final_text } = await next.call("POST", `/sessions/${id}/turn`, { prompt: "recall" })
    assert.include(String(final_text), '"Remember 42."')
  })

  it("ends at its start the agents of a Troupe that was killed together with its warden", async () => {
    const server = await open()
    const id = await sessionOf(server)
    await server.call("POST", `/sessions/${id}/turn`, { prompt: "Remember 42." })
    // Else it would end by itself at the end of its stdin.
    void server.call("POST", `/sessions/${id}/turn`, { prompt: "hang hard" }).catch(() => "gone")
    await untilSpeaking(server, id, "Hanging")
    const [agent, warden] = [await pidOf(server, id), wardenOf(server)]
    server.program.child.kill("SIGSTOP")
    for (const pid of [warden, server.program.child.pid!]) process.kill(pid, "SIGKILL")
    await server.program.ended
    assert.isTrue(isAlive(agent))
    const next = await open()
    assert.isFalse(isAlive(agent))
    const { final_text } = await next.call("POST", `/sessions/${id}/turn`, { prompt: "recall" })
    assert.include(String(final_text), '"Remember 42."')
  })
})

const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}
