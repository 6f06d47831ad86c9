/** `troupe chat`, run as scripts run it: from a pipe, and on a server. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { agentOf, startChat } from "./chat.ts"
import type { Chat } from "./chat.ts"
import { isAlive, makeWorkspace } from "./program.ts"
import type { Stdin, Workspace } from "./program.ts"

let workspace: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(() => workspace.cleanUp())

const chat = (stdin: Stdin, args?: ReadonlyArray<string>, env?: Readonly<Record<string, string>>): Chat =>
  startChat(workspace, stdin, args, env)

describe("troupe chat from a pipe", () => {
  it("submits each line as a turn, prints its outcome, and leaves no process", async () => {
    const program = chat("pipe", ["--data-dir", ":memory:", "--permissions", "approve_all"])
    const pid = await agentOf(program, false)
    program.write("think\ntool exit 3\nfirst \\\nand second\n/usage\n/nope\n")
    program.child.stdin?.end("hello")
    const { code, stderr, stdout } = await program.ended
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    const [, ...turns] = stdout.split(/^› /m)
    assert.match(turns[1] ?? "", /^think\nLet me think\.\nDone \(turn 2\)\n/)
    assert.match(turns[2] ?? "", /^tool exit 3\n◆ exit 3 \[exit 3\]\nThe command ended with 3:/)
    assert.match(turns[4] ?? "", /^and second\nYou said: first \nand second \(turn 4\)\n/)
    assert.match(turns[5] ?? "", /^\/usage\n4 turns · \d+ tokens in \(0 cached\), \d+ out\n/)
    assert.match(turns[6] ?? "", /^\/nope\n✗ There is no command \/nope\. \/help lists them/)
    assert.match(turns[7] ?? "", /^hello\nYou said: hello \(turn 5\)\n/)
    assert.match(stdout, /Closed after 5 turns · .*\. No process is left\.\n$/)
    assert.isFalse(isAlive(pid))
  })

  it("shows what the agent may do unasked, and changes it for the next turn", async () => {
    const program = chat("pipe")
    program.child.stdin?.end("ask edit\nn\n/permissions approve_edits\nask edit\n/permissions everything\n")
    const { code, stdout } = await program.ended
    assert.strictEqual(code, 0)
    assert.match(stdout, /The client said: reject-once[^]*● approve_edits +As `ask`;[^]*The client said: allow-once/)
    assert.match(stdout, /There is no permission everything\. \/permissions lists them\./)
  })

  it("shows the models, modes and efforts that there are, and changes them for the next turn", async () => {
    const program = chat("pipe", ["--data-dir", ":memory:", "--permissions", "approve_all", "--effort", "low"])
    program.child.stdin?.end("session\n/model demo-large\n/mode plan\nsession\n/effort -\n/model nonsense\nsession\n")
    const { code, stdout } = await program.ended
    assert.match(stdout, /Model demo-small, effort low, mode default\.[^]*● demo-large[^]*● plan/)
    assert.match(stdout, /Model demo-large, effort low, mode plan\.[^]*The agent's own effort\./)
    // A model that the agent does not have fails the next turn, which says what there is.
    assert.match(stdout, /nonsense[^]*demo-small, demo-large/)
    assert.strictEqual(code, 1)
  })

  it("gives the next turn the files that were attached, and goes on with a conversation from elsewhere", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "troupe-chat-data-"))
    try {
      const arguments_ = ["--data-dir", dataDir, "--permissions", "approve_all"]
      writeFileSync(join(workspace.cwd, "note.txt"), "a note")
      const program = chat("pipe", arguments_)
      program.child.stdin?.end("/attach note.txt\nthe bird is a heron\n/attach missing.txt\nnext\n")
      const { code, stdout } = await program.ended
      assert.strictEqual(code, 1)
      assert.match(stdout, /note\.txt goes with the next turn\.[^]*You said: .*\/note\.txt[^]*the bird is a heron/)
      assert.match(stdout, /✗ "missing\.txt" can't be read:[^]*You said: next/)
      const thread = readdirSync(join(dataDir, "demo"))[0]?.replace(".ndjson", "") ?? ""
      const again = chat("pipe", [...arguments_, "--thread", thread])
      again.child.stdin?.end("recall\n")
      assert.include((await again.ended).stdout, "the bird is a heron")
    } finally {
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 })
    }
  })

  it("has with --json the events alone on stdout, each a line, and remarks on stderr", async () => {
    const program = chat("pipe", ["--data-dir", ":memory:", "--json"])
    program.write("ask-tool echo ran\nmaybe\ny\n/usage\n/nope\n/fork\nrecall\n")
    program.child.stdin?.end()
    const { code, stderr, stdout } = await program.ended
    const parsed = (text: string) =>
      text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    assert.strictEqual(code, 0, stderr)
    const lines = parsed(stdout)
    const opened = lines.filter((line) => "agent" in line)
    assert.deepStrictEqual(
      opened.map(({ agent }) => agent),
      ["demo", "demo"]
    )
    assert.deepInclude(lines[0], opened[0])
    assert.deepInclude(lines.at(-1), { session_id: opened[1]?.["session_id"], closed: true, turns: 1 })
    const events = lines.filter((line) => "seq" in line)
    assert.strictEqual(events.length + opened.length + 1, lines.length)
    for (const method of ["_troupe/approval_asked", "_troupe/approval_settled", "_troupe/turn", "session/update"]) {
      assert.isTrue(
        events.some((event) => event["method"] === method),
        method
      )
    }
    const told = parsed(stderr)
    for (const line of told) assert.hasAnyKeys(line, ["remark", "problem"])
    const problems = told.flatMap(({ problem }) => (problem === undefined ? [] : [problem]))
    assert.deepStrictEqual(
      problems,
      [
        "maybe (that is no answer)",
        "✗ There is no command /nope. /help lists them; a blank before it sends the line as it is."
      ].map((text) => text.replace("✗ ", ""))
    )
  })

  it("asks for approvals in place, and takes the next lines for answers", async () => {
    const program = chat("pipe")
    program.write("ask-tool echo ran > one\nmaybe\nd\ny\nask-tool echo ran > two\nn\nask edit\n")
    program.child.stdin?.end()
    const { code, stdout } = await program.ended
    assert.strictEqual(code, 0)
    assert.match(
      stdout,
      /^\? execute: echo ran > one\n {2}no answer within 5 min is a no\n.*› maybe \(that is no answer\)$/m
    )
    assert.match(stdout, /› details\n[^]*"title": "echo ran > one"[^]*› yes, once\n◆ echo ran > one ✓/)
    assert.match(stdout, /› no\n◆ echo ran > two \[declined\]/)
    assert.strictEqual(readFileSync(join(workspace.cwd, "one"), "utf8"), "ran\n")
    assert.throws(() => readFileSync(join(workspace.cwd, "two")))
    // stdin has ended, so nobody can approve the last one.
    assert.match(stdout, /^\? edit: Demo tool of kind edit\n.*\n.*› no\n[^]*The client said: reject-once/m)
  })

  it("goes on after a turn that fails and an agent that dies, and exits with 1 then", async () => {
    const program = chat("pipe")
    program.write("fail model\ncrash\n")
    await program.printsNext(/^✗ model: .*The demo's model failed, as you asked.*\n/m)
    await program.printsNext(/^About to crash\.\n✗ crash: .*exit code 1.*\n/m)
    await program.printsNext(/^The agent's process is dead\. Another one is being started\.\n/m)
    await program.printsNext(/^A new process has taken the conversation up\.\n/m)
    program.write("recall\n")
    await program.printsNext(/^\["fail model","crash"\]\n/m)
    program.child.stdin?.end()
    assert.strictEqual((await program.ended).code, 1)
  })

  it("says that the agent has lost the conversation", async () => {
    const demo = join(import.meta.dirname, "..", "..", "src", "agent", "demo", "main.ts")
    const env = { TROUPE_DEMO_START: "forget" }
    const agents = { forgetful: { protocol: "acp", command: [process.execPath, demo], env } }
    writeFileSync(join(workspace.cwd, "troupe.config.json"), JSON.stringify({ agents, defaultAgent: "forgetful" }))
    const program = chat("pipe")
    program.write("remember this\nexit-after\n")
    await program.printsNext(/^The agent has lost what was said before: .+\n/m)
    program.child.stdin?.end("recall\n")
    assert.match((await program.ended).stdout, /› recall\n\[\]\n/)
  })

  it("interrupts its turn on SIGINT and goes on, and ends on SIGTERM", async () => {
    const program = chat("pipe")
    const pid = await agentOf(program)
    program.write("slow 10000 20\nhello\n")
    await program.printsNext(/word3/)
    program.child.kill("SIGINT")
    await program.printsNext(/\^C The turn is being interrupted\. Another Ctrl-C ends the chat\.\n[^]*— interrupted\n/)
    await program.printsNext(/› hello\nYou said: hello \(turn 3\)\n\n/)
    program.write("/steer no\nhang\n")
    await program.printsNext(/› \/steer no\n✗ No turn runs that could be steered\.\n/)
    await program.printsNext(/^Hanging\./m)
    program.child.kill("SIGTERM")
    const { code, stdout } = await program.ended
    assert.strictEqual(code, 143)
    assert.match(stdout, /No process is left\.\n$/)
    assert.isFalse(isAlive(pid))
  })

  it("prints no control sequence of the agent's", async () => {
    const program = chat("pipe")
    program.write("\u001b]0;owned\u0007 \u001b[2J\n")
    program.child.stdin?.end("tool printf '\\033[2Jcleared' # \u001b[31m\ny\n")
    const { stdout } = await program.ended
    assert.match(stdout, /You said: \]0;owned/)
    assert.match(stdout, /\[2Jcleared/)
    assert.notInclude(stdout, "\u001b")
    assert.notInclude(stdout, "\u0007")
  })

  it("says what to do where a server has the data dir, and where flags contradict each other", async () => {
    const first = chat("pipe", ["--data-dir", "data"])
    await first.printed(/session ses_/)
    const second = await chat("ignore", ["--data-dir", "data"]).ended
    assert.deepStrictEqual([second.code, second.stdout], [1, ""])
    assert.match(second.stderr, /^troupe: .* is held by the Troupe with pid \d+.*--url.*TROUPE_TOKEN\.\n$/)
    const both = await chat("ignore", ["--data-dir", "data", "--url", "http://127.0.0.1:1"]).ended
    assert.deepStrictEqual([both.code, both.stdout], [2, ""])
    assert.match(both.stderr, /^troupe: --url .* --data-dir .*\n$/)
    const nobody = await chat("ignore", ["--data-dir", ":memory:", "--agent", "nobody"]).ended
    assert.strictEqual(nobody.code, 2)
    assert.match(nobody.stderr, /^troupe: No agent is called "nobody"\. troupe doctor .*\n$/)
    first.child.stdin?.end()
    assert.strictEqual((await first.ended).code, 0)
  })
})

describe("troupe chat on a server", () => {
  it("attaches files and chooses a model over HTTP", async () => {
    const server = workspace.start(["serve", "--port", "0"])
    const [, url = ""] = await server.printed(/listens on (http:\/\/\S+)[^]*curl/)
    const token = readFileSync(join(workspace.cwd, ".troupe", "app-token"), "utf8").trim()
    writeFileSync(join(workspace.cwd, "note.txt"), "a note")
    const program = chat("pipe", ["--url", url, "--permissions", "approve_all"], { TROUPE_TOKEN: token })
    program.child.stdin?.end("/model demo-large\n/attach note.txt\nlook\nsession\n")
    const { code, stdout } = await program.ended
    assert.strictEqual(code, 0)
    assert.match(stdout, /You said: .*\/note\.txt[^]*look[^]*Model demo-large,/)
  })

  it("streams, asks for approvals, steers, interrupts and closes over HTTP", async () => {
    const server = workspace.start(["serve", "--port", "0"])
    const [, url = ""] = await server.printed(/listens on (http:\/\/\S+)[^]*curl/)
    const token = readFileSync(join(workspace.cwd, ".troupe", "app-token"), "utf8").trim()
    const program = chat("pipe", ["--url", url], { TROUPE_TOKEN: token })
    const [, id = ""] = await program.printsNext(/session (ses_\S+)/)
    const pid = await agentOf(program)
    program.write("ask-tool echo yes\ny\nslow 10000 20\n/steer hurry up\n")
    await program.printsNext(/› yes, once\n◆ echo yes ✓/)
    await program.printsNext(/word1[^]*\n› hurry up\nYou said: hurry up/)
    program.write("slow 10000 20\n")
    await program.printsNext(/word3/)
    program.child.kill("SIGINT")
    await program.printsNext(/— interrupted\n/)
    program.child.stdin?.end()
    const { code, stderr } = await program.ended
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    assert.isFalse(isAlive(pid))
    const status = await workspace.run(["sessions", "show", id, "--url", url], { TROUPE_TOKEN: token })
    assert.match(status.stdout, /^state +closed$/m)
  })

  it("goes on when its server was killed and is back, and ends when its session is closed elsewhere", async () => {
    const server = workspace.start(["serve", "--port", "0"])
    const [, url = "", port = ""] = await server.printed(/listens on (http:\/\/\S+:(\d+))[^]*curl/)
    const env = { TROUPE_TOKEN: readFileSync(join(workspace.cwd, ".troupe", "app-token"), "utf8").trim() }
    const program = chat("pipe", ["--url", url], env)
    const [, id = ""] = await program.printsNext(/session (ses_\S+)/)
    program.write("hello\n")
    await program.printsNext(/You said: hello/)
    server.child.kill("SIGKILL")
    await server.ended
    await workspace.start(["serve", "--port", port]).printed(/listens on/)
    program.write("recall\n")
    await program.printsNext(/^\["hello"\]\n/m)
    assert.strictEqual((await workspace.run(["sessions", "close", id, "--url", url], env)).code, 0)
    assert.strictEqual((await program.ended).code, 0)
    assert.match(program.stdout(), /^The session was closed\.\n/m)
  })

  it("says that no server answers", async () => {
    const { code, stderr } = await chat("ignore", ["--url", "http://127.0.0.1:1", "--token", "x"]).ended
    assert.strictEqual(code, 1)
    assert.match(stderr, /^troupe: No Troupe answers at http:\/\/127\.0\.0\.1:1 .*\n$/)
  })
})
