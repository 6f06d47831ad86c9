/**
 * A server whose disk fills and has room again, while apps submit turns: `fullDisk.ts DIRECTORY KILOBYTES`, where the data
 * dir is on a small file system of its own, on which so much is left each time that it is filled.
 *
 * Prints what happened, as JSON. Exits with 1 and says what does not hold.
 */
import assert from "node:assert"
import { rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { newApp, readEvents, submitTurns } from "../torture/clients.ts"
import { problemsIn } from "../torture/ledgerRows.ts"
import { lossesOf, remainsOf } from "../torture/losses.ts"
import { processesOf } from "../torture/processes.ts"
import { Server } from "../torture/Server.ts"
import type { Answer } from "../torture/Server.ts"

const [directory = "", kilobytes = "0"] = process.argv.slice(2)
const ballast = join(directory, ".troupe", "ballast")
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

const fill = () => {
  try {
    for (;;) writeFileSync(ballast, Buffer.alloc(4_096), { flag: "a" })
  } catch (error) {
    assert.match(String(error), /ENOSPC/)
  }
  truncateSync(ballast, Math.max(0, statSync(ballast).size - 1_024 * Number(kilobytes)))
}
const empty = () => rmSync(ballast)

const until = async (what: string, holds: () => Promise<boolean> | boolean) => {
  for (const end = Date.now() + 120_000; !(await holds()); await pause(50)) {
    assert.ok(Date.now() < end, `within two minutes: ${what}`)
  }
}

const server = new Server(directory, `disk-${process.pid}`)
/** What a refusal says, as often as it was said. */
const said: Record<string, number> = {}

/** It worked, or says in a sentence what could not be done. */
const assertClear = (answer: Answer | null) => {
  assert.ok(answer !== null, "there was no answer")
  if (answer.status < 400) return
  const { detail, error } = answer.json
  assert.ok(answer.status === 503 || error === "unavailable", JSON.stringify(answer))
  assert.match(String(detail), /^[A-Z].*[a-z]{3,} .*[a-z]{3,}/)
  said[`${answer.status} ${error}`] = (said[`${answer.status} ${error}`] ?? 0) + 1
}

const submitted = () => apps.reduce((sum, app) => sum + app.submitted.filter(({ turns }) => turns.size > 0).length, 0)
/** A request that was let in just before the disk is found full is held for so long. */
const env = { TROUPE_LEDGER_PATIENCE: "8 seconds" }
const isReady = async () => (await server.call("GET", "/readyz"))?.status === 200

await server.start({ env })
const apps = await Promise.all([0, 1, 2, 3].map((nth) => newApp(server, nth)))
const reading = new AbortController()
const readers = apps.map((app) => readEvents(server, app, reading.signal))
const end = { at: Infinity }
const clients = apps.map((app, nth) => submitTurns(server, app, nth, () => end.at))
const counts = { fullWhileItRan: 0, refusedWhileFull: 0, turnsAccepted: 0, startOnFullDisk: "" }
try {
  for (let times = 0; times < 3; times++) {
    const before = submitted()
    await until("turns are accepted", () => submitted() > before + 8)
    fill()
    // What the log has room for already is still stored.
    for (const full = Date.now() + 4_000; Date.now() < full && (await isReady()); await pause(50));
    if (!(await isReady())) counts.fullWhileItRan++
    for (const answer of [
      await server.call("POST", "/sessions", { permissions: "approve_all" }),
      await server.call("POST", `/sessions/${apps[0]?.session}/turn`, { prompt: "one more", queue: true, wait: false }),
      await server.upload("x".repeat(2_000_000)),
      await server.call("GET", `/sessions/${apps[0]?.session}`)
    ]) {
      assertClear(answer)
    }
    empty()
    await until("the server is ready again", isReady)
  }
  const before = submitted()
  await until("turns are accepted again", () => submitted() > before + 8)

  fill()
  server.signal("SIGKILL")
  await server.gone()
  counts.startOnFullDisk = await server.start({ isListening: true, env: { TROUPE_LEDGER_PATIENCE: "3 seconds" } }).then(
    () => "started",
    () => server.log.trim().split("\n").at(-1) ?? ""
  )
  if (counts.startOnFullDisk !== "started") assert.match(counts.startOnFullDisk, /^troupe: [A-Z].*[a-z]{3,}/)
  empty()
  if (!server.isRunning) await server.start({ env })
  await until("the server is ready again", isReady)
  const after = submitted()
  await until("turns are accepted again", () => submitted() > after + 8)
  end.at = 0
  await Promise.all(clients)
  for (const { session } of apps) assert.strictEqual((await server.call("DELETE", `/sessions/${session}`))?.status, 200)
  await pause(2_000)
  reading.abort()
  await Promise.all(readers)
  server.signal("SIGTERM")
  await server.gone()
  assert.deepStrictEqual([...lossesOf(remainsOf(server), apps), ...problemsIn(directory)], [])
  counts.turnsAccepted = submitted()
  counts.refusedWhileFull = apps
    .flatMap((app) => app.submitted)
    .flatMap(({ statuses }) => statuses.filter((status) => status >= 500)).length
  console.log(JSON.stringify({ ...counts, said }))
} catch (error) {
  console.error(error, server.log.slice(-3_000))
  process.exitCode = 1
} finally {
  end.at = 0
  reading.abort()
  server.signal("SIGKILL")
  await server.gone()
  for (const { pid } of processesOf(server.run)) process.kill(pid, "SIGKILL")
}
process.exit()
