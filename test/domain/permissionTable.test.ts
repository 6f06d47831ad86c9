/** The table of permissions: no agent's row allows more than its word. */
import { assert, describe, it } from "@effect/vitest"
import { agents, keeps, words } from "../../src/domain/permissionTable.ts"
import type { AgentRows } from "../../src/domain/permissionTable.ts"
import { PermissionPolicy } from "../../src/domain/Permissions.ts"

describe("the table of permissions", () => {
  for (const [name, { rows }] of Object.entries<AgentRows>(agents)) {
    it(`${name} keeps every word, or says why it can't`, () => {
      for (const word of PermissionPolicy.literals) {
        const kept = rows[word]
        if ("problem" in kept) assert.match(kept.problem, /\.$/)
        else assert.isTrue(keeps(kept, word), word)
      }
    })
  }

  it("a row that allows more than a word does not keep it", () => {
    assert.isFalse(keeps(words.approve_all.row, "ask"))
    assert.isFalse(keeps(words.ask.row, "deny"))
    assert.isFalse(keeps(words.approve_edits.row, "ask"))
    assert.isTrue(keeps(words.deny.row, "approve_all"))
  })
})
