/** What codex is told for each permission word, over real stdio: with the thread, and with each turn again. */
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Layer } from "effect"
import type { CodexSpec } from "../../src/agent/codex/spec.ts"
import { Processes } from "../../src/agent/Processes.ts"
import type { PermissionPolicy } from "../../src/domain/Permissions.ts"
import type { Script } from "./codex.agent.ts"
import { on, reply, say, scripted, turnEnds } from "./codex.agent.ts"
import { textPrompt } from "../../src/domain/Turn.ts"

const home = "/srv/codex"
const begunIn = (codexHome: string): Script => [
  on(1, "initialize"),
  reply(1, { userAgent: "troupe/0.171.0 (x)", codexHome }),
  { dir: "in", msg: { method: "initialized" } }
]
const turn: Script = [
  on(3, "turn/start"),
  reply(3, { turn: { id: "U" } }),
  say("turn/started", { turn: { id: "U" } }),
  turnEnds("completed")
]

type Params = Readonly<Record<string, unknown>>

interface Told {
  readonly word?: PermissionPolicy
  readonly thread?: string
  readonly spec?: CodexSpec
  readonly cwd?: string
  readonly systemPrompt?: string
  readonly codexHome?: string
}

/** Starts or resumes a thread and runs a turn; gives the parameters of both. */
const told = Effect.fnUntraced(function* ({ codexHome = home, spec = {}, thread, word = "deny", ...changes }: Told) {
  const method = thread === undefined ? "thread/start" : "thread/resume"
  const { opening, until, wire } = yield* scripted(
    [...begunIn(codexHome), on(2, method), reply(2, { thread: { id: "T" } }), ...turn],
    "deny",
    { permissions: word, ...(thread === undefined ? {} : { thread }), ...changes },
    {},
    spec
  )
  const connection = yield* opening
  yield* connection.prompt(1, textPrompt("hello"))
  yield* until("TurnEnded")
  const lines = yield* wire
  const paramsOf = (method: string): Params => lines.find((line) => line.method === method)?.params ?? {}
  return { thread: paramsOf(method), turn: paramsOf("turn/start") }
})

const reads = { approvalPolicy: "never", permissions: "troupe-reads" }
const asks = { thread: { sandbox: "read-only" }, turn: { sandboxPolicy: { type: "readOnly", networkAccess: false } } }
const workspace = {
  type: "workspaceWrite",
  writableRoots: [],
  networkAccess: true,
  excludeTmpdirEnvVar: false,
  excludeSlashTmp: false
}

const rows: ReadonlyArray<readonly [PermissionPolicy, CodexSpec, { readonly thread: Params; readonly turn: Params }]> =
  [
    ["deny", {}, { thread: reads, turn: reads }],
    ["approve_reads", {}, { thread: reads, turn: reads }],
    ["ask", {}, asks],
    ["approve_edits", {}, asks],
    ["approve_all", {}, { thread: { sandbox: "workspace-write" }, turn: { sandboxPolicy: workspace } }],
    ["deny", { sandbox: "danger-full-access" }, { thread: reads, turn: reads }],
    ["ask", { sandbox: "danger-full-access" }, asks],
    ["approve_edits", { sandbox: "danger-full-access" }, asks],
    [
      "approve_all",
      { sandbox: "danger-full-access" },
      { thread: { sandbox: "danger-full-access" }, turn: { sandboxPolicy: { type: "dangerFullAccess" } } }
    ]
  ]

/** What decides how far a command may go. */
const decisive = ({ approvalPolicy, approvalsReviewer, permissions, sandbox, sandboxPolicy }: Params) =>
  Object.fromEntries(
    Object.entries({ approvalPolicy, approvalsReviewer, permissions, sandbox, sandboxPolicy }).filter(
      ([, value]) => value !== undefined
    )
  )

const directory = Effect.flatMap(FileSystem.FileSystem, (files) => files.makeTempDirectoryScoped()).pipe(
  Effect.map((path) => realpathSync(path))
)

