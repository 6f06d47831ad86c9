/** What Gemini CLI is started with beside its mode, and where it can't be. What its policy refuses: `test/real/permissions.others`. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as Acp from "../../src/agent/acp/driver.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { PermissionPolicy } from "../../src/domain/Permissions.ts"
import { connect } from "./acp.agent.ts"

/** A program called `gemini` that keeps its arguments and a copy of its policy, and is gone. */
const program = Effect.acquireRelease(
  Effect.sync(() => {
    const root = mkdtempSync(join(tmpdir(), "troupe-gemini-test-"))
    const script = `#!/bin/sh\necho "$@" >${root}/arguments\nenv >${root}/environment\n[ -z "$3" ] || cp "$3" ${root}/policy\n`
    writeFileSync(join(root, "gemini"), script, { mode: 0o755 })
    return root
  }),
  (root) => Effect.sync(() => rmSync(root, { recursive: true, force: true }))
)

layer(Processes.layer, { excludeTestServices: true })("Gemini CLI", (it) => {
  it.effect.each(PermissionPolicy.literals)("is started with a policy for %s, which is gone with it", (permissions) =>
    Effect.gen(function* () {
      const root = yield* program
      const env = { PATH: process.env["PATH"] ?? "" }
      const driver = yield* Acp.make({ name: "gemini", command: [join(root, "gemini"), "--acp"], env }, {})
      yield* Effect.flip(Effect.scoped(connect(driver, { permissions })))
      const args = readFileSync(join(root, "arguments"), "utf8").trim().split(" ")
      if (permissions === "approve_all") return assert.deepStrictEqual(args, ["--acp"])
      assert.deepStrictEqual(args.slice(0, 2), ["--acp", "--admin-policy"])
      assert.isFalse(existsSync(args[2] ?? ""))
      const policy = readFileSync(join(root, "policy"), "utf8")
      const shell = policy.slice(policy.indexOf('"run_shell_command"'))
      assert.strictEqual(shell.includes("commandRegex"), permissions === "ask" || permissions === "approve_edits")
      for (const tool of ["google_web_search", "enter_plan_mode"]) assert.include(policy, `toolName = "${tool}"`)
      assert.notInclude(readFileSync(join(root, "environment"), "utf8"), "GEMINI_CLI_TRUST_WORKSPACE")
    })
  )

  it.effect("trusts a directory that its operator trusts", () =>
    Effect.gen(function* () {
      const root = yield* program
      const command = [join(root, "gemini"), "--acp"] as const
      const driver = yield* Acp.make({ name: "gemini", command, env: {} }, { trustedRoots: [root] })
      yield* Effect.flip(Effect.scoped(connect(driver, { cwd: root })))
      assert.include(readFileSync(join(root, "environment"), "utf8"), "GEMINI_CLI_TRUST_WORKSPACE=true")
    })
  )

  it.effect("is refused behind a shell, which may not pass a policy on, but for approve_all", () =>
    Effect.gen(function* () {
      const command = ["sh", "-c", "exec gemini --acp"] as const
      const driver = yield* Acp.make({ name: "wrapped", command, env: {} }, { registry: "gemini", trustedRoots: ["/"] })
      const problemOf = (word: PermissionPolicy) => driver.permissionsProblem?.(word, "/tmp") ?? null
      assert.isNull(problemOf("approve_all"))
      for (const word of ["deny", "approve_reads", "ask", "approve_edits"] as const) {
        assert.match(
          problemOf(word) ?? "",
          /wrapped: Gemini CLI .* is not started directly\. Start it as `gemini --acp`/
        )
      }
    })
  )
})
