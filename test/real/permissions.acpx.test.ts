/** Agents behind acpx keep each word of `permissions`, as the table says, or creating the session is refused. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { agents } from "../../src/domain/permissionTable.ts"
import type { AgentRows } from "../../src/domain/permissionTable.ts"
import { aRow, assertRefused, assertRow, openWith } from "./harness/permissions.ts"
import { words } from "./harness/short.ts"

const codexBehindAcpx = { "acpx-codex": { protocol: "acpx", registry: "codex", inheritEnv: ["OPENAI_API_KEY"] } }

const cases = [
  { agent: "claude-via-acpx", more: {}, table: agents["acpx claude"] },
  { agent: "acpx-codex", more: codexBehindAcpx, table: agents["acpx codex"] }
] satisfies ReadonlyArray<{ readonly agent: string; readonly more: object; readonly table: AgentRows }>

describe.each(cases)("$agent", ({ agent, more, table }) => {
  const rows: AgentRows["rows"] = table.rows
  const kept = words.filter((word) => !("problem" in rows[word]))

  it.live.each(kept)(
    "keeps %s",
    (word) => {
      const row = rows[word]
      return "problem" in row ? assert.fail(word) : assertRow(agent, word, row, { more, withoutMcp: true })
    },
    4 * aRow
  )

  it.live("is refused the words that it can't keep, and rules, with the reason", () =>
    Effect.gen(function* () {
      const { app, installation } = yield* openWith(more)
      for (const permissions of words.filter((word) => "problem" in rows[word])) {
        yield* assertRefused(app, { agent, permissions, cwd: installation.cwd }, /behind acpx.*without acpx/)
      }
      // oxlint-disable-next-line unicorn/no-thenable -- the key of a rule
      const rules = { default: "deny", rules: [{ match: { kind: "edit" }, then: "approve" }] } as const
      yield* assertRefused(app, { agent, permissions: rules, cwd: installation.cwd }, /behind acpx.*without acpx/)
    })
  )
})
