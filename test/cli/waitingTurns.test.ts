/** Turns that wait for a process, and end before they get one: they leave no request behind, and nothing owed. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { makeWorkspace } from "./program.ts"
import type { Workspace } from "./program.ts"
import { openServer, sessionOf, untilSpeaking } from "./server.ts"
import type { Server } from "./server.ts"

let workspace: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(() => workspace.cleanUp())

const owed = () => {
  const db = new DatabaseSync(join(workspace.cwd, ".troupe", "troupe.sqlite"))
  const rows = db.prepare("SELECT session, type FROM owed").all()
  db.close()
  return rows.length
}

const untilNothingIsOwed = async () => {
  while (owed() > 0) await new Promise((resolve) => setTimeout(resolve, 20))
}

const env = { TROUPE_MAX_PROCESSES: "1", TROUPE_POOL_WAIT: "3 seconds" }

const endings: Readonly<Record<string, (server: Server, waiting: string) => Promise<unknown>>> = {
  "is interrupted": ({ call }, waiting) => call("POST", `/sessions/${waiting}/interrupt`),
  "has its session closed": ({ call }, waiting) => call("DELETE", `/sessions/${waiting}`),
  "waits for too long": () => Promise.resolve()
}

describe("a turn that waits for the only process", () => {
  for (const [what, end] of Object.entries(endings)) {
    it(`leaves no request in line when it ${what}: the next session gets the process`, async () => {
      const server = await openServer(workspace, env)
      const [first, waiting, next] = [await sessionOf(server), await sessionOf(server), await sessionOf(server)]
      const running = server.call("POST", `/sessions/${first}/turn`, { prompt: "slow 100000 20" })
      await untilSpeaking(server, first)
      const waited = server.call("POST", `/sessions/${waiting}/turn`, { prompt: "hello" })
      await server.call("GET", "/readyz")
      await end(server, waiting)
      await waited
      await server.call("POST", `/sessions/${first}/interrupt`)
      await running
      await server.call("DELETE", `/sessions/${first}`)
      const served = await server.call("POST", `/sessions/${next}/turn`, { prompt: "hello" })
      assert.deepInclude(served, { ok: true, final_text: "You said: hello (turn 1)" })
      await server.call("DELETE", `/sessions/${next}`)
      await untilNothingIsOwed()
    })
  }
})
