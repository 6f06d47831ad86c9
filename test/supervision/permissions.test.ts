/** Permission decisions by a session's rules and its policy. */
/* oxlint-disable unicorn/no-thenable -- a rule says what is then, as on the wire */
import { assert, describe, it } from "@effect/vitest"
import { askingPolicyOf, PermissionPolicy, problemOfPermissions } from "../../src/domain/Permissions.ts"
import type { PermissionMatch, PermissionRules, Permissions } from "../../src/domain/Permissions.ts"
import type { RequestedAction } from "../../src/domain/RequestedAction.ts"
import { simpleCommand } from "../../src/domain/simpleCommand.ts"
import { decidePermission } from "../../src/supervision/permissions.ts"
import { nowhere } from "../../src/supervision/placement.ts"
import type { Placement } from "../../src/supervision/placement.ts"

const inside: Placement = { ...nowhere, inside: true }
const hooks: Placement = { ...inside, protected: true }
const attached: Placement = { ...nowhere, attached: true }

const read: RequestedAction = { _tag: "Read", paths: ["a.ts"] }
const edit: RequestedAction = { _tag: "Edit", paths: ["a.ts"] }
const command = (text: string): RequestedAction => ({
  _tag: "Command",
  text,
  argv: simpleCommand(text),
  directories: []
})

const decided = (permissions: Permissions, action: RequestedAction, placement: Placement = nowhere) => {
  const { by, outcome } = decidePermission(permissions, { action, placement })
  return `${outcome} by ${by}`
}

describe("permissions without rules", () => {
  const cases: ReadonlyArray<readonly [string, RequestedAction, Placement]> = [
    ["read inside", read, inside],
    ["read outside", read, nowhere],
    ["edit inside", edit, inside],
    ["edit of a hook", edit, hooks],
    ["edit outside", edit, nowhere],
    ["command", command("ls"), nowhere],
    ["network", { _tag: "Network", host: "a.test" }, nowhere],
    ["MCP tool", { _tag: "McpTool", server: "s", tool: "t" }, nowhere],
    ["other", { _tag: "Other" }, nowhere]
  ]
  const approved = (policy: PermissionPolicy) =>
    cases.flatMap(([name, action, placement]) =>
      decidePermission(policy, { action, placement }).outcome === "once" ? [name] : []
    )
  const outcomes = (policy: PermissionPolicy) =>
    new Set(cases.map(([, action, placement]) => decidePermission(policy, { action, placement }).outcome))

  it("each word approves what it says, and refuses or asks for the rest", () => {
    assert.deepStrictEqual(approved("deny"), [])
    assert.deepStrictEqual(approved("approve_reads"), ["read inside"])
    assert.deepStrictEqual(approved("ask"), [])
    assert.deepStrictEqual(approved("approve_edits"), ["read inside", "edit inside"])
    assert.strictEqual(approved("approve_all").length, cases.length)
    assert.deepStrictEqual(outcomes("deny"), new Set(["deny"]))
    assert.deepStrictEqual(outcomes("approve_reads"), new Set(["once", "deny"]))
    assert.deepStrictEqual(outcomes("ask"), new Set(["ask"]))
    assert.deepStrictEqual(outcomes("approve_edits"), new Set(["once", "ask"]))
  })

  it("a sub-agent may be started under every word, unless a rule says otherwise, because its calls are asked for", () => {
    for (const policy of PermissionPolicy.literals)
      assert.strictEqual(decided(policy, { _tag: "SubAgent" }), "once by sub-agent")
    const permissions: Permissions = { default: "approve_all", rules: [{ match: { kind: "other" }, then: "deny" }] }
    assert.strictEqual(decided(permissions, { _tag: "SubAgent" }), "deny by rule 1")
  })

  it("a file that was attached is readable under every word, and not writable", () => {
    for (const policy of PermissionPolicy.literals) {
      assert.strictEqual(decided(policy, read, attached), "once by attachment")
      if (policy !== "approve_all") assert.notInclude(decided(policy, edit, attached), "once")
    }
  })
})

