/** Git's commands run nothing that a hostile repository names, and keep the settings of their operator. */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { AgentDriver, DriverConfig, OpenRequest } from "../../src/agent/Agent.ts"
import * as Acp from "../../src/agent/acp/driver.ts"
import * as Acpx from "../../src/agent/acpx/driver.ts"
import * as Codex from "../../src/agent/codex/driver.ts"
import * as GitConfig from "../../src/agent/gitConfig.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { connect } from "./acp.agent.ts"
import { freshLease } from "./child.ts"
import * as HostileRepository from "./hostileRepository.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "troupe-git-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

const hostile = Effect.map(temporary, HostileRepository.make)

interface Wishes {
  readonly env?: Readonly<Record<string, string>>
  readonly permissions?: OpenRequest["permissions"]
  readonly trustedRoots?: ReadonlyArray<string>
}

/** What an agent of this repository is started with, of all that concerns git. */
const environment = Effect.fnUntraced(function* (
  repository: HostileRepository.HostileRepository,
  { env = {}, permissions = "ask", trustedRoots }: Wishes = {}
) {
  const own = { PATH: process.env["PATH"] ?? "", HOME: repository.home, GIT_CONFIG_NOSYSTEM: "1", ...env }
  const request = { cwd: repository.path, lease: freshLease(), permissions }
  return { ...env, ...(yield* GitConfig.environment(yield* Processes, request, own, trustedRoots)) }
})

/** What runs of the repository's programs, and what git prints where they do not. */
const commands: ReadonlyArray<{
  readonly args: ReadonlyArray<string>
  readonly runs: ReadonlyArray<string>
  readonly below?: string
  readonly prints?: RegExp
}> = [
  { args: ["status", "--short"], runs: ["clean", "fsmonitor"], prints: /^ M a\.txt\n M b\.bin\n M c\.raw$/m },
  { args: ["diff", "c.raw"], runs: ["external"], prints: /^\+two$/m },
  { args: ["diff", "a.txt"], runs: ["driver"], prints: /^\+more$/m },
  { args: ["log", "-p", "--no-ext-diff", "b.bin"], runs: ["textconv"], prints: /^\+one$/m },
  { args: ["log", "-1", "--show-signature", "signed"], runs: ["gpg"] },
  { args: ["add", "c.raw"], runs: ["clean"], prints: /^$/ },
  { args: ["commit", "--amend", "--no-edit", "-q"], runs: ["hook"], prints: /^$/ },
  { args: ["commit", "--allow-empty"], runs: ["editor"] },
  { args: ["checkout", "-f", "HEAD~1", "--", "c.raw"], runs: ["smudge"] },
  { args: ["merge", "side"], runs: ["merge"] },
  { args: ["st"], runs: ["alias"] },
  { args: ["st"], runs: ["bare"], below: "docs" },
  { args: ["fetch", "ext"], runs: ["ext"] },
  { args: ["fetch", "pack"], runs: ["uploadpack"] },
  { args: ["fetch", "ssh"], runs: ["ssh"] },
  { args: ["ls-remote", "https://user@example.org:1/x"], runs: [] }
]

/** Opens a session of an agent that writes its environment down and is gone. */
const environmentAtStart = Effect.fnUntraced(function* (
  make: (config: DriverConfig) => Effect.Effect<AgentDriver, never, Processes>,
  repository: HostileRepository.HostileRepository,
  changes: Partial<OpenRequest> = {}
) {
  const file = join(repository.home, "environment")
  rmSync(file, { force: true })
  const env = { PATH: process.env["PATH"] ?? "", HOME: repository.home, GIT_CONFIG_NOSYSTEM: "1" }
  const driver = yield* make({ name: "agent", command: ["sh", "-c", `env >${file}`], env })
  yield* Effect.flip(connect(driver, { cwd: repository.path, permissions: "deny", ...changes }))
  assert.isTrue(existsSync(file))
  return /^GIT_CONFIG_PARAMETERS=(.*)$/m.exec(readFileSync(file, "utf8"))?.[1] ?? null
})

