/** `troupe ask`: the answer alone on stdout, the exit codes, and nothing that is left. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { readdirSync } from "node:fs"
import { isAlive, makeWorkspace } from "./program.ts"
import type { Workspace } from "./program.ts"
import { openServer } from "./server.ts"

let workspace: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(() => workspace.cleanUp())

const ask = (...args: ReadonlyArray<string>) => workspace.run(["ask", "--agent", "demo", ...args])

describe("troupe ask", () => {
  it("prints the answer, its body with --json, and what happens as it comes with --stream", async () => {
    assert.deepStrictEqual(await ask("hello"), { code: 0, stdout: "You said: hello (turn 1)\n", stderr: "" })
    const body = await ask("hello", "--json")
    assert.deepInclude<object>(JSON.parse(body.stdout), { ok: true, final_text: "You said: hello (turn 1)" })
    const { code, stdout } = await ask("slow 2", "--stream", "--json")
    assert.strictEqual(code, 0)
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.deepInclude(lines.at(-1)?.["outcome"], { ok: true, turn_index: 1 })
    assert.isTrue(lines.slice(0, -1).every(({ jsonrpc }) => jsonrpc === "2.0"))
    assert.deepStrictEqual(readdirSync(workspace.cwd), [])
  })

  it("reads the prompt from stdin", async () => {
    const program = workspace.start(["ask", "--agent", "demo", "-"], {}, "pipe")
    program.child.stdin!.end("from a pipe\n")
    assert.deepInclude(await program.ended, { code: 0, stdout: "You said: from a pipe (turn 1)\n" })
  })

  it("exits with 1 where the turn failed, 124 where its deadline was over, 2 on bad usage", async () => {
    const [crashed, late, nobody, asking, nowhere] = await Promise.all([
      ask("crash"),
      ask("slow 5000 20", "--timeout", "0.5"),
      workspace.run(["ask", "--agent", "nobody", "hello"]),
      ask("hello", "--permissions", "ask"),
      ask("hello", "--cwd", "nowhere")
    ])
    assert.deepStrictEqual(
      [crashed, late, nobody, asking, nowhere].map(({ code }) => code),
      [1, 124, 2, 2, 2]
    )
    assert.match(crashed!.stderr, /^troupe: crash: .*\n$/)
    assert.match(late!.stderr, /^troupe: timeout: .*\n$/)
    assert.match(nobody!.stderr, /^troupe: No agent is called "nobody"\. troupe doctor lists .*\n$/)
  })

  it("ends its agent when a signal ends it", async () => {
    const program = workspace.start(["ask", "--agent", "demo", "--permissions", "approve_all", "--stream", script])
    const agent = Number((await program.printed(/^agent (\d+)/m))[1])
    program.child.kill("SIGINT")
    assert.strictEqual((await program.ended).code, 130)
    assert.isFalse(isAlive(agent))
  })

  it("has its turn on a server, where it leaves no open session", async () => {
    const { url } = await openServer(workspace)
    assert.deepStrictEqual(await ask("hello", "--url", url), {
      code: 0,
      stdout: "You said: hello (turn 1)\n",
      stderr: ""
    })
    const { stdout } = await workspace.run(["sessions", "list", "--json", "--state", "open"])
    assert.deepInclude<object>(JSON.parse(stdout), { count: 0 })
  })
})

const script = "tool echo agent $PPID\nslow 5000 20"
