/** The Idempotency-Key across the death of the server: real processes, killed in the middle, and the same keys again. */
import { afterEach, assert, beforeEach, it } from "@effect/vitest"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { makeWorkspace } from "../cli/program.ts"
import type { Running, Workspace } from "../cli/program.ts"

let workspace: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(() => workspace.cleanUp())

interface Answer {
  readonly status: number
  readonly replayed: boolean
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look at any part of a body
  readonly json: any
}

interface Server {
  readonly program: Running
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly post: (path: string, body: unknown, key?: string) => Promise<Answer>
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look at any part of a body
  readonly get: (path: string) => Promise<any>
  readonly kill: () => Promise<void>
}

const open = async (): Promise<Server> => {
  const program = workspace.start(["serve", "--port", "0"], {
    TROUPE_LOG_FORMAT: "pretty",
    TROUPE_POOL_WAIT: "5 minutes"
  })
  const [, url = ""] = await program.printed(/listens on (http:\/\/\S+)/)
  const token = readFileSync(join(workspace.cwd, ".troupe", "app-token"), "utf8").trim()
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
  return {
    program,
    url,
    headers,
    post: async (path, body, key) => {
      const response = await fetch(url + path, {
        method: "POST",
        headers: { ...headers, ...(key === undefined ? {} : { "idempotency-key": key }) },
        body: JSON.stringify(body)
      })
      const replayed = response.headers.get("idempotent-replayed") === "true"
      return { status: response.status, replayed, json: await response.json() }
    },
    get: async (path) => (await fetch(url + path, { headers })).json(),
    kill: async () => {
      program.child.kill("SIGKILL")
      await program.ended
    }
  }
}

/** Waits until the session's stream has the text. */
const untilStreamed = async ({ headers, url }: Server, session: string, text: string) => {
  const reading = new AbortController()
  const response = await fetch(`${url}/sessions/${session}/events`, { headers, signal: reading.signal })
  let stream = ""
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    stream += chunk
    if (stream.includes(text)) break
  }
  reading.abort()
}

/** What a kill leaves that comes after the effect is stored and before the answer is. */
const forgetAnswers = () => {
  const ledger = new DatabaseSync(join(workspace.cwd, ".troupe", "troupe.sqlite"))
  // A turn has its key itself: there is no receipt before the answer.
  ledger.exec("DELETE FROM receipts WHERE coalesce(session, lease) IS NULL")
  ledger.exec("UPDATE receipts SET status = NULL, body = NULL")
  ledger.close()
}

const newSession = async (server: Server) => String((await server.post("/sessions", { agent: "demo" })).json.session_id)

it("a keyed turn that the killed server had not accepted runs when its request is repeated", async () => {
  const killed = await open()
  const session = await newSession(killed)
  // A stopped process takes the connection and reads nothing from it.
  killed.program.child.kill("SIGSTOP")
  const cutOff = killed.post(`/sessions/${session}/turn`, { prompt: "hello" }, "key").catch(() => "cut off")
  await killed.kill()
  assert.strictEqual(await cutOff, "cut off")

  const server = await open()
  const first = await server.post(`/sessions/${session}/turn`, { prompt: "hello" }, "key")
  assert.deepStrictEqual([first.status, first.replayed, first.json.turn_index], [200, false, 1])
  const second = await server.post(`/sessions/${session}/turn`, { prompt: "hello" }, "key")
  assert.deepStrictEqual(second, { ...first, replayed: true })
})

