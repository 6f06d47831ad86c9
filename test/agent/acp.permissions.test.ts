/** How ACP agents are configured so that a session's permissions hold, and where that is refused. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as Acp from "../../src/agent/acp/driver.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { PermissionPolicy } from "../../src/domain/Permissions.ts"
import type { Permissions } from "../../src/domain/Permissions.ts"
import { claude, codexAcp, modes, opens } from "./acp.adapters.ts"
import { scripted } from "./acp.script.ts"
import type { Script, ScriptFolder } from "./acp.script.ts"

const other: Script = { replies: opens(modes("agent", "ask", "default")) }

const sent = ({ received }: ScriptFolder, method: string) =>
  received().flatMap((entry) => (entry.method === method ? [entry.params as Readonly<Record<string, unknown>>] : []))

/** The options for Claude's SDK in the parameters of a request. */
const optionsIn = (params: Readonly<Record<string, unknown>> | undefined) => {
  const meta = params?.["_meta"] as { claudeCode: { options: { tools?: ReadonlyArray<string> } } }
  return meta.claudeCode.options
}

/** A directory with these files, in a git repository unless it is said otherwise. */
const repository = (files: Readonly<Record<string, string>>, isRepository = true) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const root = realpathSync(mkdtempSync(join(tmpdir(), "troupe-repo-")))
      const all = isRepository ? { ".git/HEAD": "ref: refs/heads/main\n", ...files } : files
      for (const [name, text] of Object.entries(all)) {
        mkdirSync(dirname(join(root, name)), { recursive: true })
        writeFileSync(join(root, name), text)
      }
      return root
    }),
    (root) => Effect.sync(() => rmSync(root, { recursive: true, force: true }))
  )

layer(Processes.layer, { excludeTestServices: true })("an ACP agent", (it) => {
  describe.each(PermissionPolicy.literals)("under %s", (permissions) => {
    const modesOf = (folder: ScriptFolder) => sent(folder, "session/set_mode").map(({ modeId }) => modeId)

    it.effect("has a mode in which it asks, again when it is resumed", () =>
      Effect.gen(function* () {
        const isAll = permissions === "approve_all"
        for (const thread of [null, "thread-1"]) {
          const { folder: ofClaude } = yield* scripted(claude, { permissions, thread })
          assert.deepStrictEqual(modesOf(ofClaude), ["default"])
          const { folder: ofCodex } = yield* scripted(codexAcp, { permissions, thread })
          assert.deepStrictEqual(modesOf(ofCodex), [isAll ? "workspace-write" : "read-only"])
          const { folder: ofOther } = yield* scripted(other, { permissions })
          assert.deepStrictEqual(modesOf(ofOther), ["default"])
        }
      })
    )

    it.effect("is no Claude to whom the repository's settings say anything", () =>
      Effect.gen(function* () {
        const cwd = yield* repository({ ".claude/settings.json": "{}" })
        for (const [thread, method] of [
          [null, "session/new"],
          ["thread-1", "session/resume"]
        ] as const) {
          const { folder } = yield* scripted(claude, { permissions, cwd, thread })
          const [params] = sent(folder, method)
          const { tools, ...sentOptions } = optionsIn(params)
          // Claude's own tools that write, or decide, without a question.
          const unasked = ["CronCreate", "EnterPlanMode", "EnterWorktree", "Workflow", "ScheduleWakeup"]
          if (permissions === "approve_all") assert.isUndefined(tools)
          else assert.isTrue(tools?.includes("Bash") === true && !unasked.some((name) => tools.includes(name)))
          const ask = {
            settings: {
              autoMemoryEnabled: false,
              useAutoModeDuringPlan: false,
              permissions: { ask: ["Edit", "Write", "NotebookEdit", "Agent"] }
            }
          }
          assert.deepStrictEqual(sentOptions, {
            promptSuggestions: false,
            allowDangerouslySkipPermissions: false,
            settingSources: ["user"],
            strictMcpConfig: true,
            ...(permissions === "approve_all" ? {} : ask)
          })
        }
      })
    )
  })

  it.effect("takes a trusted repository's settings as Claude Code does for a person", () =>
    Effect.gen(function* () {
      const cwd = yield* repository({ "CLAUDE.md": "Be kind.", "sub/a.txt": "" })
      const options = Effect.fnUntraced(function* (trustedRoots: ReadonlyArray<string>) {
        const { folder } = yield* scripted(claude, { cwd: join(cwd, "sub") }, { trustedRoots })
        const [params] = sent(folder, "session/new")
        return params
      })
      const trusted = yield* options(["/elsewhere", cwd])
      assert.containSubset(trusted, {
        _meta: { claudeCode: { options: { settingSources: ["user", "project", "local"] } } }
      })
      assert.notProperty(trusted, "systemPrompt")
      // A name that only begins like a trusted one is not below it.
      const stranger = yield* options([cwd.slice(0, -1)])
      assert.containSubset(stranger, { _meta: { claudeCode: { options: { strictMcpConfig: true } } } })
      assert.property(stranger, "systemPrompt")
    })
  )

  const systemPromptOf = Effect.fnUntraced(function* (cwd: string, systemPrompt: string | null = null) {
    const { folder } = yield* scripted(claude, { cwd, systemPrompt })
    const [params] = sent(folder, "session/new")
    const { content } = (params ?? {})["systemPrompt"] as { readonly content: ReadonlyArray<{ readonly text: string }> }
    return content.map(({ text }) => text).join("")
  })

  it.effect("gets the repository's CLAUDE.md as text, the outermost first, in front of the app's own words", () =>
    Effect.gen(function* () {
      const root = yield* repository({
        "CLAUDE.md": "of the root @secrets.md",
        "a/CLAUDE.md": "of a",
        "a/.claude/CLAUDE.md": "of its directory",
        "a/b/CLAUDE.local.md": "of b"
      })
      const text = yield* systemPromptOf(join(root, "a/b"), "of the app")
      const order = ["of the root @secrets.md", "of a", "of its directory", "of b", "of the app"]
      const places = order.map((words) => text.indexOf(words))
      assert.deepStrictEqual(
        places.toSorted((a, b) => a - b),
        places
      )
      assert.notInclude(places, -1)
      assert.include(text, `Contents of ${join(root, "a/CLAUDE.md")}:`)
    })
  )

  it.effect("gets 32 kB of instructions at most, the nearest first, and none from outside of the repository", () =>
    Effect.gen(function* () {
      const outside = yield* repository({ "CLAUDE.md": "of a stranger", "secret.txt": "a secret" }, false)
      const cwd = join(outside, "repo")
      mkdirSync(join(cwd, ".git/objects"), { recursive: true })
      mkdirSync(join(cwd, "sub"))
      writeFileSync(join(cwd, "CLAUDE.md"), "ü".repeat(1_000_000))
      writeFileSync(join(cwd, "sub/CLAUDE.md"), "near")
      symlinkSync(join(outside, "secret.txt"), join(cwd, "CLAUDE.local.md"))
      const text = yield* systemPromptOf(join(cwd, "sub"))
      assert.isBelow(Buffer.byteLength(text), 34_000)
      assert.include(text, "near")
      assert.include(text, "(cut here; read the file for the rest)")
      assert.isTrue(text.isWellFormed())
      assert.notInclude(text, "stranger")
      assert.notInclude(text, "secret")
    })
  )
})

