/** The conversations of a chat: it goes on in a copy of its own, or with one that the agent has. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { startChat } from "./chat.ts"
import type { Chat } from "./chat.ts"
import { hasTerminals, makeWorkspace } from "./program.ts"
import type { Workspace } from "./program.ts"

let workspace: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(() => workspace.cleanUp())

/** Says something, forks, and goes on with the first conversation; the ids of the three sessions and of that one. */
const moveThrough = async (program: Chat, enter: string) => {
  const [, first = ""] = await program.printsNext(/session (ses_\S+)/)
  program.write(`the bird is a heron${enter}`)
  await program.printsNext(/You said: the bird is a heron/)
  program.write(`/threads${enter}`)
  const [, thread = ""] = await program.printsNext(/THREAD[^]*?\n\S*?([0-9a-f-]{36}) /)
  program.write(`/fork 7${enter}`)
  await program.printsNext(/✗ The session has no turn 7\./)
  program.write(`/fork 1${enter}`)
  const [, copy = ""] = await program.printsNext(/goes on in a copy up to turn 1, as session (ses_[\w-]+)\./)
  program.write(`recall${enter}`)
  await program.printsNext(/\["the bird is a heron"\]/)
  program.write(`/thread ${thread}${enter}`)
  const [, again = ""] = await program.printsNext(/goes on with [0-9a-f-]+, as session (ses_[\w-]+)\./)
  program.write(`recall${enter}`)
  // Not what the copy was asked.
  await program.printsNext(/\["the bird is a heron"\]/)
  return { sessions: [first, copy, again], thread }
}

describe("the conversations of troupe chat", () => {
  it("a fork and a thread are taken up in place, in this process", async () => {
    const program = startChat(workspace, "pipe", ["--data-dir", ":memory:", "--permissions", "approve_all"])
    const { sessions } = await moveThrough(program, "\n")
    program.child.stdin?.end("/fork first\n/threads /nowhere\n")
    const { code, stderr, stdout } = await program.ended
    assert.strictEqual(new Set(sessions).size, 3)
    // A fork that was refused is a failure of the script's.
    assert.deepStrictEqual({ code, stderr }, { code: 1, stderr: "" })
    assert.match(stdout, /✗ \/fork takes the number of a turn, or nothing/)
    assert.match(stdout, /The agent has no conversations there\./)
    assert.match(stdout, /Closed after 1 turn .*\. No process is left\.\n$/)
  })

  it("a fork and a thread are taken up in place on a server, which has no session of the chat's left", async () => {
    const server = workspace.start(["serve", "--port", "0"])
    const [, url = ""] = await server.printed(/listens on (http:\/\/\S+)[^]*curl/)
    const token = readFileSync(join(workspace.cwd, ".troupe", "app-token"), "utf8").trim()
    const env = { TROUPE_TOKEN: token, TROUPE_URL: url }
    const program = startChat(workspace, "pipe", ["--agent", "demo", "--permissions", "approve_all"], env)
    const { sessions, thread } = await moveThrough(program, "\n")
    program.child.stdin?.end()
    await program.ended
    const [listed, threads] = await Promise.all([
      workspace.run(["sessions", "list", "--json"], env),
      workspace.run(["sessions", "threads", "--agent", "demo"], env)
    ])
    const page = JSON.parse(listed.stdout) as {
      sessions: ReadonlyArray<{ readonly session_id: string; readonly state: string }>
    }
    assert.deepStrictEqual(
      page.sessions.map(({ session_id, state }) => [session_id, state]),
      sessions.toReversed().map((id) => [id, "closed"])
    )
    assert.match(threads.stdout, /^THREAD +LAST USED +DIRECTORY +TITLE\n/)
    assert.include(threads.stdout, thread)
  })

  it.skipIf(!hasTerminals)("a fork and a thread are taken up in place at a terminal", async () => {
    const program = startChat(workspace, "terminal", ["--data-dir", ":memory:", "--permissions", "approve_all"])
    await moveThrough(program, "\r")
    program.write("\u0004")
    const { code, stdout } = await program.ended
    assert.strictEqual(code, 0)
    assert.match(stdout, /No process is left\./)
  })
})
