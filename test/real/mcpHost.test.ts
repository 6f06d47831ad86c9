/** The real Claude Code as the host of `troupe mcp`: its model calls the tools, and reads what another agent has answered. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { main } from "../builtProgram.ts"
import * as Installation from "./harness/Installation.ts"
import { until } from "./harness/until.ts"

it.live("Claude Code has an agent work by the tools, and nobody is left when it has ended", () =>
  Effect.gen(function* () {
    const { cwd, file, model, running } = yield* Installation.make
    const troupe = { command: process.execPath, args: [main, "mcp", "--data-dir", file("data"), "--agent", "demo"] }
    writeFileSync(file("hosts.json"), JSON.stringify({ mcpServers: { troupe } }))
    const start = JSON.stringify({ prompt: "slow 10 50\nhello", wait_s: 30 })
    const prompt = [`CALL:mcp__troupe__agent_start ${start}`, "MCP:troupe/sessions_list", "SAY:the agent is done"].join(
      "\n"
    )
    const tools = ["agent_start", "sessions_list"].map((name) => `mcp__troupe__${name}`).join()
    const args = ["-p", prompt, "--mcp-config", file("hosts.json"), "--strict-mcp-config", "--allowedTools", tools]
    const host = spawn("claude", args, {
      cwd,
      env: Installation.environment(dirname(cwd), model.port),
      stdio: ["ignore", "pipe", "pipe"]
    })
    let output = ""
    let ended = false
    for (const stream of [host.stdout, host.stderr]) stream.on("data", (chunk) => (output += chunk))
    host.on("close", () => (ended = true))
    yield* until("the end of Claude Code", () => (ended ? true : undefined))

    assert.include(output, "the agent is done")
    const asked = JSON.stringify(model.asked().map(({ request }) => request))
    // The host gives its model what the tools have answered.
    assert.match(asked, /word10 \\+n\\*You said: hello \(turn 1\)/)
    assert.match(asked, /sessions_list/)
    assert.match(asked, /\\+"count\\+":1/)
    yield* until("the end of what the host has started", () => (running().length === 0 ? true : undefined))
  })
)
