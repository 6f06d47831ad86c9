/** Permission decisions by a session's rules. */
/* oxlint-disable unicorn/no-thenable -- a rule says what is then, as on the wire */
import { assert, describe, it } from "@effect/vitest"
import { decidePermission } from "../../src/supervision/permissions.ts"
import type { Permissions } from "../../src/domain/Session.ts"

describe("permissions", () => {
  it("permissions without rules approve nothing, reads only, or everything, by their default", () => {
    const kinds = ["read", "search", "edit", "execute", "fetch", "other"]
    const verdict = (permissions: Permissions, kind: string) =>
      decidePermission(permissions, { kind, title: "x" }).outcome
    assert.deepStrictEqual(new Set(kinds.map((kind) => verdict("deny", kind))), new Set(["deny"]))
    assert.deepStrictEqual(
      kinds.filter((kind) => verdict("approve_reads", kind) === "once"),
      ["read", "search"]
    )
    assert.deepStrictEqual(new Set(kinds.map((kind) => verdict("approve_all", kind))), new Set(["once"]))
    assert.deepStrictEqual(new Set(kinds.map((kind) => verdict("ask", kind))), new Set(["ask"]))
  })

  it("the first rule that matches decides, and the default where none does", () => {
    const permissions: Permissions = {
      default: "approve_reads",
      rules: [
        { match: { kind: "execute", titlePrefix: "git push" }, then: "deny" },
        { match: { kind: "execute", titlePrefix: "git " }, then: "approve" },
        { match: { kind: "execute" }, then: "ask" },
        { match: { titlePrefix: "git " }, then: "deny" }
      ]
    }
    const judged = (kind: string, title: string) => {
      const { by, outcome: verdict } = decidePermission(permissions, { kind, title })
      return [verdict, by]
    }
    assert.deepStrictEqual(judged("execute", "git push origin"), ["deny", "rule 1"])
    assert.deepStrictEqual(judged("execute", "git status"), ["once", "rule 2"])
    assert.deepStrictEqual(judged("execute", "rm -r ."), ["ask", "rule 3"])
    assert.deepStrictEqual(judged("read", "git log"), ["deny", "rule 4"])
    assert.deepStrictEqual(judged("read", "a.ts"), ["once", "approve_reads"])
    assert.deepStrictEqual(judged("edit", "a.ts"), ["deny", "approve_reads"])
  })
})
