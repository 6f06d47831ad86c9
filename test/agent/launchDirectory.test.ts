/** Where an agent starts, so that what its launcher takes from its directory is not the session's repository. */
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as Acp from "../../src/agent/acp/driver.ts"
import { mcpServersOf, startsFromItsDirectory } from "../../src/agent/launchDirectory.ts"
import type { AgentDriver, DriverConfig } from "../../src/agent/Agent.ts"
import * as Codex from "../../src/agent/codex/driver.ts"
import * as Executable from "../../src/agent/executable.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import { connect } from "./acp.agent.ts"
import { scriptFolder } from "./acp.script.ts"
import { freshLease } from "./child.ts"
import { run } from "./oneshot.claude.ts"

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

type MakeDriver = (config: DriverConfig) => Effect.Effect<AgentDriver, never, Processes>

/** Lists an agent's conversations of a directory; no agent of these tests has any. */
const list = Effect.fnUntraced(function* (driver: AgentDriver, cwd: string) {
  const request = { session: SessionId.make("ses_list"), lease: freshLease(), spawned: () => Effect.void }
  const { threads } = driver
  if (threads === undefined) return assert.fail("it has no list")
  return yield* Effect.result(Effect.scoped(threads(request, { cwd, cursor: null, limit: 5 })))
})

layer(Processes.layer, { excludeTestServices: true })("an agent that npx starts", (it) => {
  const npx = Executable.find("npx", process.env["PATH"])
  const makers: ReadonlyArray<{ readonly name: string; readonly make: MakeDriver }> = [
    { name: "ACP", make: (config) => Acp.make(config, { registry: "claude" }) },
    { name: "codex", make: (config) => Codex.make(config, {}) }
  ]

  for (const { make, name } of makers) {
    it.effect.skipIf(npx === null)(`is not what the session's repository has under its name (${name})`, () =>
      Effect.gen(function* () {
        const root = yield* temporary
        const { repository, trace } = hostile(root)
        const env = { PATH: process.env["PATH"] ?? "", HOME: root, npm_config_offline: "true" }
        const command = [npx ?? "npx", "-y", "some-agent@^1.0.0"] as const
        execFileSync(command[0], command.slice(1), { cwd: repository, env })
        assert.isTrue(existsSync(trace), "npx takes it from the directory in which it starts")
        rmSync(trace)
        const driver = yield* make({ name: "fetched", command, env })
        const result = yield* Effect.result(connect(driver, { cwd: repository, permissions: "deny" }))
        assert.strictEqual(result._tag, "Failure")
        assert.isFalse(existsSync(trace))
        assert.strictEqual((yield* list(driver, repository))._tag, "Failure")
        assert.isFalse(existsSync(trace), "nor for a list of its conversations")
      })
    )
  }

  it.effect.skipIf(npx === null)("is not what the directory of a run has under its name", () =>
    Effect.gen(function* () {
      const root = yield* temporary
      const { repository, trace } = hostile(root)
      const spec = {
        command: ["npx", "-y", "some-agent@^1.0.0"] as const,
        env: { HOME: root, npm_config_offline: "true" }
      }
      assert.isFalse((yield* run("show", { cwd: repository }, spec)).ok)
      assert.isFalse(existsSync(trace))
    })
  )

  it.effect.each(makers)(
    "lists its conversations from the home directory, also of a directory that is gone ($name)",
    ({ make }) =>
      Effect.gen(function* () {
        const home = yield* temporary
        const program = join(home, "npx")
        script(program, `pwd >${home}/where`)
        const driver = yield* make({ name: "listed", command: [program, "x"], env: { HOME: home } })
        yield* list(driver, join(home, "gone"))
        assert.strictEqual(readFileSync(join(home, "where"), "utf8").trim(), realpathSync(home))
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

  it.effect.skipIf(npx === null)("is no MCP server that the session's repository has under its name", () =>
    Effect.gen(function* () {
      const root = yield* temporary
      const processes = yield* Processes
      const { repository, trace } = hostile(root)
      const own = { name: "own", command: process.execPath, args: ["./server.js"] }
      const server = {
        name: "fetched",
        command: "npx",
        args: ["-y", "some-agent@^1.0.0", "it's $HOME"],
        env: { A: "1" }
      }
      const request = { cwd: repository, permissions: "deny", mcpServers: [own, server] } as const
      // As an agent starts it: in the session's directory.
      const start = ({ args, command }: { readonly command: string; readonly args?: ReadonlyArray<string> }) =>
        spawnSync(command, [...(args ?? [])], {
          cwd: repository,
          env: { PATH: process.env["PATH"], HOME: root, npm_config_offline: "true" }
        }).status
      const [unchanged, launched] = yield* mcpServersOf(processes, request, undefined)
      assert.deepStrictEqual(unchanged, own)
      assert.deepInclude(launched, { name: "fetched", env: { A: "1" } })
      if (launched === undefined || !("command" in launched)) return assert.fail("it is no program any more")
      assert.notStrictEqual(start(launched), 0)
      assert.isFalse(existsSync(trace))
      // Its arguments reach it as they are.
      script(join(root, "npx"), `printf '%s|' "$@"`)
      const named = { ...server, command: join(root, "npx") }
      const echo = yield* mcpServersOf(processes, { ...request, mcpServers: [named] }, undefined)
      const [echoing] = echo
      if (echoing === undefined || !("command" in echoing)) return assert.fail("it is no program any more")
      assert.strictEqual(
        execFileSync(echoing.command, [...(echoing.args ?? [])], { encoding: "utf8" }),
        "-y|some-agent@^1.0.0|it's $HOME|"
      )
      for (const permissions of ["approve_all", "deny"] as const) {
        const roots = permissions === "deny" ? [root] : undefined
        const trusted = yield* mcpServersOf(processes, { ...request, permissions }, roots)
        assert.deepStrictEqual(trusted, request.mcpServers)
      }
      assert.strictEqual(start(server), 0)
      assert.isTrue(existsSync(trace), "npx takes it from the directory in which it starts")
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
