/** The log of the real program: what whoever operates it learns of turns, deaths, restarts and refusals. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { makeWorkspace } from "./program.ts"
import type { Workspace } from "./program.ts"
import { openServer, sessionOf } from "./server.ts"
import type { Server } from "./server.ts"

let workspace: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(() => workspace.cleanUp())

type Line = Readonly<Record<string, unknown>>

const open = (env: Readonly<Record<string, string>> = {}) =>
  openServer(workspace, { TROUPE_LOG_FORMAT: "json", ...env })

const linesOf = ({ program }: Server): ReadonlyArray<Line> =>
  program
    .stderr()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Line)

const found = (server: Server, ...fields: ReadonlyArray<Line>) =>
  server.program.until(() =>
    fields.every((wanted) =>
      linesOf(server).some((line) => Object.entries(wanted).every(([name, value]) => line[name] === value))
    )
  )

const turn = async ({ token, url }: Server, session: string, prompt: string, id: string, body: Line = {}) =>
  fetch(`${url}/sessions/${session}/turn`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "x-request-id": id },
    body: JSON.stringify({ prompt, ...body })
  }).then((response) => response.json() as Promise<Line>)

describe("the log of troupe serve", () => {
  it("has one line of each turn, flat, with the id of its request", async () => {
    const server = await open()
    const session = await sessionOf(server)
    await turn(server, session, "hello", "req-1")
    await found(server, { message: "turn completed", request_id: "req-1" })
    const lines = linesOf(server).filter((line) => line["request_id"] === "req-1")
    assert.lengthOf(lines, 1)
    const { ms, time, ...rest } = lines[0]!
    assert.deepStrictEqual(rest, {
      level: "info",
      message: "turn completed",
      session,
      agent: "demo",
      turn: 1,
      outcome: "completed",
      request_id: "req-1"
    })
    assert.isNumber(ms)
    assert.strictEqual(new Date(String(time)).toISOString(), time)
  })

  it("warns of a failed turn with its class, of the death and the restart, of a park, and of a refused token", async () => {
    const server = await open({ TROUPE_RESTART_INTENSITY: "0", TROUPE_APPROVAL_TIMEOUT: "1 second" })
    const session = await sessionOf(server)
    await turn(server, session, "crash 3", "req-2")
    await found(server, { level: "warn", message: "session parked", session })
    const [died, failed, parked] = linesOf(server).filter((line) => line["session"] === session)
    assert.deepInclude(died, { level: "warn", message: "agent process died", class: "crash" })
    assert.deepInclude(failed, { level: "warn", message: "turn failed", class: "crash", turn: 1, request_id: "req-2" })
    assert.deepInclude(parked, { level: "warn", message: "session parked", until: null })
    await fetch(`${server.url}/sessions`, { headers: { authorization: "Bearer trp_guessed", "x-request-id": "req-3" } })
    await found(server, { level: "warn", request_id: "req-3", error: "unauthorized", status: 401 })
    assert.notInclude(server.program.stderr(), "trp_guessed")
  })

  it("warns of a restart and of an approval that nobody answered in time", async () => {
    const server = await open({ TROUPE_APPROVAL_TIMEOUT: "1 second" })
    const session = await sessionOf(server)
    await turn(server, session, "crash", "req-4")
    await found(server, { level: "warn", message: "agent process restarted", session, attempt: 1 })
    const asking = String((await server.call("POST", "/sessions", { agent: "demo", permissions: "ask" }))["session_id"])
    await turn(server, asking, "ask", "req-5")
    await found(server, { level: "warn", message: "approval expired", session: asking, turn: 1 })
  })

  it("is one line of words for each at a terminal's format", async () => {
    const server = await open({ TROUPE_LOG_FORMAT: "pretty" })
    const session = await sessionOf(server)
    await turn(server, session, "hello", "req-6")
    await server.program.until(() => server.program.stderr().includes("req-6"))
    assert.match(
      server.program.stderr(),
      new RegExp(
        `^\\d\\d:\\d\\d:\\d\\d\\.\\d{3} info  turn completed session=${session} agent=demo turn=1 outcome=completed ms=\\d+ request_id=req-6$`,
        "m"
      )
    )
  })
})
