/** What a person is shown as the kind of a request: by what is asked, whatever the agent calls it. */
import { assert, it } from "@effect/vitest"
import { kindShown, mayReachNetwork } from "../../src/domain/RequestedAction.ts"
import type { RequestedAction } from "../../src/domain/RequestedAction.ts"

const command: RequestedAction = { _tag: "Command", text: "awk x", argv: null, directories: [] }
const other: RequestedAction = { _tag: "Other" }

it("a kind is the agent's own word only where that fits what it asks", () => {
  assert.strictEqual(kindShown(command, "read"), "execute")
  assert.strictEqual(kindShown({ _tag: "Read", paths: [] }, "search"), "search")
  assert.strictEqual(kindShown({ _tag: "Edit", paths: [] }, "delete"), "delete")
  assert.strictEqual(kindShown({ _tag: "Edit", paths: [] }, "read"), "edit")
  assert.strictEqual(kindShown({ _tag: "Network", host: null }, "read"), "fetch")
  assert.strictEqual(kindShown({ _tag: "McpTool", server: null, tool: null }, "edit"), "other")
  assert.strictEqual(kindShown(other, "edit"), "other")
  assert.strictEqual(kindShown(other, "switch_mode"), "switch_mode")
})

it("all but reads and edits of files may reach the network", () => {
  for (const kind of ["read", "search", "edit", "delete", "move"]) assert.isFalse(mayReachNetwork(kind), kind)
  for (const kind of ["execute", "fetch", "other", "switch_mode", "think", ""])
    assert.isTrue(mayReachNetwork(kind), kind)
})
