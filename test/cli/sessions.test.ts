/** `troupe sessions`, on a server that it finds by the data dir: what each command prints, on which stream, and its exit code. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync, statSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { makeWorkspace } from "./program.ts"
import type { Ended, Workspace } from "./program.ts"
import { openServer, sessionOf, untilSpeaking } from "./server.ts"
import type { Server } from "./server.ts"

let workspace: Workspace
let server: Server
beforeAll(async () => {
  workspace = makeWorkspace()
  server = await openServer(workspace)
}, 60_000)
afterAll(() => workspace.cleanUp())

const troupe = (...args: ReadonlyArray<string>) => workspace.run(args)
const sessions = (...args: ReadonlyArray<string>) => workspace.run(["sessions", ...args])

const ok = ({ code, stderr, stdout }: Ended): string => {
  assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
  return stdout
}
const json = <A = Record<string, unknown>>(text: string): A => JSON.parse(text) as A
const lines = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => json(line))

const create = async (...args: ReadonlyArray<string>) => ok(await sessions("create", "--agent", "demo", ...args)).trim()

describe("a server that runs on the data dir", () => {
  it("is found by it, with the admin's token, by who can read the data dir", async () => {
    const file = join(workspace.cwd, ".troupe", "server.json")
    assert.strictEqual(statSync(file).mode & 0o777, 0o600)
    const { pid, url } = json(readFileSync(file, "utf8"))
    assert.deepStrictEqual({ pid, url }, { pid: server.program.child.pid, url: server.url })
    const id = await sessionOf(server)
    const listed = await Promise.all([
      sessions("list", "--json"),
      sessions("list", "--json", "--url", server.url.replace("127.0.0.1", "localhost")),
      workspace.run(["sessions", "list", "--json", "--data-dir", ".troupe"]),
      troupe("top", "--json")
    ])
    for (const each of listed) assert.include(ok(each), id)
  })

  it("is found no more when it has ended, and its token is sent to no other address", async () => {
    const another = makeWorkspace()
    try {
      const { program, url } = await openServer(another)
      program.child.kill("SIGKILL")
      await program.ended
      // Its file is left, and names a process that is dead.
      assert.include(readFileSync(join(another.cwd, ".troupe", "server.json"), "utf8"), url)
      const none = await another.run(["sessions", "list"])
      assert.deepStrictEqual([none.code, none.stdout], [1, ""])
      assert.match(
        none.stderr,
        /^troupe: No Troupe runs on the data dir \/.*\.troupe\. Start one with troupe serve, .*\n$/
      )
    } finally {
      await another.cleanUp()
    }
    const elsewhere = await sessions("list", "--url", "http://127.0.0.1:18420")
    assert.deepStrictEqual([elsewhere.code, elsewhere.stdout], [2, ""])
    assert.match(
      elsewhere.stderr,
      /^troupe: No token was given for http:\/\/127\.0\.0\.1:18420: set TROUPE_TOKEN, .*\n$/
    )
  })
})

describe("troupe sessions", () => {
  it("creates a session, has turns in it, and prints results alone on stdout", async () => {
    const id = await create("--cwd", workspace.cwd, "--meta", "ticket=T-1", "--permissions", "approve_reads")
    assert.match(id, /^ses_[\w-]{27}$/)
    const shown = json(ok(await sessions("show", id, "--json")))
    assert.deepInclude(shown, { cwd: workspace.cwd, meta: { ticket: "T-1" }, permissions: "approve_reads" })

    assert.strictEqual(ok(await sessions("turn", id, "hello")), "You said: hello (turn 1)\n")
    const outcome = json(ok(await sessions("turn", id, "hello", "--json")))
    assert.deepInclude(outcome, { ok: true, session_id: id, turn_index: 2, final_text: "You said: hello (turn 2)" })
    const streamed = lines(ok(await sessions("turn", id, "slow 2", "--stream", "--json")))
    assert.deepInclude(streamed.at(-1)?.["outcome"], { ok: true, turn_index: 3 })
    assert.isTrue(streamed.slice(0, -1).every(({ jsonrpc, seq }) => jsonrpc === "2.0" && typeof seq === "number"))
    assert.strictEqual(ok(await sessions("turn", id, "hello", "--no-wait")), "4\n")
  })

  it("prints the conversation as lines of JSON, and what was done with the session", async () => {
    const id = await create()
    ok(await sessions("turn", id, "hello"))
    assert.deepStrictEqual(lines(ok(await sessions("messages", id, "--json"))), [
      { role: "user", content: "hello" },
      { role: "assistant", content: "You said: hello (turn 1)" }
    ])
    assert.strictEqual(ok(await sessions("messages", id)), "› hello\n‹ You said: hello (turn 1)\n")
    const { audit } = json<{ readonly audit: ReadonlyArray<Record<string, unknown>> }>(
      ok(await sessions("audit", id, "--json"))
    )
    assert.deepStrictEqual(
      audit.map(({ action, actor }) => [action, actor]),
      [
        ["create", "admin"],
        ["turn_start", "admin"],
        ["start", "troupe"],
        ["turn_end", "troupe"]
      ]
    )
    assert.match(ok(await sessions("unpark", id)), / is not parked\.\n$/)
    ok(await sessions("close", id))
    const seqs = lines(ok(await sessions("tail", id, "--json"))).map(({ seq }) => seq)
    assert.deepStrictEqual(
      seqs,
      seqs.map((_, index) => index + 1)
    )
  })

  it("interrupts a turn, whose own command exits with 3, and times one out, which exits with 124", async () => {
    const id = await create()
    const turn = workspace.start(["sessions", "turn", id, "slow 5000 20"])
    await untilSpeaking(server, await running(id))
    assert.match(ok(await sessions("interrupt", id)), / is interrupted\.\n$/)
    assert.deepInclude(await turn.ended, { code: 3, stderr: "troupe: The turn was interrupted.\n" })
    assert.deepInclude<object>(json(ok(await sessions("interrupt", id, "--json"))), { ok: true, interrupted: false })

    const late = await sessions("turn", id, "slow 5000 20", "--timeout", "0.5", "--json")
    assert.deepStrictEqual([late.code, late.stderr], [124, ""])
    assert.deepInclude<object>(json(late.stdout), { ok: false, error_class: "timeout" })
  })

  it("answers what an agent asks: the only thing, or a named one", async () => {
    const id = await create("--permissions", "ask")
    const first = workspace.start(["sessions", "turn", id, "ask-tool echo yes"])
    const approval = await asked(id)
    assert.include(ok(await sessions("approve", id, "--list")), approval)
    assert.strictEqual(ok(await sessions("approve", id)), "Yes, once: echo yes\n")
    assert.match((await first.ended).stdout, /^The command printed:\nyes\n/)

    const second = workspace.start(["sessions", "turn", id, "ask-tool echo no"])
    const denied = await sessions("approve", id, await asked(id), "--decision", "deny", "--json")
    assert.deepInclude<object>(json(ok(denied)), {
      ok: true,
      status: "answered",
      decision: "deny",
      decided_by: "admin"
    })
    assert.match((await second.ended).stdout, /^The command was not run/)
    const none = await sessions("approve", id)
    assert.deepStrictEqual([none.code, none.stderr], [1, `troupe: The agent of ${id} asks nothing.\n`])
  })

  it("exits with 2 on arguments that it, or the server, does not take", async () => {
    const id = await create()
    const wrong: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
      [["list", "--url", "nonsense"], /^troupe: --url is "nonsense": it takes an address such as http:.*\n$/],
      [["list", "--url", "ftp://127.0.0.1"], /^troupe: --url is "ftp:\/\/127\.0\.0\.1": it takes an address.*\n$/],
      [["list", "--limit", "0"], /^troupe: --limit is "0": it takes a whole number from 1 to 200.*\n$/],
      [["turn", id, " "], /^troupe: <prompt> is " ": it takes a p.*\n$/],
      [["create", "--agent", "nobody"], /^troupe: .*nobody.*\n$/],
      [["create", "--cwd", "nowhere"], /^troupe: .*cwd.*\n$/],
      [["approve", id, "--answers", "red"], /^troupe: --answers takes a JSON object.*\n$/]
    ]
    const runs = wrong.map(async ([args, says]) => ({ ...(await sessions(...args)), says }))
    for (const { code, says, stderr, stdout } of await Promise.all(runs)) {
      assert.deepStrictEqual({ code, stdout }, { code: 2, stdout: "" }, stderr)
      assert.match(stderr, says)
    }
  })

  it("says in one line that what answers is no Troupe", async () => {
    const other = createServer((request, response) => {
      const isPage = request.headers["authorization"] === "Bearer page"
      response.writeHead(isPage ? 404 : 200, { "content-type": isPage ? "text/html" : "application/json" })
      response.end(isPage ? "<h1>Not here</h1>" : '{"hello":1}')
    })
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", () => resolve()))
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
    try {
      const commands = [["sessions", "list"], ["sessions", "tail", "x"], ["sessions", "create"], ["top"], ["chat"]]
      const runs = commands.flatMap((args) =>
        ["page", "json"].map((token) => troupe(...args, "--url", url, "--token", token))
      )
      for (const { code, stderr, stdout } of await Promise.all(runs)) {
        assert.deepStrictEqual({ code, stdout }, { code: 1, stdout: "" })
        assert.match(
          stderr,
          new RegExp(`^troupe: What answers at ${url} is no Troupe, or one of another version .*\\n$`)
        )
      }
    } finally {
      other.close()
    }
  })
})

/** Waits until the session's turn is with its agent. */
const running = async (id: string): Promise<string> => {
  while (json(ok(await sessions("show", id, "--json")))["state"] !== "turning");
  return id
}

/** Waits until the agent asks, and gives the approval's id. */
const asked = async (id: string): Promise<string> => {
  while (true) {
    const { approvals } = json<{ readonly approvals: ReadonlyArray<{ readonly approval_id: string }> }>(
      ok(await sessions("approve", id, "--list", "--json"))
    )
    if (approvals[0] !== undefined) return approvals[0].approval_id
  }
}
