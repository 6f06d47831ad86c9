/** A copy of the data dir of a server that runs: a second server on it leaves the first one's agents alone. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { cpSync } from "node:fs"
import { join } from "node:path"
import { isAlive, makeWorkspace } from "./program.ts"
import type { Workspace } from "./program.ts"
import { openServer, pidOf, sessionOf, untilSpeaking } from "./server.ts"

let workspace: Workspace
let second: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
  second = makeWorkspace()
})
afterEach(async () => {
  await second.cleanUp()
  await workspace.cleanUp()
})

describe("a server on a copy of another's data dir", () => {
  it("ends no agent of the other server, whose turn goes on", async () => {
    const first = await openServer(workspace)
    const session = await sessionOf(first)
    const turn = first.call("POST", `/sessions/${session}/turn`, { prompt: "slow 20 100" })
    await untilSpeaking(first, session)
    const pid = await pidOf(first, session)
    cpSync(join(workspace.cwd, ".troupe"), join(second.cwd, ".troupe"), { recursive: true })

    const copy = await openServer(second)
    assert.match(
      copy.program.stdout() + copy.program.stderr(),
      /the processes of lease \S+ are left alone: the Troupe with pid \d+/
    )
    assert.isTrue(isAlive(pid))
    // The copy's own record of the turn is settled, because the copy has no agent at work on it.
    assert.deepInclude(await copy.call("GET", `/sessions/${session}/turns/1`), { ok: false, status: "failed" })
    assert.deepInclude(await turn, { ok: true, stop_reason: "end_turn" })
  })
})
