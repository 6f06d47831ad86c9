/** What is within an app's bounds: words and rules by their width, agents by name, directories by whole names. */
import { assert, describe, it } from "@effect/vitest"
import { boundsProblem, boundsSentence } from "../../src/domain/appBounds.ts"
import type { AppBounds } from "../../src/domain/appBounds.ts"
import { PermissionPolicy } from "../../src/domain/Permissions.ts"
import type { Permissions, RuleOutcome } from "../../src/domain/Permissions.ts"

const rule = (outcome: RuleOutcome): Permissions => ({
  default: "deny",
  // oxlint-disable-next-line unicorn/no-thenable -- the key of a rule
  rules: [{ match: { kind: "read" }, then: outcome }]
})

const isAllowed = (bounds: AppBounds, permissions: Permissions) => boundsProblem(bounds, { permissions }) === null

describe("the bounds of an app", () => {
  it("allow the words that are no wider than the widest", () => {
    const words: ReadonlyArray<PermissionPolicy> = PermissionPolicy.literals
    assert.deepStrictEqual<ReadonlyArray<string>>(words, [
      "deny",
      "approve_reads",
      "ask",
      "approve_edits",
      "approve_all"
    ])
    for (const [width, maxPermissions] of words.entries()) {
      assert.deepStrictEqual(
        words.filter((word) => isAllowed({ maxPermissions }, word)),
        words.slice(0, width + 1)
      )
      assert.deepStrictEqual(
        words.filter((word) => isAllowed({ maxPermissions }, { default: word, rules: [] })),
        words.slice(0, width + 1)
      )
    }
  })

  it("take a rule that asks for ask, and one that approves for approve_all, whatever it matches", () => {
    const allowed = (outcome: RuleOutcome): ReadonlyArray<PermissionPolicy> =>
      PermissionPolicy.literals.filter((maxPermissions) => isAllowed({ maxPermissions }, rule(outcome)))
    assert.deepStrictEqual(allowed("deny"), [...PermissionPolicy.literals])
    assert.deepStrictEqual(allowed("ask"), ["ask", "approve_edits", "approve_all"])
    assert.deepStrictEqual(allowed("approve"), ["approve_all"])
    assert.strictEqual(
      boundsProblem({ maxPermissions: "ask" }, { permissions: rule("approve") }),
      'permissions.rules[0].then "approve", which needs "approve_all", is wider than the operator allows this app: "ask" at most.'
    )
  })

  it("without the network have no room for approve_all, nor for a rule that approves", () => {
    const bounds = { network: false, maxPermissions: "approve_all" } as const
    assert.isTrue(isAllowed(bounds, "approve_edits"))
    assert.isFalse(isAllowed(bounds, "approve_all"))
    assert.isFalse(isAllowed({ network: false }, rule("approve")))
    assert.isTrue(isAllowed({ network: true }, "approve_all"))
    assert.strictEqual(
      boundsProblem({ network: false }, { permissions: "approve_all" }),
      'permissions "approve_all" gives the agent the network, which the operator does not allow this app.'
    )
  })

  it("take a word that this version does not know for no narrow one", () => {
    const later = "approve_more" as PermissionPolicy
    assert.isFalse(isAllowed({ maxPermissions: "approve_all" }, later))
    assert.isFalse(isAllowed({ network: false }, later))
    assert.isFalse(isAllowed({ maxPermissions: later }, "deny"))
  })

  it("compare directories by whole names", () => {
    const isWithin = (root: string, realCwd: string) => boundsProblem({ cwdRoots: [root] }, { realCwd }) === null
    assert.isTrue(isWithin("/srv/repos", "/srv/repos"))
    assert.isTrue(isWithin("/srv/repos/", "/srv/repos/a/b"))
    assert.isTrue(isWithin("/", "/anywhere"))
    assert.isFalse(isWithin("/srv/repos", "/srv/repos-evil"))
    assert.isFalse(isWithin("/srv/repos", "/srv"))
    assert.isFalse(isWithin("/srv/repos", "/other/srv/repos"))
    assert.isNull(boundsProblem({ cwdRoots: ["/a", "/b"] }, { realCwd: "/b/c" }))
    assert.strictEqual(
      boundsProblem({ cwdRoots: ["/a", "/b"] }, { realCwd: "/c" }),
      "cwd is outside the directories that the operator allows this app: /a, /b."
    )
    assert.strictEqual(
      boundsProblem({ cwdRoots: [] }, { realCwd: "/c" }),
      "cwd is outside the directories that the operator allows this app: none."
    )
  })

  it("allow the agents that they name, and everything where they are empty", () => {
    assert.isNull(boundsProblem({ agents: ["codex", "demo"] }, { agent: "demo" }))
    assert.strictEqual(
      boundsProblem({ agents: ["codex"] }, { agent: "claude" }),
      'agent "claude" is not among those that the operator allows this app: codex.'
    )
    assert.isNull(boundsProblem({}, { agent: "any", permissions: "approve_all", realCwd: "/" }))
  })

  it("are a line for a person", () => {
    const bounds = { maxPermissions: "ask", agents: ["codex"], cwdRoots: ["/a", "/b"], network: false } as const
    assert.strictEqual(boundsSentence(bounds), "at most ask; agents: codex; below: /a, /b; no network")
  })
})
