/** codex-acp keeps each word of `permissions`, as the table says, or refuses it where the repository would decide. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { agents } from "../../src/domain/permissionTable.ts"
import { aRow, assertRefused, assertRow, contentOf, open, turnRefusing } from "./harness/permissions.ts"
import { words } from "./harness/short.ts"

const agent = "codex-acp"

describe("codex-acp", () => {
  it.live.each(words)("keeps %s", (word) => assertRow(agent, word, agents["codex-acp"].rows[word]), aRow)

  it.live("shows the command that would run, where codex-acp calls it a read", () =>
    Effect.gen(function* () {
      const { app, installation, outside } = yield* open
      const session = yield* app.create({ agent, permissions: "ask", cwd: installation.cwd })
      const command = `awk 'BEGIN{system("touch ${outside}/awk")}' a.txt`
      const { titles } = yield* turnRefusing(session, `ASK:${command}\nSAY:done`)
      assert.deepStrictEqual(titles, [command])
      assert.isFalse(existsSync(join(outside, "awk")))
    })
  )

  it.live("is refused where rules in its CODEX_HOME would let commands leave the sandbox", () =>
    Effect.gen(function* () {
      const { app, installation, outside } = yield* open
      const cwd = installation.cwd
      const session = yield* app.create({ agent, permissions: "ask", cwd })
      const rules = join(cwd, "../codex-acp/rules")
      mkdirSync(rules)
      writeFileSync(join(rules, "default.rules"), `prefix_rule(pattern=["touch"], decision="allow")\n`)
      for (const permissions of ["deny", "approve_reads", "ask", "approve_edits"] as const) {
        yield* assertRefused(app, { agent, permissions, cwd }, /codex-acp\/rules allow would leave the sandbox/)
      }
      // They came after the session: its agent does not start.
      yield* session.turn(`RUN:touch ${outside}/rule\nSAY:done`)
      assert.isFalse(existsSync(join(outside, "rule")))
      const all = yield* app.create({ agent, permissions: "approve_all", cwd })
      yield* all.turn(`RUN:touch ${outside}/rule\nSAY:done`)
      assert.isTrue(existsSync(join(outside, "rule")))
    })
  )

  it.live(
    "does not have codex write down that it trusts the directory, and is refused where its settings would count",
    () =>
      Effect.gen(function* () {
        const { app, installation, outside, write } = yield* open
        const cwd = installation.cwd
        yield* (yield* app.create({ agent, permissions: "deny", cwd })).turn("hello")
        assert.notInclude(contentOf(join(cwd, "../codex-acp/config.toml")) ?? "", "trust_level")

        write({ ".codex/config.toml": `[mcp_servers.x]\ncommand = "touch"\nargs = ["${outside}/mcp"]\n` })
        for (const permissions of ["deny", "approve_reads", "ask", "approve_edits"] as const) {
          yield* assertRefused(app, { agent, permissions, cwd }, /\.codex would decide what runs.*the agent "codex"/)
        }
        assert.isFalse(existsSync(join(outside, "mcp")))
      })
  )
})
