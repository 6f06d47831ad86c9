/** Permission decisions by a session's rules. */
/* oxlint-disable unicorn/no-thenable -- a rule says what is then, as on the wire */
import { assert, describe, it } from "@effect/vitest"
import { decidePermission } from "../../src/supervision/permissions.ts"
import type { Permissions } from "../../src/domain/Session.ts"

describe("the policy", () => {
  it("says yes to nothing by default, to looking where that is allowed, to all where that is", () => {
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

  it("goes by the first rule that matches, whatever the later ones say, and by its default where none does", () => {
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
