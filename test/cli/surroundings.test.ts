/** The server where its surroundings are not as usual: output that nobody reads, a plain file system, process 1. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { main } from "../builtProgram.ts"
import { isAlive, makeWorkspace } from "./program.ts"
import type { Workspace } from "./program.ts"
import { openServer, pidOf, sessionOf, untilSpeaking } from "./server.ts"

let workspace: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(() => workspace.cleanUp())

const fixture = join(import.meta.dirname, "..", "fixtures", "noLinksOrModes.mjs")

describe("troupe serve", () => {
  it("settles its turns and leaves no agent when the reader of its output is gone", async () => {
    const server = await openServer(workspace)
    const session = await sessionOf(server)
    void server.call("POST", `/sessions/${session}/turn`, { prompt: "slow 20 100" }).catch(() => {})
    await untilSpeaking(server, session)
    const pid = await pidOf(server, session)
    const { child } = server.program
    child.stdout?.destroy()
    child.stderr?.destroy()
    const ended = once(child, "exit")
    // Its next line of log has no reader: that its ledger is away for a moment.
    const db = new DatabaseSync(join(workspace.cwd, ".troupe", "troupe.sqlite"))
    db.exec("BEGIN IMMEDIATE")
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    db.exec("COMMIT")
    assert.deepStrictEqual(await ended, [0, null])
    assert.isFalse(isAlive(pid))
    const turn = db.prepare("SELECT status FROM turns").get()
    db.close()
    assert.deepEqual({ ...turn }, { status: "completed" })
  })

  it("works on a file system without hard links and modes", async () => {
    const server = await openServer(workspace, { NODE_OPTIONS: `--import=${fixture}` })
    const session = await sessionOf(server)
    const turn = await server.call("POST", `/sessions/${session}/turn`, { prompt: "hello" })
    assert.deepInclude(turn, { ok: true })
    assert.isAbove(readFileSync(join(workspace.cwd, ".troupe", "admin-token"), "utf8").trim().length, 20)
  })

  const canUnshare = spawnSync("unshare", ["-fp", "--mount-proc", "true"]).status === 0

  it.skipIf(!canUnshare)("says that it is no init where it is process 1", () => {
    const { stderr, stdout } = spawnSync(
      "unshare",
      ["-fp", "--mount-proc", process.execPath, main, "serve", "--port", "0", "--data-dir", "/dev/null/nowhere"],
      {
        cwd: workspace.cwd,
        encoding: "utf8",
        env: { PATH: process.env["PATH"], HOME: workspace.cwd },
        timeout: 50_000,
        killSignal: "SIGKILL"
      }
    )
    assert.match(stdout + stderr, /runs as process 1 and is no init/)
  })
})
