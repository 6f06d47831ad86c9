/**
 * A start on which the system fails: the nth operation on a file or on the ledger, too few open files, a data dir that can't
 * be written, a full disk. It says in a line why it ends, or starts; nothing is overwritten; the next start works.
 *
 * `npm run test:nth` fails each call; `npm run test:processes` one of each kind, another one each time.
 */
import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { least } from "../../src/cli/openFiles.ts"
import { problemsIn, rowsOf } from "../torture/ledgerRows.ts"
import { processesOf } from "../torture/processes.ts"
import { Server } from "../torture/Server.ts"
import type { StartOptions } from "../torture/Server.ts"
import type { Kind, Mode } from "./faults.ts"

const whole = process.env["RELIABILITY"] === "whole"
const wholeStep = Number(process.env["RELIABILITY_STEP"] ?? 1)
const preload = new URL("armed.ts", import.meta.url).pathname

let directory = ""
let server: Server
/** What the app has from the starts before. */
let session = ""
let events: ReadonlyArray<object>
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "troupe-boot-"))
  server = new Server(directory, `boot-${process.pid}-${directory.slice(-6)}`)
  await server.start()
  const created = await server.call("POST", "/sessions", { cwd: directory, permissions: "approve_all" })
  session = String(created?.json.session_id)
  await turn("at first")
  await stop()
  events = storedEvents()
}, 120_000)
const kill = async () => {
  server.signal("SIGKILL")
  await server.gone()
}
// One that a failed test left would fail all others.
afterEach(kill)
afterAll(async () => {
  await kill()
  for (const { pid } of processesOf(server.run)) process.kill(pid, "SIGKILL")
  rmSync(directory, { recursive: true, force: true })
})

const storedEvents = () => rowsOf(directory, "SELECT * FROM events ORDER BY session, seq")

const turn = async (what: string) => {
  const answer = await server.call("POST", `/sessions/${session}/turn`, { prompt: "turn 1" })
  assert.strictEqual(answer?.json.stop_reason, "end_turn", `${what}: ${JSON.stringify(answer)}`)
}

const stop = async () => {
  server.signal("SIGTERM")
  await server.gone()
}

/** Starts it, and gives what it said where it ended by itself; `null`: it runs. */
const start = async (options: StartOptions): Promise<string | null> => {
  try {
    assert.isTrue(await server.start(options))
    return null
  } catch (error) {
    assert.isAbove(server.exitCode ?? 0, 0, String(error))
    return server.log
  }
}

/** What `armed.ts` says of the call that it made fail. */
const failedLine = /^failed: .*\n/m

/** Its last line says why. What the log says before is as it is at any time. */
const assertClear = (said: string, what: string) => {
  const last = said.replace(failedLine, "").trim().split("\n").at(-1) ?? ""
  assert.match(last, /^troupe: [A-Z].*[a-z]{3,} .*[a-z]{3,}/, `${what}: ${said.slice(-2_000)}`)
  assert.notInclude(said, "a fault of Troupe's own", what)
}

/** Nothing of before is gone or changed, and the next start works. */
const assertNextWorks = async (what: string) => {
  const now = new Set(storedEvents().map((row) => JSON.stringify(row)))
  assert.deepStrictEqual(
    events.filter((row) => !now.has(JSON.stringify(row))),
    [],
    what
  )
  assert.isTrue(await server.start(), what)
  await turn(what)
  await stop()
  assert.deepStrictEqual(problemsIn(directory), [], what)
  assert.deepStrictEqual(processesOf(server.run), [], what)
}

const kinds: ReadonlyArray<readonly [Kind, Mode, ofAbout: number]> = [
  ["file operation", "once", 12],
  ["file operation", "lasting", 12],
  ["ledger write", "once", 6],
  ["ledger write", "lasting", 6],
  ["ledger write", "damage", 6],
  ["ledger read", "once", 12],
  ["ledger read", "damage", 12]
]