describe("rules", () => {
  const rules = (...matches: ReadonlyArray<readonly [PermissionMatch, "approve" | "deny" | "ask"]>): Permissions => ({
    default: "deny",
    rules: matches.map(([match, then]) => ({ match, then }))
  })

  it("have the agent ask for all that it can, but where they only deny what is denied already", () => {
    const deny = rules([{ kind: "fetch" }, "deny"])
    const approve = rules([{ kind: "fetch" }, "deny"], [{ command: ["ls"] }, "approve"])
    assert.deepStrictEqual([deny, approve, rules()].map(askingPolicyOf), ["deny", "ask", "deny"])
    const wider = PermissionPolicy.literals.map((word) =>
      askingPolicyOf({ ...(deny as PermissionRules), default: word })
    )
    assert.deepStrictEqual(wider, ["deny", "approve_reads", "ask", "ask", "ask"])
  })

  it("the first that matches decides, and the default where none does", () => {
    const permissions = rules(
      [{ command: ["git", "push", "*"] }, "deny"],
      [{ command: ["git", "*"] }, "approve"],
      [{ kind: "execute" }, "ask"]
    )
    assert.strictEqual(decided(permissions, command("git push origin")), "deny by rule 1")
    assert.strictEqual(decided(permissions, command("git status")), "once by rule 2")
    assert.strictEqual(decided(permissions, command("rm -r .")), "ask by rule 3")
    // In another directory the same words are another command.
    const elsewhere = { ...nowhere, elsewhere: true }
    assert.strictEqual(decided(permissions, command("git push origin"), elsewhere), "deny by rule 1")
    assert.strictEqual(decided(permissions, command("git status"), elsewhere), "ask by rule 3")
    assert.strictEqual(decided(permissions, read, inside), "deny by deny")
  })

  it("a command matches word for word, and only as one simple command", () => {
    const permissions = rules(
      [{ command: ["git", "status"] }, "approve"],
      [{ command: ["npm", "run", "*"] }, "approve"]
    )
    for (const text of ["git status", "git  status", "'git' \"status\"", "npm run", "npm run test -- -t x"])
      assert.match(decided(permissions, command(text)), /^once/, text)
    for (const text of [
      "git status; rm x",
      "git status -s",
      "git",
      "gits status",
      "/tmp/git status",
      "git status && rm x",
      "git status | sh",
      "git status > x",
      "git status\nrm x",
      "git status $(rm x)",
      "git status `rm x`",
      "GIT_PAGER=x git status",
      "npm run test & rm x",
      "npm run $X",
      "npm run te*t"
    ])
      assert.match(decided(permissions, command(text)), /^deny/, text)
  })

  it("a rule that approves reads or edits without a path does so below the session's directory", () => {
    const permissions = rules([{ kind: "read" }, "approve"], [{ kind: "edit" }, "approve"])
    assert.strictEqual(decided(permissions, read, inside), "once by rule 1")
    assert.strictEqual(decided(permissions, read), "deny by deny")
    assert.strictEqual(decided(permissions, edit, inside), "once by rule 2")
    assert.strictEqual(decided(permissions, edit, hooks), "deny by deny")
    assert.strictEqual(decided(permissions, edit), "deny by deny")
    // What an agent calls a read and runs as a command is a command.
    assert.strictEqual(decided(permissions, command("awk 'BEGIN{system(1)}' a"), inside), "deny by deny")
  })

  it("a rule with a path approves where all files are below it, and refuses where one may be", () => {
    const docs = { ...inside, allBelow: (path: string) => path === "docs", anyBelow: (path: string) => path === "docs" }
    assert.strictEqual(decided(rules([{ kind: "edit", path: "docs" }, "approve"]), edit, docs), "once by rule 1")
    assert.strictEqual(decided(rules([{ kind: "edit", path: "src" }, "approve"]), edit, docs), "deny by deny")
    // Also where that is not the session's directory, or is protected: who names a path means it.
    const outside = { ...docs, inside: false, protected: true }
    assert.strictEqual(decided(rules([{ kind: "edit", path: "docs" }, "approve"]), edit, outside), "once by rule 1")
    assert.strictEqual(decided(rules([{ kind: "read", path: "docs" }, "approve"]), read, outside), "once by rule 1")
    const refusing: Permissions = { default: "approve_all", rules: [{ match: { path: "docs" }, then: "deny" }] }
    assert.strictEqual(decided(refusing, edit, { ...docs, allBelow: () => false }), "deny by rule 1")
    assert.strictEqual(decided(refusing, edit, inside), "once by approve_all")
  })

  it("a rule of another version, with a key that this one does not know, never approves and always refuses", () => {
    const match = { titlePrefix: "git " } as PermissionMatch
    assert.strictEqual(decided(rules([match, "approve"]), command("git status")), "deny by deny")
    const refusing: Permissions = { default: "approve_all", rules: [{ match, then: "deny" }] }
    assert.strictEqual(decided(refusing, command("git status")), "deny by rule 1")
  })
})

it("permissions of a program without types are refused with the field that is wrong", () => {
  const field = (permissions: unknown) => problemOfPermissions(permissions as Permissions)?.field
  assert.strictEqual(field("everything"), "permissions")
  assert.strictEqual(field({ default: "all", rules: [] }), "permissions.default")
  const rule = (match: object, then: string) => ({ default: "ask", rules: [{ match, then }] })
  assert.strictEqual(field(rule({ kind: "read" }, "allow")), "permissions.rules[0].then")
  assert.strictEqual(field(rule({}, "approve")), "permissions.rules[0].match")
  assert.strictEqual(field(rule({ title: "x" }, "approve")), "permissions.rules[0].match")
  assert.strictEqual(field(rule({ command: ["*"] }, "approve")), "permissions.rules[0].match.command")
  assert.isUndefined(field(rule({ command: ["git", "*"] }, "approve")))
})
