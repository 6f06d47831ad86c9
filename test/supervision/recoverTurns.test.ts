/**
 * Turns that codex finished and whose end Troupe never received: real processes of the server and of a scripted codex,
 * killed in the middle. The next process of the agent is asked, and the turn gets an addendum, once.
 */
import { afterEach, assert, beforeEach, it } from "@effect/vitest"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makeWorkspace } from "../cli/program.ts"
import type { Workspace } from "../cli/program.ts"
import { openServer } from "../cli/server.ts"
import type { Server } from "../cli/server.ts"

let workspace: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(() => workspace.cleanUp())

const fixture = new URL("../fixtures/agents/codex-acts.ts", import.meta.url).pathname

const configure = (env: Readonly<Record<string, string>> = {}) => {
  const codex = {
    protocol: "codex-app-server",
    command: [process.execPath, fixture],
    env: { RECEIVED: join(workspace.cwd, "received"), ROLLOUT: join(workspace.cwd, "rollout"), ...env }
  }
  writeFileSync(join(workspace.cwd, "troupe.config.json"), JSON.stringify({ agents: { codex }, defaultAgent: "codex" }))
}

const received = () => {
  const file = join(workspace.cwd, "received")
  return existsSync(file) ? readFileSync(file, "utf8").split("\n") : []
}

const untilReceived = async (line: string) => {
  while (!received().includes(line)) await new Promise((resolve) => setTimeout(resolve, 20))
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests look at any part of a body
type Body = any

const newSession = async ({ call }: Server) =>
  String((await call("POST", "/sessions", { agent: "codex", permissions: "approve_all" }))["session_id"])

/** The addenda in the session's stream, up to the answer to its last prompt. */
const addenda = async ({ token, url }: Server, session: string) => {
  const reading = new AbortController()
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${url}/sessions/${session}/events`, { headers, signal: reading.signal })
  let text = ""
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    if (text.includes("the last prompt")) break
  }
  reading.abort()
  return text.split("\n").filter((line) => line.startsWith("data: ") && line.includes("_troupe/turn_recovered"))
}

const keyed = async ({ token, url }: Server, session: string, prompt: string) => {
  const response = await fetch(`${url}/sessions/${session}/turn`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "idempotency-key": "the key" },
    body: JSON.stringify({ prompt })
  })
  return {
    status: response.status,
    replayed: response.headers.get("idempotent-replayed") === "true",
    body: (await response.json()) as Body
  }
}

// Three servers in a row: on a machine that others use, too, each takes its time.
it("a turn that codex finished while Troupe was dead is recovered when the thread is taken up, once", async () => {
  configure()
  const killed = await openServer(workspace)
  const session = await newSession(killed)
  const cutOff = keyed(killed, session, "unheard The whole answer.").catch(() => "cut off")
  await untilReceived("finished The whole answer.")
  killed.program.child.kill("SIGKILL")
  await killed.program.ended
  assert.strictEqual(await cutOff, "cut off")

  const next = await openServer(workspace)
  const lost: Body = await next.call("GET", `/sessions/${session}/turns/1`)
  assert.strictEqual(lost.recovered, null)
  assert.match(lost.error, /^outcome_unknown: /)
  const second: Body = await next.call("POST", `/sessions/${session}/turn`, { prompt: "again" })
  assert.strictEqual(second.final_text, "echo: again")
  const first: Body = await next.call("GET", `/sessions/${session}/turns/1`)
  const { recovered, ...outcome } = first
  const { recovered: none, ...before } = lost
  assert.strictEqual(none, null)
  assert.deepStrictEqual(outcome, before, "the stored outcome keeps its history")
  assert.deepInclude(recovered, { final_text: "The whole answer.", stop_reason: "end_turn" })
  assert.isAbove(recovered.at, first.ended_at)
  assert.deepStrictEqual(
    recovered.messages.map(({ role }: Body) => role),
    ["user", "assistant", "tool", "assistant"]
  )
  const { messages }: Body = await next.call("GET", `/sessions/${session}/messages`)
  assert.deepStrictEqual(messages, [...recovered.messages, ...second.messages])
  // The key's first answer was never given: it is given now, as the turn is known now, and stays.
  const replay = await keyed(next, session, "unheard The whole answer.")
  assert.deepStrictEqual([replay.status, replay.replayed], [502, true])
  assert.deepStrictEqual(replay.body.recovered, recovered)

  next.program.child.kill("SIGKILL")
  await next.program.ended
  const last = await openServer(workspace)
  await last.call("POST", `/sessions/${session}/turn`, { prompt: "the last prompt" })
  const again: Body = await last.call("GET", `/sessions/${session}/turns/1`)
  assert.deepStrictEqual(again.recovered, recovered)
  assert.lengthOf(await addenda(last, session), 1)
  assert.lengthOf(
    received().filter((line) => line === "read"),
    1
  )
}, 180_000)

it("a turn whose codex died behind its end is recovered by the next process", async () => {
  configure()
  const server = await openServer(workspace)
  const session = await newSession(server)
  const crashed: Body = await server.call("POST", `/sessions/${session}/turn`, { prompt: "unheard-dies All done." })
  assert.match(crashed.error, /^crash: /)
  assert.strictEqual(crashed.recovered, null)
  const second: Body = await server.call("POST", `/sessions/${session}/turn`, { prompt: "again" })
  assert.strictEqual(second.ok, true)
  const first: Body = await server.call("GET", `/sessions/${session}/turns/1`)
  assert.strictEqual(first.recovered.final_text, "All done.")
  assert.strictEqual(first.error, crashed.error)
})

it("a codex that does not answer about its turns starts all the same", async () => {
  configure({ RECORD: "silent" })
  const server = await openServer(workspace)
  const session = await newSession(server)
  await server.call("POST", `/sessions/${session}/turn`, { prompt: "unheard-dies All done." })
  const second: Body = await server.call("POST", `/sessions/${session}/turn`, { prompt: "again" })
  assert.deepStrictEqual([second.ok, second.final_text], [true, "echo: again"])
  const first: Body = await server.call("GET", `/sessions/${session}/turns/1`)
  assert.strictEqual(first.recovered, null)
  assert.include(received(), "read")
})
