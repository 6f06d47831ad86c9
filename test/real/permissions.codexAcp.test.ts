/** codex-acp keeps each word of `permissions`, as the table says, or refuses it where the repository would decide. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync } from "node:fs"
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