layer(Processes.layer, { excludeTestServices: true })("the git of an agent's commands", (it) => {
  it.effect("runs none of a hostile repository's programs, and reads as ever", () =>
    Effect.gen(function* () {
      const repository = yield* hostile
      for (const { args, below, prints = /(?:)/, runs } of commands) {
        const command = `git ${args.join(" ")}`
        repository.git(args, {}, below)
        const ran = repository.ran()
        for (const name of runs) assert.include(ran, name, command)
        repository.restore()
        const output = repository.git(args, yield* environment(repository), below)
        assert.deepStrictEqual(repository.ran(), [], `${command}: ${output}`)
        assert.match(output, prints, command)
        repository.restore()
      }
    })
  )

  it.effect("keeps what its operator has under the same keys, and variables of git's own", () =>
    Effect.gen(function* () {
      const repository = yield* hostile
      const global = `[filter "trap"]\n\tclean = "cat; : \\"it's\\""\n[core]\n\tfsmonitor = ${repository.trap("own")}\n`
      appendFileSync(join(repository.home, ".gitconfig"), global)
      const env = yield* environment(repository, {
        env: {
          GIT_CONFIG_COUNT: "1",
          GIT_CONFIG_KEY_0: "http.extraHeader",
          GIT_CONFIG_VALUE_0: "X: y",
          GIT_CONFIG_PARAMETERS: "'log.date=iso'"
        }
      })
      const get = (key: string) => repository.git(["config", "--get", key], env).trim()
      assert.strictEqual(get("filter.trap.clean"), `cat; : "it's"`)
      assert.strictEqual(get("filter.trap.smudge"), "")
      assert.strictEqual(get("http.extraHeader"), "X: y")
      assert.strictEqual(get("log.date"), "iso")
      // Claude Code's own git would run the repository's filter all the same.
      assert.include(env, { CLAUDE_CODE_DISABLE_GIT_INSTRUCTIONS: "1" })
      repository.git(["status"], env)
      assert.deepStrictEqual(repository.ran(), ["own"])
    })
  )

  it.effect("is left alone where all is approved or trusted, and where there is no git", () =>
    Effect.gen(function* () {
      const repository = yield* hostile
      assert.deepStrictEqual(yield* environment(repository, { permissions: "approve_all" }), {})
      assert.deepStrictEqual(yield* environment(repository, { trustedRoots: [repository.path] }), {})
      const env = { PATH: repository.home }
      assert.deepStrictEqual(yield* environment(repository, { env }), env)
    })
  )

  it.effect("a configuration that can't be taken in whole is refused, and one that git can't read is no problem", () =>
    Effect.gen(function* () {
      const repository = yield* hostile
      const config = join(repository.path, ".git/config")
      writeFileSync(config, `[alias]\n${"\ta = b\n".repeat(100_000)}`)
      const failure = yield* Effect.flip(environment(repository))
      assert.strictEqual(failure.class, "config")
      assert.include(failure.message, `The git configuration of ${repository.path} is too large`)
      writeFileSync(config, "[broken")
      const env = yield* environment(repository)
      assert.include(JSON.stringify(env), "core.fsmonitor=false")
      assert.notProperty(env, "CLAUDE_CODE_DISABLE_GIT_INSTRUCTIONS")
    })
  )

  it.effect.each([
    { name: "ACP", make: (config: DriverConfig) => Acp.make(config, { trustedRoots: ["/trusted"] }) },
    { name: "codex", make: (config: DriverConfig) => Codex.make(config, {}) },
    { name: "acpx", make: (config: DriverConfig) => Acpx.make({ ...config, agent: "codex" }) }
  ])("the driver of $name starts its agent with it, but under approve_all", ({ make }) =>
    Effect.gen(function* () {
      const repository = yield* hostile
      assert.include((yield* environmentAtStart(make, repository)) ?? "", "'filter.trap.clean='")
      assert.isNull(yield* environmentAtStart(make, repository, { permissions: "approve_all" }))
    })
  )
})
