/** The server while its ledger can't be written: locked by another process, or on a full disk. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { isAlive, makeWorkspace } from "./program.ts"
import type { Workspace } from "./program.ts"
import { openServer, pidOf, sessionOf, untilSpeaking } from "./server.ts"
import type { Server } from "./server.ts"

let workspace: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(() => workspace.cleanUp())

/** Begins a turn whose answer is looked at later, or never where the test fails before. */
const beginTurn = (server: Server, session: string, prompt: string) => {
  const turn = ask(server, "POST", `/sessions/${session}/turn`, { prompt })
  turn.catch(() => {})
  return turn
}

const ask = async ({ token, url }: Server, method: string, path: string, body?: unknown) => {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const json = (await response.json()) as Record<string, unknown>
  return { status: response.status, retryAfter: response.headers.get("retry-after"), json }
}

const untilReady = (server: Server) => untilReadyz(server, /^$/)

/** Waits for a reason why the server is not ready; the empty one where it is. */
const untilReadyz = async (server: Server, reason: RegExp) => {
  while (true) {
    const { json } = await ask(server, "GET", "/readyz")
    if (reason.test(String(json["detail"] ?? ""))) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Takes the write lock of the server's database, as a backup that hangs does. */
const lockLedger = () => {
  const db = new DatabaseSync(join(workspace.cwd, ".troupe", "troupe.sqlite"))
  // The server may be in the middle of a commit.
  db.exec("PRAGMA busy_timeout = 10000")
  db.exec("BEGIN IMMEDIATE")
  return () => {
    db.exec("COMMIT")
    db.close()
  }
}

/** From now on the server's files can't grow, which its writes are told as on a full disk. */
const fillDisk = ({ program }: Server) => {
  const limit = (bytes: string) => {
    const { status, stderr } = spawnSync("prlimit", ["--pid", String(program.child.pid), `--fsize=${bytes}`])
    assert.strictEqual(status, 0, String(stderr))
  }
  limit("1:unlimited")
  return () => limit("unlimited:unlimited")
}

const canLimitFiles = spawnSync("prlimit", ["--version"]).status === 0

describe("a server whose ledger is away while a turn runs", () => {
  for (const [what, take, can] of [
    ["locked by another process", lockLedger, true],
    ["on a full disk", fillDisk, canLimitFiles]
  ] as const) {
    it.skipIf(!can)(`goes on when it is back, and lost nothing: ${what}`, async () => {
      const server = await openServer(workspace)
      const session = await sessionOf(server)
      const turn = beginTurn(server, session, "slow 60 50")
      await untilSpeaking(server, session)
      const giveBack = take(server)
      await untilReadyz(server, /the ledger has been away for \d+ s \(.+\): commits are held/)

      const refused = await ask(server, "POST", `/sessions/${session}/turn`, { prompt: "more", queue: true })
      assert.deepInclude(refused.json, { ok: false, error: "ledger_away" })
      assert.deepInclude(refused, { status: 503, retryAfter: "5" })
      assert.strictEqual((await ask(server, "POST", "/sessions", { agent: "demo" })).json["error"], "ledger_away")
      assert.strictEqual((await ask(server, "POST", "/run", { prompt: "hi" })).json["error"], "ledger_away")
      // What is stored can be read.
      assert.deepInclude((await ask(server, "GET", `/sessions/${session}`)).json, { ok: true, state: "turning" })
      giveBack()
      await untilReady(server)

      const { json, status } = await turn
      assert.strictEqual(status, 200)
      assert.deepInclude(json, { ok: true, stop_reason: "end_turn", turn_index: 1, completed: true })
      const stored = await ask(server, "GET", `/sessions/${session}/turns/1`)
      assert.deepStrictEqual(stored.json["events"], json["events"])
      const next = await ask(server, "POST", `/sessions/${session}/turn`, { prompt: "hello" })
      assert.deepInclude(next.json, { ok: true, final_text: "You said: hello (turn 2)" })
      const lines = (server.program.stdout() + server.program.stderr()).match(/.*The ledger is .*/g) ?? []
      assert.strictEqual(lines.length, 2, lines.join("\n"))
    })
  }

  it("ends the turn when patience is over, says so to its caller, and settles it when it is back", async () => {
    const server = await openServer(workspace, { TROUPE_LEDGER_PATIENCE: "1 second" })
    const [session, other] = [await sessionOf(server), await sessionOf(server)]
    const turn = beginTurn(server, session, "slow 100000 20")
    await untilSpeaking(server, session)
    const pid = await pidOf(server, session)
    const giveBack = lockLedger()

    const { json, status } = await turn
    assert.strictEqual(status, 503)
    assert.deepInclude(json, { ok: false, error: "ledger_away" })
    assert.isFalse(isAlive(pid))
    await untilReadyz(server, /the ledger has been away .*patience is over/)
    assert.strictEqual((await ask(server, "DELETE", `/sessions/${other}`)).json["error"], "ledger_away")
    giveBack()
    await untilReady(server)

    const next = await ask(server, "POST", `/sessions/${session}/turn`, { prompt: "hello", queue: true })
    assert.deepInclude(next.json, { ok: true, turn_index: 2, final_text: "You said: hello (turn 2)" })
    const settled = (await ask(server, "GET", `/sessions/${session}/turns/1`)).json
    assert.deepInclude(settled, { ok: false, status: "failed" })
    assert.match(String(settled["error"]), /^outcome_unknown: /)
    assert.deepInclude((await ask(server, "DELETE", `/sessions/${other}`)).json, { ok: true })
  })
})
