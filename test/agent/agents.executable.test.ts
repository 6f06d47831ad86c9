/** How an agent's program is found on disk, and which version it has. No agent is started. */
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { versionIn } from "../../src/agent/agentVersion.ts"
import * as Executable from "../../src/agent/executable.ts"
import * as Launch from "../../src/agent/Launch.ts"
import { directory, program } from "./programFile.ts"

describe("an executable", () => {
  it.effect("an executable is looked for along the given PATH, in its order", () =>
    Effect.gen(function* () {
      const root = yield* directory
      const [first, second] = [program(join(root, "a", "tool")), program(join(root, "b", "tool"))]
      const path = `:relative:${join(root, "none")}:${dirname(first)}:${dirname(second)}`
      assert.strictEqual(Executable.find("tool", path), first)
      chmodSync(first, 0o644)
      assert.strictEqual(Executable.find("tool", path), second)
      rmSync(second)
      mkdirSync(second)
      assert.isNull(Executable.find("tool", path))
      assert.isNull(Executable.find("tool", undefined))
      assert.isNull(Executable.find("tool", "a:b:", root))
    })
  )

  it.effect("an executable can be named by its path", () =>
    Effect.gen(function* () {
      const root = yield* directory
      const file = program(join(root, "a", "tool"))
      assert.strictEqual(Executable.find(file, undefined), file)
      assert.strictEqual(Executable.find("a/tool", undefined, root), file)
      assert.strictEqual(Executable.find("./tool", undefined, dirname(file)), file)
      assert.isNull(Executable.find("./tool", dirname(file), root))
    })
  )
})

describe("the version of a program", () => {
  it.effect("the version is that of the program's package, through any link", () =>
    Effect.gen(function* () {
      const root = yield* directory
      const home = join(root, "node_modules", "@some", "agent")
      const file = program(join(home, "dist", "bin", "cli.js"))
      writeFileSync(join(home, "dist", "package.json"), '{"type":"module"}')
      writeFileSync(join(home, "package.json"), '{"name":"@some/agent","version":"4.5.6-beta.1"}')
      mkdirSync(join(root, "bin"))
      symlinkSync(file, join(root, "bin", "agent"))
      assert.strictEqual(Launch.packageVersion(join(root, "bin", "agent")), "4.5.6-beta.1")
      assert.strictEqual(Launch.programOf([process.execPath, file]), file)
      writeFileSync(join(home, "package.json"), "no JSON")
      assert.isNull(Launch.packageVersion(file))
    })
  )

  it.effect("the version is not that of a project or of an interpreter around the program", () =>
    Effect.gen(function* () {
      const root = yield* directory
      const file = program(join(root, "agent.sh"))
      writeFileSync(join(root, "package.json"), '{"name":"project","version":"9.9.9"}')
      assert.isNull(Launch.packageVersion(file))
      assert.isNull(Launch.packageVersion("/no/such/file"))
      assert.isNull(Launch.programOf(["/usr/bin/npx", "-y", "agent"]))
      assert.isNull(Launch.programOf(["/usr/bin/python3"]))
      assert.strictEqual(Launch.programOf([file, "--acp"]), file)
      assert.isTrue(Launch.answersVersion([file, "--acp"]))
      assert.isFalse(Launch.answersVersion([process.execPath, file]))
    })
  )

  it("the version is the first text that looks like one", () => {
    const versions = [
      "codex-cli 0.169.0\n",
      "2.1.328 (Claude Code)",
      "v1.2.3-beta.4",
      "tool 3.1",
      "none at all",
      "build 7"
    ]
    assert.deepStrictEqual(versions.map(versionIn), ["0.169.0", "2.1.328", "1.2.3-beta.4", "3.1", null, null])
  })
})
