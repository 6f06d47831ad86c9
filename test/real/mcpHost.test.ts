/** Real hosts: Claude Code starts `troupe mcp`, codex uses `/mcp`. Their models call the tools, and read what came of it. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { appendFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { main } from "../builtProgram.ts"
import * as Installation from "./harness/Installation.ts"
import { until } from "./harness/until.ts"

/** Runs a host to its end; what it has printed. */
const runHost = Effect.fnUntraced(function* (
  program: string,
  args: ReadonlyArray<string>,
  { cwd, model }: Installation.Installation,
  more: Readonly<Record<string, string>> = {}
) {
  const env = { ...Installation.environment(dirname(cwd), model.port), ...more }
  const host = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
  let output = ""
  let ended = false
  for (const stream of [host.stdout, host.stderr]) stream.on("data", (chunk) => (output += chunk))
  host.on("close", () => (ended = true))
  yield* until(`the end of ${program}`, () => (ended ? true : undefined))
  return output
})

it.live("Claude Code has an agent work by the tools, and nobody is left when it has ended", () =>
  Effect.gen(function* () {
    const installation = yield* Installation.make
    const { file, model, running } = installation
    const troupe = { command: process.execPath, args: [main, "mcp", "--data-dir", file("data"), "--agent", "demo"] }
    writeFileSync(file("hosts.json"), JSON.stringify({ mcpServers: { troupe } }))
    const start = JSON.stringify({ prompt: "slow 10 50\nhello", wait_s: 30 })
    const prompt = [`CALL:mcp__troupe__agent_start ${start}`, "MCP:troupe/sessions_list", "SAY:the agent is done"].join(
      "\n"
    )
    const tools = ["agent_start", "sessions_list"].map((name) => `mcp__troupe__${name}`).join()
    const args = ["-p", prompt, "--mcp-config", file("hosts.json"), "--strict-mcp-config", "--allowedTools", tools]
    const output = yield* runHost("claude", args, installation)

    assert.include(output, "the agent is done")
    const asked = JSON.stringify(model.asked().map(({ request }) => request))
    // The host gives its model what the tools have answered.
    assert.match(asked, /word10 \\+n\\*You said: hello \(turn 1\)/)
    assert.match(asked, /sessions_list/)
    assert.match(asked, /\\+"count\\+":1/)
    yield* until("the end of what the host has started", () => (running().length === 0 ? true : undefined))
  })
)

it.live("codex has an agent by the tools of a server, with its app's token", () =>
  Effect.gen(function* () {
    const installation = yield* Installation.make
    const { cwd, model } = installation
    const troupe = yield* installation.serve()
    const { token } = yield* troupe.app("codex")
    const [origin = ""] = /http:\/\/127\.0\.0\.1:\d+/.exec(troupe.log()) ?? []
    appendFileSync(
      join(dirname(cwd), "codex/config.toml"),
      `\n[mcp_servers.troupe]\nurl = "${origin}/mcp"\nbearer_token_env_var = "TROUPE_TOKEN"\n`
    )
    const prompt = ["MCP:troupe/agent_start", "MCP:troupe/sessions_list", "SAY:the session is there"].join("\n")
    const args = ["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", prompt]
    assert.include(yield* runHost("codex", args, installation, { TROUPE_TOKEN: token }), "the session is there")
    const asked = JSON.stringify(model.asked().map(({ request }) => request))
    assert.match(asked, /agent_send with session_id ses_/)
    assert.match(asked, /\\+"count\\+":1/)
  })
)
