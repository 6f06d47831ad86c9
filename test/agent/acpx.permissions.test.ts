/** Which permissions acpx's agents can't keep in a directory: the driver refuses them, and says what to use instead. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as Acpx from "../../src/agent/acpx/driver.ts"
import { Processes } from "../../src/agent/Processes.ts"
import type { Permissions } from "../../src/domain/Permissions.ts"

const home = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "troupe-acpx-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

layer(Processes.layer, { excludeTestServices: true })("the acpx driver", (it) => {
  it.effect("permissions are refused where the repository decides, or Claude writes unasked, and nowhere else", () =>
    Effect.gen(function* () {
      const folder = yield* home
      const problemOf = Effect.fnUntraced(function* (agent: string, permissions: Permissions, trustedRoots?: [string]) {
        const driver = yield* Acpx.make({ name: `acpx:${agent}`, agent, command: ["acpx"], env: {}, trustedRoots })
        return driver.permissionsProblem?.(permissions, folder) ?? null
      })
      assert.isNull(yield* problemOf("claude", "approve_all"))
      const ofClaude = (yield* problemOf("claude", "deny")) ?? ""
      assert.include(ofClaude, "the hooks and MCP servers of the session's repository")
      assert.include(ofClaude, 'Use "approve_all", or the agent "claude" without acpx (protocol "acp").')
      for (const permissions of ["deny", "approve_reads"] as const) {
        assert.isNull(yield* problemOf("codex", permissions))
        assert.isNull(yield* problemOf("opencode", permissions))
        assert.include((yield* problemOf("gemini", permissions)) ?? "", "it is not started directly")
      }
      assert.include((yield* problemOf("codex", "ask")) ?? "", "where nobody can be asked")
      assert.include((yield* problemOf("gemini", { default: "deny", rules: [] })) ?? "", "none that mean the same")

      mkdirSync(join(folder, ".codex"))
      writeFileSync(join(folder, ".codex/config.toml"), "")
      assert.include((yield* problemOf("codex", "deny")) ?? "", `${join(folder, ".codex")} would decide what runs`)
      assert.isNull(yield* problemOf("opencode", "deny"))
      writeFileSync(join(folder, ".acpxrc.json"), "{}")
      assert.include((yield* problemOf("gemini", "deny")) ?? "", ".acpxrc.json would decide what acpx starts")
      assert.isNull(yield* problemOf("codex", "deny", [folder]))
      assert.isNull(yield* problemOf("codex", "approve_all"))
    })
  )

  it.effect("permissions are refused where npx, which acpx starts, or the agent would obey the repository", () =>
    Effect.gen(function* () {
      const folder = yield* home
      const problemOf = Effect.fnUntraced(function* (agent: string) {
        // An acpx without adapters around it downloads them.
        const driver = yield* Acpx.make({ name: `acpx:${agent}`, agent, command: [join(folder, "acpx")], env: {} })
        return driver.permissionsProblem?.("deny", join(folder, "repository/sub")) ?? null
      })
      mkdirSync(join(folder, "repository/sub"), { recursive: true })
      assert.isNull(yield* problemOf("codex"))
      writeFileSync(join(folder, "repository/.npmrc"), "registry=http://a.test")
      assert.include((yield* problemOf("codex")) ?? "", ".npmrc would decide what runs")
      // Not downloaded.
      assert.isNull(yield* problemOf("cursor"))
      rmSync(join(folder, "repository/.npmrc"))
      assert.isNull(yield* problemOf("opencode"))
      mkdirSync(join(folder, "repository/.opencode"))
      writeFileSync(join(folder, "repository/.opencode/x.json"), "{}")
      assert.include((yield* problemOf("opencode")) ?? "", ".opencode would decide what runs")
    })
  )
})
