/** A chat that is left and come back to, in this process and on a server that runs on the data dir. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { mkdirSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { startChat } from "./chat.ts"
import { makeWorkspace } from "./program.ts"
import type { Workspace } from "./program.ts"
import { openServer, sessionOf, untilSpeaking } from "./server.ts"

let workspace: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(() => workspace.cleanUp())

/** The whole output of a chat that is given these lines. */
const chat = async (input: string, args: ReadonlyArray<string> = [], env: Readonly<Record<string, string>> = {}) => {
  const program = startChat(workspace, "pipe", args, env)
  program.child.stdin!.end(input)
  const { code, stderr, stdout } = await program.ended
  assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
  return stdout
}

describe("troupe chat without a server", () => {
  it("keeps its data outside of the directory, and comes back to a session that was left there", async () => {
    const data = join(workspace.cwd, "data")
    const repo = join(workspace.cwd, "repo")
    mkdirSync(repo)
    const env = { XDG_DATA_HOME: data }
    const left = await chat("hello\n/detach\n", ["--agent", "demo", "--cwd", "repo"], env)
    const [, id = ""] = /troupe chat --session (ses_\S+) goes on/.exec(left) ?? []
    assert.deepStrictEqual(readdirSync(repo), [])
    const [own = ""] = readdirSync(join(data, "troupe", "chat"))
    assert.match(own, /^repo-[0-9a-f]{12}$/)
    assert.strictEqual(statSync(join(data, "troupe", "chat", own)).mode & 0o777, 0o700)

    const back = await chat("recall\n", ["--session", id, "--cwd", "repo"], env)
    assert.match(back, /^› hello\nYou said: hello \(turn 1\)\n\n› recall\n\["hello"\]\n/m)
    assert.match(await chat("/close\n", ["--session", "last", "--cwd", "repo"], env), /^Closed after 2 turns/m)
    const none = await workspace.run(["chat", "--session", "last", "--cwd", "repo"], env)
    assert.deepStrictEqual([none.code, none.stderr], [1, "troupe: There is no open session to come back to.\n"])
    const both = await workspace.run(["chat", "--session", id, "--agent", "demo"], env)
    assert.strictEqual(both.code, 2)
    assert.match(both.stderr, /^troupe: --session goes on with a session as it is, and --agent is for a new one\..*\n$/)
  })
})

describe("troupe chat beside a server", () => {
  it("has its session there, in this directory, and leaves it open when it is detached", async () => {
    const server = await openServer(workspace)
    const left = await chat("tool pwd\n/detach\n", ["--agent", "demo", "--permissions", "approve_all"])
    assert.match(left, new RegExp(`^demo, session ses_\\S+ on ${server.url}$`, "m"))
    assert.include(left, workspace.cwd)
    const [, id = ""] = /troupe chat --session (ses_\S+) goes on/.exec(left) ?? []
    const shown = await workspace.run(["sessions", "show", id, "--json"])
    assert.deepInclude<object>(JSON.parse(shown.stdout), { state: "idle", cwd: workspace.cwd })
  })

  it("comes back into a turn that runs, waits for its end, and closes nothing that was there before", async () => {
    const server = await openServer(workspace)
    const id = await sessionOf(server)
    await server.call("POST", `/sessions/${id}/turn`, { prompt: "hello" })
    await server.call("POST", `/sessions/${id}/turn`, { prompt: "slow 40 50", wait: false })
    await untilSpeaking(server, id, "word1")
    const back = await chat("recall\n", ["--session", id])
    assert.match(
      back,
      /^› hello\nYou said: hello \(turn 1\)\n\n› slow 40 50\nword1 [^]*word40 \n\n› recall\n\["hello",/m
    )
    assert.match(back, /^Left open after 3 turns/m)
    assert.deepInclude(await server.call("GET", `/sessions/${id}`), { state: "idle" })
  })

  it("goes on when its server is stopped and started again, and repeats nothing", async () => {
    const server = await openServer(workspace)
    const program = startChat(workspace, "pipe", ["--agent", "demo"])
    program.write("hello\n")
    await program.printsNext(/You said: hello \(turn 1\)/)
    server.program.child.kill("SIGTERM")
    await server.program.ended
    const again = workspace.start(["serve", "--port", new URL(server.url).port])
    await again.printed(/listens on/)
    program.write("recall\n")
    await program.printsNext(/\["hello"\]/)
    program.child.stdin!.end("/close\n")
    const { code, stderr, stdout } = await program.ended
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    assert.lengthOf(stdout.match(/You said: hello/g) ?? [], 1)
  })
})
