/** Commands that need no server: what they print, where, and what they exit with. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setImmediate } from "node:timers/promises"
import { createMachine } from "xstate"
import { isAlive, makeWorkspace } from "./program.ts"
import type { Workspace } from "./program.ts"

let workspace: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(() => workspace.cleanUp())

const claude = join(import.meta.dirname, "..", "fixtures", "agents", "claude.ts")
const configure = (content: unknown) =>
  writeFileSync(join(workspace.cwd, "troupe.config.json"), JSON.stringify(content))

describe("the command line", () => {
  it("has help for every command, and prints nothing on stderr then", async () => {
    // One command of each kind: the program, a group, a command of a group, a command with arguments.
    const commands = ["", "app", "sessions tail", "serve", "run"]
    const runs = commands.map((command) => workspace.run([...command.split(" ").filter(Boolean), "--help"]))
    for (const { code, stderr, stdout } of await Promise.all(runs)) {
      assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
      assert.match(stdout, /USAGE/)
    }
  })

  it("exits with 2 and one line on stderr on bad usage", async () => {
    const wrong: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
      [["frobnicate"], /^troupe: troupe has no command "frobnicate"\. See troupe --help\.\n$/],
      [["serve", "--prot", "1"], /^troupe: .*--prot.*--port.*\n$/],
      [
        ["sessions", "--data-dir", "/x"],
        /^troupe: troupe sessions has no flag --data-dir, or it belongs behind a subcommand\. See troupe sessions --help\.\n$/
      ],
      [["sessions", "lst"], /^troupe: troupe sessions has no command "lst"\. Did you mean list or ls\? See .*\n$/],
      [["sessions", "list", "--state", "x"], /^troupe: --state is "x": it takes idle, turning, .* or open\. See .*\n$/],
      [["machines", "nope"], /^troupe: There is no machine nope\. There is session and review\.\n$/],
      [
        ["machines", "--state", "turning"],
        /^troupe: The machine session has no state turning to be marked\. It has .*turning\.asking/
      ],
      [["machines", "--format", "gif"], /^troupe: .*gif.*\n$/],
      [["serve", "--port", "eleven"], /^troupe: --port is "eleven": it takes a whole number from 0 to 65535.*\n$/],
      [["run", ""], /^troupe: .*prompt.*\n$/],
      [["run", "hello", "--timeout", "0"], /^troupe: .*--timeout.*more than 0 seconds and at most 86400.*\n$/],
      [["sessions", "list", "--url", "nowhere"], /^troupe: --url is "nowhere": it takes an address such as .*\n$/],
      [["node", "ls"], /^troupe: Nodes work on a PostgreSQL database: say which by TROUPE_DATABASE_URL\..*\n$/],
      [["doctor", "nobody"], /^troupe: No agent is called nobody\..*\n$/]
    ]
    const runs = wrong.map(async ([args, says]) => ({ ...(await workspace.run(args)), says }))
    for (const { code, says, stderr, stdout } of await Promise.all(runs)) {
      assert.deepStrictEqual({ code, stdout }, { code: 2, stdout: "" }, stderr)
      assert.match(stderr, says)
    }
  })

  it("prints a failure as JSON with --json", async () => {
    const { code, stderr, stdout } = await workspace.run([
      "sessions",
      "list",
      "--json",
      "--token",
      "x",
      "--url",
      "http://127.0.0.1:1"
    ])
    assert.deepStrictEqual({ code, stdout }, { code: 1, stdout: "" })
    const body = JSON.parse(stderr) as { readonly detail: string }
    assert.deepInclude<object>(body, { ok: false, error: "unreachable" })
    assert.match(body.detail, /No Troupe answers at http:\/\/127\.0\.0\.1:1 .*troupe serve/)
  })

  it("prints bad usage as JSON with --json, too", async () => {
    const { code, stderr, stdout } = await workspace.run(["sessions", "list", "--json", "--limit", "many"])
    assert.deepStrictEqual({ code, stdout }, { code: 2, stdout: "" })
    assert.deepInclude<object>(JSON.parse(stderr), { ok: false, error: "bad_usage" })
  })

  it("warns of a variable that is no setting, and says which one may be meant", async () => {
    const env = {
      TROUPE_MAX_PROCESES: "3",
      TROUPE_XYZZY: "1",
      TROUPE_TOKEN: "x",
      TROUPE_WEBHOOK_SECRET: "z",
      TROUPE_LEASE: "y",
      TROUPE_PORT: ""
    }
    const plain = await workspace.run(["machines"], env)
    assert.strictEqual(plain.code, 0)
    assert.strictEqual(
      plain.stderr,
      "troupe: TROUPE_MAX_PROCESES is no setting, and is ignored. Did you mean TROUPE_MAX_PROCESSES?\n" +
        "troupe: TROUPE_XYZZY is no setting, and is ignored.\n"
    )
    const json = await workspace.run(["app", "list", "--json"], { TROUPE_XYZZY: "1" })
    assert.strictEqual(json.stderr, '{"warning":"TROUPE_XYZZY is no setting, and is ignored."}\n')
  })

  it("prints colours on a terminal only, except with FORCE_COLOR", async () => {
    const escape = String.fromCodePoint(27)
    await workspace.run(["app", "create", "web"])
    assert.notInclude((await workspace.run(["app", "list"])).stdout, escape)
    assert.include((await workspace.run(["app", "list"], { FORCE_COLOR: "1" })).stdout, escape)
    assert.notInclude((await workspace.run(["app", "list"], { NO_COLOR: "1" })).stdout, escape)
  })
})

describe("troupe app", () => {
  it("creates apps, rotates their tokens, and revokes them", async () => {
    const created = await workspace.run(["app", "create", "web"])
    assert.strictEqual(created.code, 0)
    assert.match(created.stdout, /^trp_[\w-]{43}\n$/)
    assert.strictEqual(created.stderr, "The token of web. It is shown this once; keep it.\n")

    const again = await workspace.run(["app", "create", "web"])
    assert.strictEqual(again.code, 1)
    assert.match(again.stderr, /^troupe: An app called "web" exists\. Rotate its token, or revoke it first\.\n$/)

    const rotated = JSON.parse((await workspace.run(["app", "rotate", "web", "--json"])).stdout) as {
      readonly token: string
    }
    assert.notInclude(created.stdout, rotated.token)

    assert.strictEqual((await workspace.run(["app", "revoke", "web"])).code, 0)
    assert.strictEqual((await workspace.run(["app", "revoke", "web"])).code, 1)
    const listed = JSON.parse((await workspace.run(["app", "list", "--json"])).stdout) as {
      readonly apps: ReadonlyArray<{ readonly name: string; readonly revoked_at: number | null }>
    }
    assert.strictEqual(listed.apps[0]?.name, "web")
    assert.isNumber(listed.apps[0]?.revoked_at)
    assert.notInclude(JSON.stringify(listed), "trp_")
  })

  it("gives a revoked name to a new app, with what it owned only where that adopts it", async () => {
    const namesOf = async () =>
      (
        JSON.parse((await workspace.run(["app", "list", "--json"])).stdout) as {
          readonly apps: ReadonlyArray<{ readonly name: string }>
        }
      ).apps.map(({ name }) => name)
    await workspace.run(["app", "create", "web"])
    await workspace.run(["app", "revoke", "web"])
    assert.strictEqual((await workspace.run(["app", "create", "web", "--adopt"])).code, 0)
    assert.deepStrictEqual(await namesOf(), ["web"])
    await workspace.run(["app", "revoke", "web"])
    assert.strictEqual((await workspace.run(["app", "create", "web"])).code, 0)
    assert.deepStrictEqual(await namesOf(), ["web", "web~1"])
  })

  it("bounds what an app may ask for, shows it, and lifts it only when told to", async () => {
    const bounds = ["--allow-cwd", "repos", "--allow-cwd", "/srv", "--allow-agent", "codex", "--no-network"]
    assert.strictEqual((await workspace.run(["app", "create", "web", ...bounds])).code, 0)
    const [json, lines] = await Promise.all([workspace.run(["app", "list", "--json"]), workspace.run(["app", "ls"])])
    const { apps } = JSON.parse(json.stdout) as { readonly apps: ReadonlyArray<{ readonly bounds: unknown }> }
    const expected = { agents: ["codex"], cwd_roots: [join(workspace.cwd, "repos"), "/srv"], network: false }
    assert.deepStrictEqual(apps[0]?.bounds, expected)
    assert.match(lines.stdout, /agents: codex; below: .*repos, \/srv; no network/)

    const limited = await workspace.run(["app", "limit", "web", "--max-permissions", "ask"])
    assert.strictEqual(
      limited.stdout,
      "web may now ask for: at most ask. A session that is beyond that starts no further process.\n"
    )
    const [forgotten, lifted] = await Promise.all([
      workspace.run(["app", "limit", "web"]),
      workspace.run(["app", "limit", "web", "--none"])
    ])
    assert.deepStrictEqual([forgotten.code, forgotten.stdout], [2, ""])
    assert.strictEqual(
      lifted.stdout,
      "web may now ask for: anything. A session that is beyond that starts no further process.\n"
    )
  })

  it("makes a data dir that only its owner can read", async () => {
    await workspace.run(["app", "create", "web"])
    const dataDir = join(workspace.cwd, ".troupe")
    assert.strictEqual(statSync(dataDir).mode & 0o777, 0o700)
    for (const file of readdirSync(dataDir)) assert.strictEqual(statSync(join(dataDir, file)).mode & 0o077, 0, file)
  })

  it("keeps git from seeing the data dir, and no directory that has another name and was there", async () => {
    spawnSync("git", ["init", "-q"], { cwd: workspace.cwd })
    mkdirSync(join(workspace.cwd, "data"))
    writeFileSync(join(workspace.cwd, "data", "mine.txt"), "")
    await workspace.run(["app", "create", "web"])
    await workspace.run(["app", "create", "web", "--data-dir", "data"])
    const { stdout } = spawnSync("git", ["status", "--porcelain", "-uall"], { cwd: workspace.cwd, encoding: "utf8" })
    assert.notInclude(stdout, ".troupe")
    assert.include(stdout, "data/mine.txt")
  })

  it("rejects an invalid name, and a data dir in memory", async () => {
    const name = await workspace.run(["app", "create", "No Name"])
    assert.strictEqual(name.code, 2)
    assert.match(name.stderr, /^troupe: name must be 1 to 63 characters/)
    const memory = await workspace.run(["app", "list", "--data-dir", ":memory:"])
    assert.deepStrictEqual([memory.code, memory.stderr.split("\n").length], [2, 2])
  })
})

describe("troupe machines", () => {
  it("prints each format whole", async () => {
    const print = async (format: string) => (await workspace.run(["machines", "session", "--format", format])).stdout
    assert.match(await print("mermaid"), /^stateDiagram-v2\n {2}direction TB\n {2}\[\*\] --> idle\n/)
    assert.match(await print("dot"), /^digraph "session" \{/)
    assert.match(await print("svg"), /<\/svg>\n$/)
    assert.strictEqual(createMachine(JSON.parse(await print("json"))).id, "session")
    const { stdout } = await workspace.run(["machines", "review"])
    assert.match(stdout, /^stateDiagram-v2\n {2}direction TB\n {2}\[\*\] --> working\n/)
  })
})

describe("troupe demo", () => {
  it("loses a process, carries on with the conversation, and leaves nothing behind", async () => {
    const { code, stderr, stdout } = await workspace.run(["demo"])
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    const killed = Number(/kill -9 (\d+)/.exec(stdout)?.[1])
    const next = Number(/process (\d+) has\s+taken the conversation up/.exec(stdout)?.[1])
    assert.isAbove(killed, 1)
    assert.isAbove(next, 1)
    assert.isFalse(isAlive(killed) || isAlive(next))
    assert.match(stdout, /\["Remember: the answer is 42\."/)
    assert.match(stdout, /no process is left/)
    assert.deepStrictEqual(readdirSync(workspace.cwd), [])
  })

  it("has each event on a line of JSON with --json, and last what was seen", async () => {
    const { code, stderr, stdout } = await workspace.run(["demo", "--json"])
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    const told = lines.pop() ?? {}
    assert.deepStrictEqual(
      lines.map(({ seq }) => seq),
      lines.map((_, nth) => nth + 1)
    )
    assert.hasAllKeys(told, ["session_id", "killed", "process", "ms", "recalled", "process_left"])
    assert.deepInclude(told, { process_left: null })
    assert.notStrictEqual(told["killed"], told["process"])
    assert.include(String(told["recalled"]), "Remember: the answer is 42.")
    assert.deepInclude(lines.at(-1), { method: "_troupe/state" })
  })
})

describe("troupe run", () => {
  const saying = (acts: string) =>
    configure({ run: { command: [process.execPath, claude], env: { FAKE_CLAUDE: acts } } })

  it("prints the answer, and with --json the body of /run", async () => {
    saying('say {"answer": 42}')
    const plain = await workspace.run(["run", "the answer?"])
    assert.deepStrictEqual(plain, { code: 0, stdout: '{\n  "answer": 42\n}\n', stderr: "" })
    const { code, stdout } = await workspace.run(["run", "the answer?", "--json"])
    assert.strictEqual(code, 0)
    const body: unknown = JSON.parse(stdout)
    assert.hasAllKeys(body, ["ok", "result", "duration_ms", "stop_reason"])
    assert.deepInclude(body, { ok: true, result: { answer: 42 }, stop_reason: "end_turn" })
  })

  it("fails with 1 and one line, or with the body of the failure", async () => {
    saying("stderr out of order\nexit 3")
    const plain = await workspace.run(["run", "hello"])
    assert.deepStrictEqual([plain.code, plain.stdout], [1, ""])
    assert.match(plain.stderr, /^troupe: .*out of order.*\n$/)
    const { code, stderr, stdout } = await workspace.run(["run", "hello", "--json"])
    assert.deepStrictEqual([code, stderr], [1, ""])
    assert.hasAllKeys(JSON.parse(stdout), ["ok", "error", "stderr", "duration_ms", "stop_reason"])
  })

  it("ends every process that it started when it gets a signal", async () => {
    saying("family")
    const { child, ended, stderr } = workspace.start(["run", "hello", "--timeout", "60"])
    const family = await childrenOf(child.pid!)
    child.kill("SIGTERM")
    const { code } = await ended
    assert.strictEqual(code, 143, stderr())
    for (const pid of family) assert.isFalse(isAlive(pid))
  })
})

/** Waits until a process has a grandchild, and returns its children and grandchildren. */
const childrenOf = async (pid: number): Promise<ReadonlyArray<number>> => {
  const of = (parent: number) => {
    const { stdout } = spawnSync("ps", ["-o", "pid=", "--ppid", String(parent)], { encoding: "utf8" })
    return stdout.split("\n").map(Number).filter(Boolean)
  }
  while (true) {
    const children = of(pid)
    const grandchildren = children.flatMap(of)
    if (grandchildren.length > 0) return [...children, ...grandchildren]
    await setImmediate()
  }
}
