/**
 * The packed tarball, installed from the registry into an empty project, and used by all its entry points.
 */
import { assert, beforeAll, afterAll, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { inject } from "vitest"
import { Project, root } from "./Project.ts"

describe("the packed tarball in an empty project", () => {
  const stranger = new Project()
  const project = stranger.directory

  beforeAll(() => {
    const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      readonly devDependencies: Readonly<Record<string, string>>
    }
    const pinned = ["effect", "xstate", "typescript", "@types/node"]
    stranger.install(inject("tarball"), ...pinned.map((name) => `${name}@${devDependencies[name]}`))
  })
  afterAll(() => stranger.remove())

  it("needs no patch in the project", () => {
    const installed = join(project, "node_modules", "troupe")
    assert.isFalse(existsSync(join(installed, "patches")))
    assert.isFalse(existsSync(join(installed, "node_modules", "effect")), "one effect, the stranger's own")
  })

  it("runs as a command", () => {
    assert.match(stranger.succeed("npx", "troupe", "--help"), /USAGE\s+troupe <subcommand>/)
    assert.match(stranger.succeed("npx", "troupe", "--version"), /troupe v\d+\.\d+\.\d+/)
    assert.match(stranger.succeed("npx", "troupe", "machines"), /^stateDiagram-v2/)
    assert.match(stranger.succeed("npx", "troupe", "machines", "session", "--format", "svg"), /<svg/)
  })

  it("runs the demo with a killed process", () => {
    const story = stranger.succeed("npx", "troupe", "demo")
    assert.match(story, /kill -9 \d+/)
    assert.match(story, /\["Remember: the answer is 42\."/)
    assert.match(story, /no process is left/)
  })

  it("makes apps in a data dir", () => {
    const token = stranger.succeed("npx", "troupe", "app", "create", "web", "--data-dir", "data").split("\n")[0] ?? ""
    assert.match(token, /^trp_/)
    assert.match(stranger.succeed("npx", "troupe", "app", "list", "--data-dir", "data"), /^web /m)
  })

  it("serves the dashboard, complete and from its own address", async () => {
    const cli = join(project, "node_modules", "troupe", "dist", "src", "main.js")
    const server = spawn(process.execPath, [cli, "serve", "--port", "0", "--data-dir", "served"], {
      cwd: project,
      stdio: ["ignore", "pipe", "inherit"]
    })
    try {
      let output = ""
      // It is read to its end: a server whose output nobody reads any more ends.
      await new Promise<void>((resolve) => {
        server.stdout.setEncoding("utf8").on("data", (chunk: string) => {
          output += chunk
          if (/curl /.test(output)) resolve()
        })
      })
      const [url = ""] = /http:\/\/\S+\/inspect\//.exec(output) ?? []
      const page = await fetch(url)
      assert.strictEqual(page.status, 200)
      assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/)
      const [, script = ""] = /<script[^>]* src="([^"]+)"/.exec(await page.text()) ?? []
      const code = await fetch(new URL(script, url))
      assert.deepStrictEqual([code.status, code.headers.get("content-type")?.split(";")[0]], [200, "text/javascript"])
      assert.strictEqual((await fetch(new URL("api/sessions", url))).status, 401)
    } finally {
      server.kill("SIGTERM")
      await once(server, "close")
    }
    assert.strictEqual(server.exitCode, 0)
  })

  it("embeds in ten lines", () => {
    writeFileSync(
      join(project, "embed.js"),
      `import { openTroupe } from "troupe/promise"
await using troupe = await openTroupe({ dataDir: ":memory:", defaultAgent: "demo" })
const session = await troupe.createSession()
for await (const message of session.turn("slow 2 1")) console.log(message.method ?? "end")
console.log((await session.turn("hello")).finalText)
`
    )
    const lines = stranger.succeed("node", "embed.js").trim().split("\n")
    assert.include(lines, "session/update")
    assert.strictEqual(lines.at(-1), "You said: hello (turn 2)")
  })

  it("says in one line what to install for a ledger in PostgreSQL, where that is not there; the program has it inside", () => {
    const url = "postgres://troupe:secret@127.0.0.1:1/troupe"
    writeFileSync(
      join(project, "postgres.js"),
      `import { Effect, Layer, Option, Redacted } from "effect"
import { Troupe } from "troupe"
const settings = { dataDir: ":memory:", limits: Troupe.defaultLimits, agents: {}, defaultAgent: null, run: {} }
const layer = Troupe.layer(settings, { adminToken: Option.none(), databaseUrl: Redacted.make("${url}") })
const error = await Effect.runPromise(Effect.flip(Effect.scoped(Layer.build(layer))))
console.log(error.message)
`
    )
    assert.strictEqual(
      stranger.succeed("node", "postgres.js").trim(),
      "The ledger postgres://troupe@127.0.0.1:1/troupe needs the package @effect/sql-pg, which is not there. Install it beside Troupe: npm install @effect/sql-pg@4.0.5"
    )
    const { status, stderr, stdout } = stranger.run("env", `TROUPE_DATABASE_URL=${url}`, "npx", "troupe", "migrate")
    assert.strictEqual(status, 1)
    assert.match(stdout + stderr, /could not be opened \(.*ECONNREFUSED.*\)\. Check that the server runs/)
    assert.notInclude(stdout + stderr, "secret")
  })

  it("type-checks in a strict project, by all its entries", () => {
    writeFileSync(
      join(project, "stranger.ts"),
      `import { Effect, Layer, Option, Redacted } from "effect"
import { Troupe } from "troupe"
import * as Client from "troupe/client"
import { decide, sessionMachine } from "troupe/machines"
import { openTroupe, TroupeError, type Session, type TurnOutcome } from "troupe/promise"
import { createActor } from "xstate"

export const answer = async (prompt: string): Promise<TurnOutcome> => {
  await using troupe = await openTroupe({ dataDir: ":memory:", limits: { maxProcesses: 2 } })
  const session: Session = await troupe.createSession({ agent: "demo" })
  return session.turn(prompt).catch((error: unknown) => {
    throw error instanceof TroupeError && error.code === "pool_full" ? new Error("later") : error
  })
}

const settings: Troupe.Settings = {
  dataDir: ":memory:",
  limits: Troupe.defaultLimits,
  agents: {},
  defaultAgent: null,
  run: {}
}
const runtime = Troupe.layer(settings, { adminToken: Option.some(Redacted.make("0123456789abcdef")) })
export const program = Effect.gen(function* () {
  const sessions = yield* Troupe.Sessions
  const created = yield* sessions.create(Troupe.AppName.make("web"), { agent: "demo" })
  return created.id satisfies string
}).pipe(Effect.provide(runtime))
export const server = Troupe.Http.layer({
  host: "127.0.0.1",
  port: 0,
  allowedHosts: [],
  allowedOrigins: [],
  maxBodyBytes: 1024
}).pipe(Layer.provide(runtime), Layer.launch)
export const state = createActor(sessionMachine).start().getSnapshot().value
export const decided = decide(sessionMachine, createActor(sessionMachine).getSnapshot(), { type: "unpark.requested" })
export const client = Client.make({ baseUrl: "http://127.0.0.1:8420", token: "x" })
export const named = client.pipe(
  Effect.flatMap(({ sessions }) => sessions.get({ params: { id: "ses_none" } })),
  Effect.map(({ sessionId }) => sessionId),
  Effect.catchTag("NotFound", ({ error, message }) => Effect.succeed(\`\${error satisfies string}: \${message}\`))
)
export const followed = Client.events({ baseUrl: "http://127.0.0.1:8420", token: "x" }, "ses_none", { after: 7 })
export const whole = Troupe.server({ port: 0, turnTimeout: "20 minutes", allowedHosts: [] }).pipe(Layer.launch)
export const mounted = Troupe.Http.routes({ prefix: "/agents" })
export const far = async (): Promise<string | undefined> => {
  await using troupe = await openTroupe({ url: "http://127.0.0.1:8420", token: "x" })
  const handler: (request: Request) => Promise<Response> = troupe.handler({ prefix: "/agents" })
  void handler
  const { items } = await troupe.listSessions()
  const session = await troupe.session(items[0]?.id ?? "")
  return (await session.approvals())[0]?.id
}

// @ts-expect-error a prompt is text
void answer(42)
// @ts-expect-error a server wants a token
void openTroupe({ url: "http://127.0.0.1:8420" })
`
    )
    const options = {
      target: "ES2024",
      module: "NodeNext",
      lib: ["ES2024", "ESNext.Disposable", "DOM"],
      strict: true,
      noEmit: true,
      types: ["node"]
    }
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["stranger.ts"] }))
    const { stdout } = stranger.run("npx", "tsc", "-p", ".")
    assert.strictEqual(stdout, "")
  })
})