layer(Processes.layer, { excludeTestServices: true })("permissions that a repository could change", (it) => {
  const problem = (command: ReadonlyArray<string>, spec: object = {}) =>
    Effect.map(
      Acp.make({ name: "mine", command: command as [string], env: { HOME: "/home/none" } }, spec),
      ({ permissionsProblem }) =>
        (permissions: Permissions, cwd: string) =>
          permissionsProblem?.(permissions, cwd) ?? null
    )

  it.effect("are refused where the repository would decide, with what to use instead", () =>
    Effect.gen(function* () {
      const root = yield* repository({ ".codex/config.toml": "", "sub/a.txt": "" })
      const problemOf = yield* problem(["codex-acp"])
      for (const word of ["deny", "approve_reads", "ask", "approve_edits", { default: "approve_all", rules: [{}] }]) {
        const sentence = problemOf(word as Permissions, join(root, "sub")) ?? ""
        assert.include(sentence, `can't be kept by mine here: ${join(root, ".codex")} would decide`)
        assert.include(sentence, 'the agent "codex"')
      }
      assert.isNull(problemOf("approve_all", root))
      assert.isNull((yield* problem(["codex-acp"], { trustedRoots: [root] }))("deny", root))
      assert.isNull((yield* problem(["claude-agent-acp"]))("deny", root))
      // Codex's sandbox leaves an empty directory behind, and the operator's own home is no repository's.
      assert.isNull(problemOf("deny", yield* repository({})))
      const own = yield* Acp.make({ name: "mine", command: ["codex-acp"], env: { CODEX_HOME: join(root, ".codex") } })
      assert.isNull(own.permissionsProblem?.("deny", root) ?? null)
    })
  )

  it.effect("of opencode and Gemini are refused where plugins, settings or variables of a directory would decide", () =>
    Effect.gen(function* () {
      const root = yield* repository({ ".opencode/plugin/p.js": "", ".gemini/settings.json": "{}", "sub/a.txt": "" })
      for (const [command, name] of [
        [["opencode", "acp"], ".opencode"],
        [["/usr/bin/gemini", "--acp"], ".gemini"]
      ] as const) {
        const problemOf = yield* problem(command)
        assert.include(problemOf("deny", join(root, "sub")) ?? "", `${join(root, name)} would decide what runs`)
        assert.isNull(problemOf("approve_all", root))
        assert.isNull(problemOf("ask", yield* repository({ "opencode.json": "{}" })))
      }
    })
  )

  it.effect("are refused at the start where only its answer says that it is codex-acp", () =>
    Effect.gen(function* () {
      const cwd = yield* repository({ ".codex/rules/x.rules": "" })
      const error = yield* Effect.flip(scripted(codexAcp, { cwd, permissions: "deny" }))
      assert.strictEqual(error.class, "config")
      assert.include(error.message, 'Permissions "deny" can\'t be kept by scripted here')
      yield* scripted(codexAcp, { cwd, permissions: "approve_all" })
    })
  )
})
