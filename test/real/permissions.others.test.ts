/** Gemini CLI and opencode keep each word of `permissions`, as the table says. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { agents } from "../../src/domain/permissionTable.ts"
import { PermissionPolicy } from "../../src/domain/Permissions.ts"
import { gemini, opencode } from "./harness/agents.ts"
import type { RealAgent } from "./harness/agents.ts"
import { aRow, assertRefused, assertRow, openWith, turnRefusing } from "./harness/permissions.ts"
import { isShort } from "./harness/short.ts"

const registered = ({ name }: RealAgent) => ({ [name]: { protocol: "acp", registry: name } })

/** With `CI` set each has one row: that of the word by which Troupe decides most. */
const words: ReadonlyArray<PermissionPolicy> = isShort ? ["approve_edits"] : PermissionPolicy.literals

const others = [
  // Without its operator's trust it starts no MCP servers, and it does not tell its client what it read.
  { agent: gemini, rows: agents.gemini.rows, options: { silent: true, withoutMcp: true } },
  { agent: opencode, rows: agents.opencode.rows, options: {} }
]

// A row takes opencode a minute.
describe.each(others.filter(({ agent }) => !isShort || agent === gemini))("$agent.name", ({ agent, options, rows }) => {
  const more = registered(agent)
  it.live.each(words)("keeps %s", (word) => assertRow(agent.name, word, rows[word], { more, ...options }), aRow)
})

describe("gemini", () => {
  it.live("writes nothing by a command that it takes for a read, in its plan mode or by a search of the web", () =>
    Effect.gen(function* () {
      const { app, installation } = yield* openWith(registered(gemini))
      for (const permissions of isShort ? (["ask"] as const) : (["ask", "deny"] as const)) {
        const session = yield* app.create({ agent: "gemini", permissions, cwd: installation.cwd })
        const commands = ["uniq a.txt written", "un$@iq a.txt written", "true && u''niq a.txt written"]
        const lines = [
          ...commands.map((command) => `RUN:${command}`),
          `CALL:google_web_search {"query":"herons"}`,
          `CALL:enter_plan_mode {"reason":"to write"}`
        ]
        for (const line of lines) {
          const { titles } = yield* turnRefusing(session, `${line}\nSAY:done`)
          assert.deepStrictEqual(titles, [], line)
        }
        const { titles } = yield* turnRefusing(session, "WRITE:plan.md|x\nSAY:done")
        assert.strictEqual(titles.length, permissions === "ask" ? 1 : 0)
      }
      for (const name of ["written", "plan.md"]) assert.isFalse(existsSync(installation.file(name)), name)
      const requests = JSON.stringify(installation.model.asked().map(({ request }) => request["tools"]))
      assert.include(requests, "run_shell_command")
      assert.notInclude(requests, "googleSearch")
    })
  )

  it.live.skipIf(isShort)("has no MCP servers of a session without its operator's trust, and says so", () =>
    Effect.gen(function* () {
      const { app, installation } = yield* openWith(registered(gemini))
      const mcp_servers = [{ name: "none", command: "true", args: [] }]
      const session = yield* app.create({ agent: "gemini", cwd: installation.cwd, mcp_servers })
      const { body } = yield* session.turn("SAY:hello")
      assert.match(body.error ?? "", /starts no MCP servers in a directory that its operator does not trust/)
    })
  )
})

describe.each([
  { agent: gemini, settings: ".gemini/settings.json" },
  { agent: opencode, settings: ".opencode/plugin/x.js" }
])("$agent.name in a repository with settings for it", ({ agent, settings }) => {
  it.live("is refused under every word but approve_all", () =>
    Effect.gen(function* () {
      const { app, installation, write } = yield* openWith(registered(agent))
      write({ [settings]: "{}" })
      for (const permissions of ["deny", "approve_reads", "ask", "approve_edits"] as const) {
        const options = { agent: agent.name, permissions, cwd: installation.cwd }
        yield* assertRefused(app, options, /would decide what runs/)
      }
    })
  )
})
