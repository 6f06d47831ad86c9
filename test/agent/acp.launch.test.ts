/** Where an ACP agent starts, so that what its launcher takes from its directory is not the session's repository. */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as Acp from "../../src/agent/acp/driver.ts"
import { startsFromItsDirectory } from "../../src/agent/acp/launchDirectory.ts"
import * as Executable from "../../src/agent/executable.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { connect } from "./acp.agent.ts"
import { scriptFolder } from "./acp.script.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "troupe-launch-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

const script = (file: string, lines: string) => writeFileSync(file, `#!/bin/sh\n${lines}\n`, { mode: 0o755 })

/** A repository that has the agent's package in it, whose program leaves a trace. */
const hostile = (root: string) => {
  const repository = join(root, "repository")
  const module = join(repository, "node_modules", "some-agent")
  mkdirSync(module, { recursive: true })
  writeFileSync(join(repository, "package.json"), "{}")
  writeFileSync(join(module, "package.json"), '{"name":"some-agent","version":"1.2.3","bin":{"some-agent":"run.sh"}}')
  script(join(module, "run.sh"), `touch ${root}/trace`)
  mkdirSync(join(repository, "node_modules", ".bin"))
  execFileSync("ln", ["-s", "../some-agent/run.sh", join(repository, "node_modules/.bin/some-agent")])
  return { repository, trace: join(root, "trace") }
}

layer(Processes.layer, { excludeTestServices: true })("an ACP agent that npx starts", (it) => {
  const npx = Executable.find("npx", process.env["PATH"])

  it.effect.skipIf(npx === null)("is not what the session's repository has under its name", () =>
    Effect.gen(function* () {
      const root = yield* temporary
      const { repository, trace } = hostile(root)
      const env = { PATH: process.env["PATH"] ?? "", HOME: root, npm_config_offline: "true" }
      const command = [npx ?? "npx", "-y", "some-agent@^1.0.0"] as const
      execFileSync(command[0], command.slice(1), { cwd: repository, env })
      assert.isTrue(existsSync(trace), "npx takes it from the directory in which it starts")
      rmSync(trace)
      const driver = yield* Acp.make({ name: "fetched", command, env }, {})
      const result = yield* Effect.result(connect(driver, { cwd: repository, permissions: "deny" }))
      assert.strictEqual(result._tag, "Failure")
      assert.isFalse(existsSync(trace))
    })
  )

  it.effect("works in the session's directory all the same, and its own is gone with it", () =>
    Effect.gen(function* () {
      const root = yield* temporary
      const folder = scriptFolder()
      yield* Effect.addFinalizer(() => Effect.sync(folder.remove))
      const agent = folder.command({})
      script(join(root, "npx"), `pwd >${root}/where\nexec ${agent.map((word) => `'${word}'`).join(" ")}`)
      const driver = yield* Acp.make({ name: "fetched", command: [join(root, "npx"), "-y", "x"], env: {} }, {})
      const where = yield* Effect.scoped(
        Effect.gen(function* () {
          yield* connect(driver, { cwd: root })
          const directory = execFileSync("cat", [join(root, "where")], { encoding: "utf8" }).trim()
          assert.isTrue(existsSync(directory))
          return directory
        })
      )
      assert.notStrictEqual(where, root)
      assert.isFalse(existsSync(where))
      const opened = folder.received().find(({ method }) => method === "session/new")
      assert.containSubset(opened?.params, { cwd: root })
    })
  )

  it("is known behind a wrapper, and no agent that is started directly is taken for one", () => {
    for (const command of [
      ["npx", "x"],
      ["/usr/bin/uvx", "x"],
      ["sh", "-c", "exec npx -y x"],
      ["env", "A=1", "bunx", "x"],
      ["python3.12", "-m", "x"]
    ])
      assert.isTrue(startsFromItsDirectory(command), command.join(" "))
    for (const command of [
      ["claude-agent-acp"],
      ["/opt/npx-agents/bin/agent", "--acp"],
      [process.execPath, "/x/bun.js"]
    ])
      assert.isFalse(startsFromItsDirectory(command), command.join(" "))
  })
})