it("a keyed turn that ran when the server was killed answers with its stored outcome, and does not run again", async () => {
  const killed = await open()
  const session = await newSession(killed)
  const turn = { prompt: "slow 400 50" }
  const cutOff = killed.post(`/sessions/${session}/turn`, turn, "key").catch(() => "cut off")
  const queued = { prompt: "hello", queue: true }
  await untilStreamed(killed, session, "agent_message_chunk")
  const inLine = killed.post(`/sessions/${session}/turn`, queued, "key-2").catch(() => "cut off")
  await untilAccepted(killed, session, 2)
  await killed.kill()
  assert.deepStrictEqual([await cutOff, await inLine], ["cut off", "cut off"])

  const server = await open()
  // Two at once: one takes the outcome from the turn, the other waits for it.
  const answers = await Promise.all([1, 2].map(() => server.post(`/sessions/${session}/turn`, turn, "key")))
  for (const { json, replayed, status } of answers) {
    assert.deepStrictEqual([status, replayed, json.turn_index], [502, true, 1])
    assert.match(json.error, /^outcome_unknown: /)
  }
  // The turn behind it was still in line, and is run by the next Troupe: its key waits for its end.
  const second = await server.post(`/sessions/${session}/turn`, queued, "key-2")
  assert.deepStrictEqual([second.status, second.replayed, second.json.turn_index], [200, true, 2])
  const streamed = await fetch(`${server.url}/sessions/${session}/turn`, {
    method: "POST",
    headers: { ...server.headers, accept: "text/event-stream", "idempotency-key": "key" },
    body: JSON.stringify(turn)
  })
  assert.strictEqual(streamed.headers.get("idempotent-replayed"), "true")
  assert.match(await streamed.text(), /event: result\ndata: \{"ok":false.*"error":"outcome_unknown: /)
  assert.strictEqual((await server.get(`/sessions/${session}`)).turn_count, 2)
})

const untilAccepted = async (server: Server, session: string, turns: number) => {
  while ((await server.get(`/sessions/${session}`)).turn_count < turns) await new Promise(setImmediate)
}

it("a keyed turn that had ended when the server was killed answers with its result, and a session with its id", async () => {
  const killed = await open()
  const created = await killed.post("/sessions", { agent: "demo", meta: { a: 1 } }, "create")
  const path = `/sessions/${created.json.session_id}/turn`
  const first = await killed.post(path, { prompt: "hello" }, "turn")
  const accepted = await killed.post(path, { prompt: "hello", wait: false }, "accepted")
  assert.deepStrictEqual([created.status, first.status, accepted.status], [200, 200, 202])
  await killed.kill()
  forgetAnswers()

  const server = await open()
  const repeated = [
    await server.post("/sessions", { agent: "demo", meta: { a: 1 } }, "create"),
    await server.post(path, { prompt: "hello" }, "turn"),
    await server.post(path, { prompt: "hello", wait: false }, "accepted")
  ]
  assert.deepStrictEqual(
    repeated,
    [created, first, accepted].map((answer) => ({ ...answer, replayed: true }))
  )
  assert.strictEqual((await server.get("/sessions")).count, 1)
})

it("a keyed run whose process had started when the server was killed is not started again", async () => {
  const started = join(workspace.cwd, "started")
  const command = ["/bin/sh", "-c", `echo started >> ${started}; sleep 600`]
  writeFileSync(join(workspace.cwd, "troupe.config.json"), JSON.stringify({ run: { command } }))
  const killed = await open()
  const cutOff = killed.post("/run", { prompt: "hello" }, "key").catch(() => "cut off")
  const lines = () => {
    try {
      return readFileSync(started, "utf8")
    } catch {
      return ""
    }
  }
  while (lines() === "") await killed.get("/healthz")
  await killed.kill()
  assert.strictEqual(await cutOff, "cut off")

  const server = await open()
  const answers = [
    await server.post("/run", { prompt: "hello" }, "key"),
    await server.post("/run", { prompt: "hello" }, "key")
  ]
  for (const { json, replayed, status } of answers) {
    assert.deepStrictEqual([status, replayed, json.ok], [502, true, false])
    assert.match(json.error, /^outcome_unknown: /)
  }
  assert.strictEqual(lines(), "started\n")
})

it("of many keyed turns of a server that is killed at work none runs twice, and each key gets an answer", async () => {
  const killed = await open()
  const sessions = await Promise.all(Array.from({ length: 24 }, () => newSession(killed)))
  const submit = (server: Server, session: string) =>
    server.post(`/sessions/${session}/turn`, { prompt: "hello" }, `key of ${session}`)
  let answered = 0
  const cutOff = sessions.map(async (session) => {
    try {
      await submit(killed, session)
      if (++answered === 3) killed.program.child.kill("SIGKILL")
    } catch {
      // Cut off: that is what this test is about.
    }
  })
  await Promise.all(cutOff)
  await killed.program.ended

  const server = await open()
  const answers = await Promise.all(sessions.map((session) => submit(server, session)))
  for (const [nth, { json, status }] of answers.entries()) {
    assert.oneOf(status, [200, 502], JSON.stringify(json))
    if (status === 502) assert.match(json.error, /^(outcome_unknown|not_delivered): /)
    assert.strictEqual((await server.get(`/sessions/${sessions[nth]}`)).turn_count, 1)
  }
  assert.isTrue(answers.some(({ replayed }) => replayed))
  assert.deepStrictEqual(
    await Promise.all(sessions.map((session) => submit(server, session))),
    answers.map((answer) => ({ ...answer, replayed: true }))
  )
})

it("of 60 keys that are each sent twice at once, no one has two effects", async () => {
  const server = await open()
  const keys = Array.from({ length: 60 }, (_, n) => `key-${n}`)
  const twice = (send: (key: string) => Promise<Answer>) =>
    Promise.all(keys.map((key) => Promise.all([send(key), send(key)])))
  const created = await twice((key) => server.post("/sessions", { agent: "demo", meta: { key } }, key))
  for (const [one, other] of created) {
    assert.deepStrictEqual([one.status, one.json], [other.status, other.json])
    assert.notStrictEqual(one.replayed, other.replayed)
  }
  assert.strictEqual((await server.get("/sessions")).count, 60)
  const idOf = (key: string): string => created[keys.indexOf(key)]![0].json.session_id
  const submitted = await twice((key) =>
    server.post(`/sessions/${idOf(key)}/turn`, { prompt: "hello", wait: false, queue: true }, `turn ${key}`)
  )
  for (const [nth, [one, other]] of submitted.entries()) {
    assert.deepStrictEqual([one.status, one.json], [202, other.json])
    assert.notStrictEqual(one.replayed, other.replayed)
    assert.strictEqual((await server.get(`/sessions/${idOf(keys[nth]!)}`)).turn_count, 1)
  }
})
