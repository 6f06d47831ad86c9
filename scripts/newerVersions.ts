/**
 * `npm run newer`: says which agents of test/real have newer versions, and what changed in what they speak.
 *
 * For each that has one, both versions are installed in a temporary directory and compared: codex by the schema that it
 * generates, ACP agents by the schema of their SDK and by what they announce to a client, other programs by their flags.
 * No agent gets an account or reaches a model. `npm run newer -- @openai/codex@0.166.0` compares from that version on;
 * `--versions` prints the table only. Exits with 1 where there is a newer version.
 */
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import process from "node:process"
import { createInterface } from "node:readline"
import { differences, fieldsOfSchema, fieldsOfValue } from "./schemaDifferences.ts"
import type { Fields, Json } from "./schemaDifferences.ts"

const real = join(import.meta.dirname, "..", "test", "real")

/** What a client can know of one installed version: the title of a list, and the list. */
type Reading = (installed: Installed) => Promise<Fields>

interface Installed {
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

const run = ({ env, folder }: Installed, command: string, ...args: ReadonlyArray<string>): string =>
  execFileSync(command, args, { cwd: folder, encoding: "utf8", env, stdio: ["ignore", "pipe", "ignore"] })

const jsonIn = (file: string): Json => JSON.parse(readFileSync(file, "utf8")) as Json

const codexSchema: Reading = async (installed) => {
  const out = join(installed.folder, "schema")
  run(installed, "codex", "app-server", "generate-json-schema", "--experimental", "--out", out)
  return fieldsOfSchema(jsonIn(join(out, "codex_app_server_protocol.schemas.json")))
}

const sdkSchema: Reading = async ({ folder }) => {
  const file = join(folder, "node_modules/@agentclientprotocol/sdk/schema/v1/schema.unstable.json")
  return existsSync(file) ? fieldsOfSchema(jsonIn(file)) : new Map()
}

/** The long flags of a program and of its commands. */
const flags =
  (program: string, ...commands: ReadonlyArray<string>): Reading =>
  async (installed) =>
    new Map(
      ["", ...commands].flatMap((command) => {
        const help = run(installed, program, ...command.split(" ").filter((word) => word !== ""), "--help")
        const found = help.matchAll(/^\s+(?:-\w, )?(--[a-z][\w-]*)/gm)
        return [...found].map(([, flag]) => [[program, command, flag].filter((word) => word !== "").join(" "), ""])
      })
    )

/** What it answers to `initialize` and `session/new`: its abilities, modes and models, and the mode that it starts in. */
const announced =
  (program: string, ...args: ReadonlyArray<string>): Reading =>
  async ({ env, folder }) => {
    const child = spawn(program, args, { cwd: join(folder, "work"), env, stdio: ["pipe", "pipe", "ignore"] })
    const deadline = setTimeout(() => child.kill("SIGKILL"), 60_000)
    const replies: Record<string, Json> = {}
    const ask = (id: string, params: Json) =>
      child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method: id, params })}\n`)
    child.stdin.on("error", () => {})
    ask("initialize", { protocolVersion: 1, clientCapabilities: {}, clientInfo: { name: "troupe", version: "0" } })
    for await (const line of createInterface({ input: child.stdout })) {
      const message = messageIn(line)
      if (message["id"] === "initialize") ask("session/new", { cwd: join(folder, "work"), mcpServers: [] })
      if (typeof message["id"] !== "string" || "method" in message) continue
      replies[message["id"]] = message["result"] ?? message["error"] ?? null
      if (message["id"] === "session/new") break
    }
    clearTimeout(deadline)
    child.kill("SIGKILL")
    // Both differ each time, and say nothing.
    return new Map([...fieldsOfValue(replies)].filter(([name]) => !/\.sessionId$|\.agentInfo\.version$/.test(name)))
  }

const messageIn = (line: string): { readonly [key: string]: Json } => {
  try {
    const message = JSON.parse(line) as Json
    return typeof message === "object" && message !== null && !Array.isArray(message) ? (message as never) : {}
  } catch {
    return {}
  }
}

const acp = (...command: readonly [string, ...Array<string>]) => ({
  "schema of its ACP SDK": sdkSchema,
  "what it announces": announced(...command)
})

const readings: Readonly<Record<string, Readonly<Record<string, Reading>>>> = {
  "@agentclientprotocol/claude-agent-acp": acp("claude-agent-acp"),
  "@agentclientprotocol/codex-acp": acp("codex-acp"),
  "@anthropic-ai/claude-code": { flags: flags("claude") },
  "@google/gemini-cli": acp("gemini", "--acp"),
  "@openai/codex": { "schema of its app-server": codexSchema },
  acpx: {
    "schema of its ACP SDK": sdkSchema,
    flags: flags("acpx", "claude prompt", "claude sessions new", "claude sessions ensure", "claude set-mode")
  },
  "opencode-ai": acp("opencode", "acp")
}

/** What their install scripts do that a run of them needs. Of other packages no script runs. */
const setups: Readonly<Record<string, string>> = {
  "@anthropic-ai/claude-code": "install.cjs",
  "opencode-ai": "postinstall.mjs"
}

const install = (folder: string, name: string, version: string, port: number): Installed => {
  for (const inner of ["", "home", "work", "tmp"]) mkdirSync(join(folder, inner), { recursive: true })
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }))
  const npm = ["install", `${name}@${version}`, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
  execFileSync("npm", npm, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] })
  const home = join(folder, "home")
  const model = `http://127.0.0.1:${port}`
  const installed: Installed = {
    folder,
    env: {
      PATH: [join(folder, "node_modules", ".bin"), process.env["PATH"]].join(delimiter),
      HOME: home,
      TMPDIR: join(folder, "tmp"),
      CODEX_HOME: home,
      ANTHROPIC_BASE_URL: model,
      OPENAI_BASE_URL: model,
      ANTHROPIC_API_KEY: "none",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
      OPENCODE_DISABLE_AUTOUPDATE: "1",
      OPENCODE_DISABLE_MODELS_FETCH: "1",
      IS_SANDBOX: "1",
      NO_COLOR: "1"
    }
  }
  const setup = setups[name]
  if (setup !== undefined) run(installed, process.execPath, join(folder, "node_modules", name, setup))
  return installed
}