const trustIn = ({ thread }: { readonly thread: Params }) =>
  (thread["config"] as { readonly projects: Readonly<Record<string, { readonly trust_level: string }>> }).projects

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("codex's permissions", (it) => {
  it.effect.each(rows)("%s with %o: each thread and each turn has these settings", ([word, spec, expected]) =>
    Effect.gen(function* () {
      for (const thread of [undefined, "T"]) {
        const params = yield* told({ word, spec, ...(thread === undefined ? {} : { thread }) })
        const all = { approvalPolicy: "on-request", approvalsReviewer: "user" }
        assert.deepStrictEqual(decisive(params.thread), { ...all, ...expected.thread })
        assert.deepStrictEqual(decisive(params.turn), { ...all, ...expected.turn })
        // Codex does not ask before it searches the web.
        const { web_search: search } = params.thread["config"] as Params
        assert.strictEqual(search, word === "approve_all" ? undefined : "disabled")
      }
    })
  )

  it.effect("where codex has rules for commands, it is kept to the profile that only reads, and asks", () =>
    Effect.gen(function* () {
      const codexHome = yield* directory
      mkdirSync(join(codexHome, "rules"))
      writeFileSync(join(codexHome, "rules", "default.rules"), "")
      for (const word of ["ask", "approve_edits"] as const) {
        const params = yield* told({ word, codexHome })
        const settings = { approvalPolicy: "on-request", approvalsReviewer: "user", permissions: "troupe-reads" }
        assert.deepStrictEqual(decisive(params.thread), settings)
        assert.deepStrictEqual(decisive(params.turn), settings)
      }
      const { thread } = yield* told({ word: "approve_all", codexHome })
      assert.strictEqual(thread["sandbox"], "workspace-write")
    })
  )

  it.effect("the profile that only reads leaves out codex's own login", () =>
    Effect.gen(function* () {
      const { thread } = yield* told({ word: "deny" })
      assert.deepInclude(thread["config"], {
        permissions: { "troupe-reads": { filesystem: { ":root": "read", "/srv/codex/auth.json": "deny" } } }
      })
    })
  )

  it.effect("no directory from the session's up to the root is trusted, by its real path or as given", () =>
    Effect.gen(function* () {
      const base = yield* directory
      mkdirSync(join(base, "repository", "sub"), { recursive: true })
      symlinkSync(join(base, "repository"), join(base, "link"))
      const cwd = join(base, "link", "sub")
      for (const thread of [undefined, "T"]) {
        const trust = trustIn(yield* told({ cwd, ...(thread === undefined ? {} : { thread }) }))
        for (const path of [cwd, dirname(cwd), join(base, "repository", "sub"), join(base, "repository"), base, "/"]) {
          assert.deepStrictEqual(trust[path], { trust_level: "untrusted" }, path)
        }
      }
    })
  )

  it.effect("a directory below a trusted root is trusted, and none above it", () =>
    Effect.gen(function* () {
      const base = yield* directory
      const cwd = join(base, "ours", "sub")
      mkdirSync(cwd, { recursive: true })
      const trust = trustIn(yield* told({ cwd, spec: { trustedRoots: [join(base, "ours")] } }))
      const levels = [cwd, dirname(cwd), base, "/"].map((path) => trust[path]?.trust_level)
      assert.deepStrictEqual(levels, ["trusted", "trusted", "untrusted", "untrusted"])
    })
  )

  it.effect("the repository's instructions are text for the model, unless codex reads them itself", () =>
    Effect.gen(function* () {
      const base = yield* directory
      const cwd = join(base, "ours", "sub")
      mkdirSync(cwd, { recursive: true })
      mkdirSync(join(base, "ours", ".git"))
      writeFileSync(join(base, "ours", ".git", "HEAD"), "ref: refs/heads/main")
      writeFileSync(join(base, "AGENTS.md"), "Above the repository.")
      writeFileSync(join(base, "ours", "AGENTS.md"), "Herons are grey.")
      writeFileSync(join(cwd, "AGENTS.md"), "Storks are white.")
      const text = (params: { readonly thread: Params }) => String(params.thread["developerInstructions"] ?? "")
      const instructions = text(yield* told({ cwd, systemPrompt: "Be brief." }))
      assert.match(instructions, /^Be brief\.[^]*Herons are grey\.[^]*Storks are white\./)
      assert.notInclude(instructions, "Above the repository.")
      assert.strictEqual(text(yield* told({ cwd, spec: { trustedRoots: [base] } })), "")
    })
  )
})
