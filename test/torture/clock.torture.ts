/**
 * `npm run test:kills`: the machine's clock is set, forward and back by a day, below a server with timers of each kind.
 *
 * The clock of the whole machine is left alone: `libfaketime` (Debian's `faketime`) gives the server a wall clock of its own,
 * and leaves it the clock that nobody can set. Without it these are skipped.
 */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { problemsIn, rowsOf } from "./ledgerRows.ts"
import { processesOf } from "./processes.ts"
import { Server } from "./Server.ts"

/** In the directory of the machine's architecture. */
const library = ["/usr/lib", "/usr/local/lib"]
  .flatMap((root) => (existsSync(root) ? [root, ...readdirSync(root).map((name) => join(root, name))] : []))
  .map((directory) => join(directory, "faketime", "libfaketime.so.1"))
  .find((file) => existsSync(file))

const day = 86_400
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

let directory = ""
let server: Server
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "troupe-clock-"))
  server = new Server(directory, `clock-${process.pid}-${directory.slice(-6)}`)
})
afterEach(async () => {
  server.signal("SIGKILL")
  await server.gone()
  for (const { pid } of processesOf(server.run)) process.kill(pid, "SIGKILL")
  rmSync(directory, { recursive: true, force: true })
})

/** Sets the server's clock to so many seconds from the machine's. It looks about once in 10 s of its own, or at once: see below. */
const setClock = (seconds: number) => writeFileSync(join(directory, "clock"), `${seconds < 0 ? "" : "+"}${seconds}\n`)

const start = (seconds = 0, env: Readonly<Record<string, string>> = {}) => {
  setClock(seconds)
  return server.start({
    env: {
      LD_PRELOAD: library ?? "",
      FAKETIME_TIMESTAMP_FILE: join(directory, "clock"),
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      TROUPE_TURN_TIMEOUT: "25 seconds",
      TROUPE_APPROVAL_TIMEOUT: "20 seconds",
      TROUPE_HIBERNATE_AFTER: "15 seconds",
      TROUPE_SESSION_TTL: "off",
      TROUPE_SESSION_IDLE_TTL: "off",
      ...env
    }
  })
}

const create = async () =>
  String((await server.call("POST", "/sessions", { cwd: directory, permissions: "ask" }))?.json.session_id)

const substateOf = (id: string) =>
  rowsOf(directory, `SELECT substate FROM sessions WHERE id = '${id}'`)[0]?.["substate"]

const comesTo = async (id: string, state: string | RegExp, withinMillis: number) => {
  for (const until = Date.now() + withinMillis; ; await pause(50)) {
    const found = String(substateOf(id))
    if (typeof state === "string" ? found === state : state.test(found)) return
    assert.isBelow(Date.now(), until, `${id} is ${found} and not ${String(state)}`)
  }
}

/** One session awake, one with a turn that runs, one that asks: each with a timer that is due within half a minute. */
const begin = async () => {
  const [awake, running, asking] = [await create(), await create(), await create()]
  const submit = (id: string, prompt: string) => server.call("POST", `/sessions/${id}/turn`, { prompt, wait: false })
  await submit(running, "hang 1")
  await submit(asking, "ask 2")
  await server.call("POST", `/sessions/${awake}/turn`, { prompt: "turn 3" })
  await comesTo(running, "turning.running", 20_000)
  await comesTo(asking, "turning.asking", 20_000)
  await comesTo(awake, "idle.awake", 20_000)
  return { awake, running, asking }
}

const assertRests = async () => {
  server.signal("SIGTERM")
  await server.gone()
  assert.deepStrictEqual(problemsIn(directory), [])
  assert.deepStrictEqual(processesOf(server.run), [])
}

describe.skipIf(library === undefined)("a server whose clock is set", () => {
  for (const [what, seconds] of [
    ["forward", day],
    ["back", -day]
  ] as const) {
    it(`by a day ${what} fires no timer at once, and each in its time`, async () => {
      await start()
      const { asking, awake, running } = await begin()
      setClock(seconds)
      await pause(5_000)
      assert.match(server.log, seconds > 0 ? /deadlines are later by that/ : /deadlines are earlier by that/)
      assert.deepStrictEqual([awake, running, asking].map(substateOf), [
        "idle.awake",
        "turning.running",
        "turning.asking"
      ])
      // In their own time: 15, 20 and 25 s, and what it takes.
      await comesTo(awake, "idle.asleep", 40_000)
      await comesTo(asking, /^(idle|turning\.running)/, 40_000)
      await comesTo(running, /^idle/, 40_000)
      const ended = rowsOf(directory, `SELECT status FROM turns WHERE session = '${running}'`)
      assert.deepStrictEqual(ended, [{ status: "timed_out" }])
      const next = await server.call("POST", `/sessions/${awake}/turn`, { prompt: "turn 4" })
      assert.strictEqual(next?.json.stop_reason, "end_turn", JSON.stringify(next))
      await assertRests()
    })

    it(`by a day ${what} between two starts settles what was lost, and starts no pause of a day`, async () => {
      await start()
      const { awake, running } = await begin()
      server.signal("SIGKILL")
      await server.gone()
      await start(seconds)
      await comesTo(running, "idle.asleep", 20_000)
      const ended = rowsOf(directory, `SELECT status, failure FROM turns WHERE session = '${running}'`)
      assert.strictEqual(ended[0]?.["status"], "failed")
      for (const id of [running, awake]) {
        const next = await server.call("POST", `/sessions/${id}/turn`, { prompt: "turn 5" })
        assert.strictEqual(next?.json.stop_reason, "end_turn", JSON.stringify(next))
      }
      await comesTo(awake, "idle.asleep", 40_000)
      await assertRests()
    })
  }

  it("closes the sessions whose time is over by that clock when it was set forward, and none when it was set back", async () => {
    const env = { TROUPE_SESSION_TTL: "1 hour", TROUPE_SESSION_IDLE_TTL: "1 hour", TROUPE_SWEEP_INTERVAL: "1 hour" }
    await start(0, env)
    const { awake } = await begin()
    setClock(-day)
    await pause(2_500)
    await server.asAdmin("POST", "/admin/sweep")
    assert.strictEqual(substateOf(awake), "idle.awake")
    setClock(day)
    await pause(2_500)
    await server.asAdmin("POST", "/admin/sweep")
    await comesTo(awake, "closed", 20_000)
  })
})