/** One start with this fault, and an end where it starts: how it came out, or that the nth call was not reached. */
const failOne = async (kind: Kind, mode: Mode, nth: number): Promise<"ended" | "started" | "not reached"> => {
  const what = `${kind} ${nth} of a start (${mode})`
  // Of 497 operations on files, 414 look for the programs of agents in each directory of a usual PATH, one like another.
  const env = { FAULT: `${kind}:${nth}:${mode}`, TROUPE_LEDGER_PATIENCE: "1 second", PATH: "/usr/bin" }
  // One whose ledger fails from then on listens, and says that it is not ready for as long as that lasts.
  const said = await start({ preload, env, isListening: mode === "lasting" })
  if (said === null) await stop()
  const isReached = failedLine.test(server.log)
  if (said !== null) assertClear(said, what)
  await assertNextWorks(what)
  return !isReached ? "not reached" : said === null ? "started" : "ended"
}

describe("a start in which the nth call fails", { timeout: whole ? 3_600_000 : 60_000 }, () => {
  it.each(kinds)("ends with a clear line or starts, and the next one works: %s, %s", async (kind, mode, ofAbout) => {
    if (!whole) return void (await failOne(kind, mode, 1 + Math.floor(Math.random() * ofAbout)))
    const faults: Array<string> = []
    const seen = { ended: 0, started: 0, "not reached": 0 }
    for (let nth = 1; seen["not reached"] === 0 && faults.length < 10; nth += wholeStep) {
      await failOne(kind, mode, nth).then(
        (came) => void (seen[came] += 1),
        async (error: Error) => {
          faults.push(error.message)
          await kill()
        }
      )
    }
    console.log(
      `start, ${kind}, ${mode}: ${seen.ended} of ${seen.ended + seen.started + faults.length} ended the start`
    )
    assert.deepStrictEqual(faults, [])
  })
})

const canMount = spawnSync("unshare", ["-m", "true"]).status === 0

/** In a space of mounts of its own, which nobody else sees. */
const mounted = (mount: string): ReadonlyArray<string> => ["unshare", "-m", "sh", "-c", `${mount} && exec "$@"`, "sh"]

describe.skipIf(!canMount)("a start on a data dir that can't be written", () => {
  const dataDir = () => join(directory, ".troupe")

  it("ends with a clear line, and changes nothing: read-only", async () => {
    const before = readFileSync(join(dataDir(), "troupe.sqlite"))
    const said = await start({
      by: mounted(`mount --bind '${dataDir()}' '${dataDir()}' && mount -o remount,bind,ro '${dataDir()}'`)
    })
    assertClear(said ?? "it started", "read-only")
    assert.isTrue(before.equals(readFileSync(join(dataDir(), "troupe.sqlite"))))
    await assertNextWorks("read-only")
  })

  it.each(whole ? [16, 32, 64, 96, 128, 256, 512] : [16, 256])(
    "ends with a clear line or starts, and loses nothing: a disk of %i kB",
    async (kilobytes) => {
      // A file system of its own, on which the data dir is that of a first start.
      const mount = `mount -t tmpfs -o size=${kilobytes}k none '${dataDir()}'`
      // Where there is room for the schema and for nothing more, commits are held first.
      const env = { TROUPE_LEDGER_PATIENCE: "1 second" }
      const said = await start({ by: mounted(mount), isListening: true, env })
      if (said !== null) assertClear(said, `${kilobytes} kB`)
      await kill()
      await assertNextWorks(`${kilobytes} kB`)
    }
  )
})

describe("a start with few open files", () => {
  const limited = (files: number): StartOptions => ({ by: ["sh", "-c", `ulimit -n ${files}; exec "$@"`, "sh"] })

  // Node itself needs some twenty to load the program.
  it.each(whole ? [22, 24, 26, 27, 28, 32, 40, 63] : [22, 27, 63])("ends with what to do: %i", async (files) => {
    const said = await start(limited(files))
    const line = `This process may have ${files} files open, and needs ${least} at least. Raise the limit`
    assert.match(said ?? "it started", new RegExp(`^troupe: ${line}`))
    await assertNextWorks(`${files} files`)
  })

  it("works where there are as many as are said to be needed", async () => {
    assert.isNull(await start(limited(least)))
    await turn(`${least} files`)
    await stop()
    await assertNextWorks(`${least} files`)
  })
})
