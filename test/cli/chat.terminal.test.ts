/** `troupe chat` at a real terminal: its keys, its colours, and what is typed while a turn runs. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { agentOf, startChat } from "./chat.ts"
import type { Chat } from "./chat.ts"
import { hasTerminals, isAlive, makeWorkspace } from "./program.ts"
import type { Stdin, Workspace } from "./program.ts"

let workspace: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(() => workspace.cleanUp())

const chat = (stdin: Stdin, args?: ReadonlyArray<string>, env?: Readonly<Record<string, string>>): Chat =>
  startChat(workspace, stdin, args, env)

// The name says why the tests are skipped where they are.
describe.skipIf(!hasTerminals)("troupe chat at a terminal (of script, from util-linux)", () => {
  it("streams, takes a key for an answer, interrupts on Ctrl-C and closes on Ctrl-D", async () => {
    const program = chat("terminal")
    const pid = await agentOf(program)
    program.write("ask-tool echo may\r")
    await program.printsNext(/\? execute: echo may[^]*details › /)
    // Pasted text is no answer. Nothing shows when it has been read, so the next key is repeated until it is taken.
    program.write("yes\r")
    const pressing = setInterval(() => program.write("d"), 100)
    await program.printsNext(/› details/).finally(() => clearInterval(pressing))
    await program.printsNext(/"title": "echo may"[^]*details › /)
    program.write("a")
    await program.printsNext(/yes, for this session\s+.*◆ echo may.*✓/)
    // Two lines at once, the first of which is continued in the second.
    program.write("ask edit\\\rask-tool echo again\r")
    await program.printsNext(/\? edit: [^]*details › /)
    program.write("n")
    await program.printsNext(/◆ echo again.*✓/)
    program.write("slow 10000 20\r")
    await program.printsNext(/word3/)
    program.write("\u0003")
    await program.printsNext(/— interrupted/)
    program.write("ask edit\r")
    await program.printsNext(/\? edit: [^]*details › /)
    program.write("\u0003")
    await program.printsNext(/It is not asked any more\.[^]*— interrupted/)
    program.write("half a line\u0003\u0003")
    await program.printsNext(/Ctrl-D or \/quit ends the chat\./)
    program.write("\u0004")
    const { code, stdout } = await program.ended
    assert.strictEqual(code, 0)
    assert.notInclude(stdout, "You said: half")
    assert.match(stdout, /No process is left\./)
    assert.isFalse(isAlive(pid))
  })

  it("queues what is typed while a turn runs, steers with it, and ends on a second Ctrl-C", async () => {
    const program = chat("terminal")
    const pid = await agentOf(program)
    program.write("slow 10000 20\r")
    await program.printsNext(/word3/)
    program.write("what next?\r")
    await program.printsNext(/next › [^]*It waits for the end of this turn/)
    program.write("/steer hurry up\r")
    await program.printsNext(/You said: hurry up/)
    await program.printsNext(/› .*what next\?\s+You said: what next\?/)
    program.write("slow 10000 20\r")
    await program.printsNext(/word3/)
    program.write("\u0003\u0003")
    const { code, stdout } = await program.ended
    assert.strictEqual(code, 130)
    assert.match(stdout, /No process is left\./)
    assert.isFalse(isAlive(pid))
  })

  it("ends on Ctrl-D at once, also while output is on its way to the line that is typed", async () => {
    const program = chat("terminal")
    const pid = await agentOf(program)
    program.write("slow 20000 0\r")
    await program.printsNext(/word30/)
    program.write("x\u007f\u0004")
    const { code, stderr, stdout } = await program.ended
    assert.strictEqual(code, 0, `${stdout.slice(-1000)}\n${stderr}`)
    assert.match(stdout, /No process is left\./)
    assert.isFalse(isAlive(pid))
  })

  it("prints colours, and none with NO_COLOR", async () => {
    const ended = async (env: Readonly<Record<string, string>>) => {
      const program = chat("terminal", ["--data-dir", ":memory:"], { TERM: "xterm-256color", ...env })
      program.write("think\r")
      await program.printsNext(/Done/)
      program.write("/quit\r")
      return program.ended
    }
    const [coloured, plain] = await Promise.all([ended({}), ended({ NO_COLOR: "1" })])
    const dim = "\u001b[2mLet me think."
    assert.deepStrictEqual([coloured.code, plain.code], [0, 0])
    assert.include(coloured.stdout, dim)
    assert.notInclude(plain.stdout, dim)
  })
})