const report = (title: string, before: Fields, after: Fields) => {
  const { added, changed, removed } = differences(before, after)
  if (before.size === 0 && after.size === 0) return console.log(`  ${title}: none was found`)
  console.log(
    `  ${title}: ${added.length} added, ${removed.length} removed, ${changed.length} changed (of ${before.size})`
  )
  for (const [mark, lines] of [
    ["+", added],
    ["-", removed],
    ["~", changed]
  ] as const) {
    for (const line of lines) console.log(`    ${mark} ${line}`)
  }
}

const compare = async (name: string, from: string, to: string) => {
  console.log(`\n${name} ${from} → ${to}`)
  const folder = mkdtempSync(join(tmpdir(), "troupe-newer-"))
  // No agent needs an answer of its model here.
  const model = createServer((_, response) => void response.writeHead(503).end()).listen(0, "127.0.0.1")
  await once(model, "listening")
  const { port } = model.address() as AddressInfo
  try {
    const before = install(join(folder, "before"), name, from, port)
    const after = install(join(folder, "after"), name, to, port)
    for (const [title, reading] of Object.entries(readings[name] ?? {})) {
      report(title, await reading(before), await reading(after))
    }
  } finally {
    model.close()
    model.closeAllConnections()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

const { dependencies } = jsonIn(join(real, "package.json")) as unknown as {
  readonly dependencies: Readonly<Record<string, string>>
}
const asked = new Map(
  process.argv
    .slice(2)
    .filter((argument) => !argument.startsWith("--"))
    .map((argument) => [argument.slice(0, argument.lastIndexOf("@")), argument.slice(argument.lastIndexOf("@") + 1)])
)
const unknown = [...asked.keys()].filter((name) => !(name in dependencies))
if (unknown.length > 0) {
  console.error(`${unknown.join(", ")} is no agent of test/real: ${Object.keys(dependencies).join(", ")}`)
  process.exit(2)
}

const newestOf = (name: string) =>
  execFileSync("npm", ["view", name, "version", "--loglevel=error"], { cwd: real, encoding: "utf8" }).trim()

const table = Object.entries(dependencies).map(([name, pinned]) => ({ name, pinned, newest: newestOf(name) }))
const column = (title: string, values: ReadonlyArray<string>) =>
  Math.max(...[title, ...values].map((one) => one.length))
const nameWidth = column("package", Object.keys(dependencies))
const pinnedWidth = column("pinned", Object.values(dependencies))
const row = (name: string, pinned: string, newest: string) =>
  console.log(`${name.padEnd(nameWidth)}  ${pinned.padEnd(pinnedWidth)}  ${newest}`.trimEnd())
row("package", "pinned", "newest")
for (const { name, newest, pinned } of table) row(name, pinned, newest === pinned ? "the same" : newest)

if (!process.argv.includes("--versions")) {
  for (const { name, newest, pinned } of table) {
    const from = asked.get(name) ?? pinned
    if (from !== newest) await compare(name, from, newest)
  }
}
process.exitCode = table.some(({ newest, pinned }) => newest !== pinned) ? 1 : 0
