/**
 * `npm run test:kills`: sessions in each state that their agents can bring them into, at the moment when the server, the
 * agents, or the children of agents are killed; then the same that holds of every session.
 */
import { afterEach, beforeEach, describe, it } from "@effect/vitest"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { processesOf } from "./processes.ts"
import { Server } from "./Server.ts"
import { processes, sessionsOf } from "./states.ts"
import type { Sessions } from "./states.ts"

let directory = ""
let server: Server
let sessions: Sessions
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "troupe-kills-"))
  server = new Server(directory, `kills-${process.pid}-${directory.slice(-6)}`, processes)
  sessions = sessionsOf(server)
  await server.start()
})
afterEach(async () => {
  server.signal("SIGKILL")
  await server.gone()
  for (const { pid } of processesOf(server.run)) process.kill(pid, "SIGKILL")
  rmSync(directory, { recursive: true, force: true })
})

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))
const begin = () => sessions.begin()
const holds = (ids: ReadonlyArray<string>) => sessions.holds(ids)

describe("with sessions in every state", () => {
  it("a server that is killed goes on after its next start", async () => {
    const ids = await begin()
    server.signal("SIGKILL")
    await server.gone()
    await server.start()
    await holds(ids)
  })

  it("a server whose agents are all killed goes on", async () => {
    const ids = await begin()
    for (const { command, pid } of processesOf(server.run))
      if (command.includes("agent.mjs")) process.kill(pid, "SIGKILL")
    await holds(ids)
  })

  it("a server that is killed together with its agents goes on after its next start", async () => {
    const ids = await begin()
    server.signal("SIGKILL")
    for (const { command, pid } of processesOf(server.run))
      if (command.includes("agent.mjs")) process.kill(pid, "SIGKILL")
    await server.gone()
    await server.start()
    await holds(ids)
  })

  it("a server whose agents' children are all killed goes on", async () => {
    const ids = await begin()
    for (const { command, pid } of processesOf(server.run)) if (command.includes("sleep")) process.kill(pid, "SIGKILL")
    await holds(ids)
  })

  it("a server that was stopped for longer than its deadlines goes on", async () => {
    const ids = await begin()
    server.signal("SIGSTOP")
    await pause(12_000)
    server.signal("SIGCONT")
    await holds(ids)
  })
})
