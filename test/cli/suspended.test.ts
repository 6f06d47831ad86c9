/** A server that did not run for a while: stopped by a signal, as a laptop that sleeps stops all its programs. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { fixture } from "../agent/child.ts"
import { makeWorkspace } from "./program.ts"
import type { Workspace } from "./program.ts"
import { openServer, sessionOf, untilSpeaking } from "./server.ts"

let workspace: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(() => workspace.cleanUp())

describe("a server that is stopped past a turn's deadline", () => {
  it("takes the answer that its agent gave meanwhile, and says that it did not run", async () => {
    const server = await openServer(workspace, { TROUPE_TURN_TIMEOUT: "5 seconds" })
    const session = await sessionOf(server)
    const turn = server.call("POST", `/sessions/${session}/turn`, { prompt: "slow 20 100" })
    await untilSpeaking(server, session)
    const { child } = server.program
    child.kill("SIGSTOP")
    // Longer than the turn may take. The agent, which is not stopped, ends it after two seconds.
    await new Promise((resolve) => setTimeout(resolve, 7_000))
    child.kill("SIGCONT")
    assert.deepInclude(await turn, { ok: true, stop_reason: "end_turn", accepted_without_end: false })
    const log = () => server.program.stdout() + server.program.stderr()
    assert.match(
      log(),
      /Troupe did not run for \d+ s \(stopped, asleep, without processor time, or its clock was set\): deadlines are later/
    )
    // Time that runs counts as before.
    const late = await server.call("POST", `/sessions/${session}/turn`, { prompt: "slow 100000 20" })
    assert.deepInclude(late, { ok: false, interrupted: true })
    assert.match(String(late["error"]), /^timeout: /)
  })
})

/** Waits for a file that an agent makes, while the server may be stopped. */
const untilMade = async (path: string) => {
  while (!existsSync(path)) await pause(20)
}

describe("a server that is stopped past the deadline of a request to its agent", () => {
  it("takes the answer that the agent gave meanwhile", async () => {
    const at = (name: string) => join(workspace.cwd, name)
    const [asked, log, script] = [at("asked"), at("log"), at("script.json")]
    writeFileSync(script, JSON.stringify({ log }))
    const agent = `${process.execPath} ${fixture("acp-script")} ${script}`
    // It answers the first request after eight seconds, in which the server does not run.
    const lines = `read -r first; touch ${asked}; sleep 8; { printf '%s\\n' "$first"; cat; } | ${agent}`
    const command = ["sh", "-c", lines]
    const agents = { slow: { protocol: "acp", command, startTimeout: "4 seconds" } }
    writeFileSync(at("troupe.config.json"), JSON.stringify({ agents }))
    const server = await openServer(workspace)
    const { session_id } = await server.call("POST", "/sessions", { agent: "slow" })
    const turn = server.call("POST", `/sessions/${String(session_id)}/turn`, { prompt: "hello" })
    const { child } = server.program
    await untilMade(asked)
    child.kill("SIGSTOP")
    // The agent makes it when it has read `initialize`, right before it answers.
    await untilMade(log)
    child.kill("SIGCONT")
    assert.deepInclude(await turn, { ok: true, stop_reason: "end_turn" })
  })
})
