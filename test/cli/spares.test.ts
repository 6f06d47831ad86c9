/** A spare of a server that dies: ended by its warden, and gone from the ledger with the next start. */
import { afterEach, assert, beforeEach, it } from "@effect/vitest"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { isAlive } from "../agent/child.ts"
import { untilTrue } from "../supervision/hostileAgent.ts"
import { makeWorkspace } from "./program.ts"
import type { Workspace } from "./program.ts"

let workspace: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(() => workspace.cleanUp())

const agent = new URL("../fixtures/agents/spares/claude-agent-acp.mjs", import.meta.url).pathname

const open = async () => {
  const log = join(workspace.cwd, "log")
  writeFileSync(
    join(workspace.cwd, "troupe.config.json"),
    JSON.stringify({ agents: { it: { protocol: "acp", command: [process.execPath, agent, log] } }, defaultAgent: "it" })
  )
  const program = workspace.start(["serve", "--port", "0"], { TROUPE_LOG_FORMAT: "pretty" })
  const [, url = ""] = await program.printed(/listens on (http:\/\/\S+)/)
  const token = readFileSync(join(workspace.cwd, ".troupe", "app-token"), "utf8").trim()
  const post = async (path: string, body: object): Promise<Record<string, unknown>> =>
    (
      await fetch(url + path, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(body)
      })
    ).json() as Promise<Record<string, unknown>>
  const turn = async () => {
    const { session_id } = await post("/sessions", {})
    return post(`/sessions/${String(session_id)}/turn`, { prompt: "hello" })
  }
  const starts = () =>
    readFileSync(log, "utf8")
      .split("\n")
      .flatMap((line) => (line.includes('"started"') ? [(JSON.parse(line) as { readonly pid: number }).pid] : []))
  return { program, starts, turn }
}

const leases = () => {
  const db = new DatabaseSync(join(workspace.cwd, ".troupe", "troupe.sqlite"), { readOnly: true })
  try {
    return db.prepare("SELECT session, pid FROM leases ORDER BY opened_at").all()
  } finally {
    db.close()
  }
}

it("the spare of a server that is killed ends with it, and its lease with the next start", async () => {
  const first = await open()
  await first.turn()
  await untilTrue("a spare", () => leases().some(({ pid, session }) => session === null && pid !== null))
  await untilTrue("its first word", () => first.starts().length === 2)
  const pids = first.starts()
  first.program.child.kill("SIGKILL")
  await first.program.ended
  await untilTrue("the end of both", () => !pids.some(isAlive))
  assert.strictEqual(leases().length, 2)
  const second = await open()
  await untilTrue("the end of the leases", () => leases().length === 0)
  // A server that is asked to end leaves neither.
  await second.turn()
  await untilTrue("another spare", () => leases().some(({ pid, session }) => session === null && pid !== null))
  second.program.child.kill("SIGTERM")
  await second.program.ended
  assert.deepStrictEqual(leases(), [])
  assert.deepStrictEqual(second.starts().filter(isAlive), [])
}, 120_000)
