/** `/ag-ui`: the protocol's own client, which refuses events in a wrong order, on the real server with the demo agent. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Interrupt } from "@ag-ui/core"
import { randomUUID } from "node:crypto"

import { makeWorkspace } from "../../cli/program.ts"
import type { Workspace } from "../../cli/program.ts"
import { openServer } from "../../cli/server.ts"
import type { Server } from "../../cli/server.ts"
import { until } from "../acp/client.ts"
import { loadClient, ran } from "./client.ts"
import type { HttpAgent, Ran } from "./client.ts"

let workspace: Workspace
let server: Server
let otherToken: string
let Client: ReturnType<typeof loadClient>

beforeAll(async () => {
  Client = loadClient()
  workspace = makeWorkspace()
  server = await openServer(workspace)
  const { stdout } = await workspace.run(["app", "create", "other"])
  otherToken = stdout.trim().split("\n")[0]!
}, 120_000)
afterAll(() => workspace.cleanUp())

const agentOf = (threadId: string = randomUUID(), token = server.token): HttpAgent =>
  new Client({ url: `${server.url}/ag-ui/demo`, headers: { authorization: `Bearer ${token}` }, threadId })

const troupe = (wishes: object) => ({ forwardedProps: { troupe: wishes } })

const turnOf = ({ events }: Ran) =>
  events.find(({ name }) => name === "troupe/turn")!["value"] as {
    readonly sessionId: string
    readonly turnIndex: number
  }

const interruptOf = ({ last }: Ran): Interrupt => {
  assert(last.type === "RUN_FINISHED" && last.outcome?.type === "interrupt", JSON.stringify(last))
  return last.outcome.interrupts[0]!
}

/** A run as it is sent, and its events as they come. */
const post = async (body: unknown, { path = "/ag-ui/demo", token = server.token, method = "POST" } = {}) => {
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(method === "POST" ? { body: typeof body === "string" ? body : JSON.stringify(body) } : {})
  })
  const text = await response.text()
  const isEvents = response.headers.get("content-type")?.startsWith("text/event-stream") === true
  const events = isEvents
    ? text.split("\n\n").flatMap((part) => (part.startsWith("data: ") ? [JSON.parse(part.slice(6))] : []))
    : []
  return { status: response.status, text, events: events as Array<Record<string, unknown>> }
}

const inputOf = (threadId: string, content: unknown, more: object = {}) => ({
  threadId,
  runId: randomUUID(),
  state: {},
  messages: [{ id: "u1", role: "user", content }],
  tools: [],
  context: [],
  forwardedProps: {},
  ...more
})

describe("a run", () => {
  it("is a turn of its thread's session, which the next run goes on with", async () => {
    const agent = agentOf()
    const first = await ran(agent, "hello", troupe({ cwd: workspace.cwd }))
    assert.include(first.text, "You said: hello")
    assert.deepInclude(first.last as object, { outcome: { type: "success" } })
    assert.strictEqual(first.types[0], "RUN_STARTED")
    assert.isAbove((first.last as { usage?: Array<{ totalTokens: number }> }).usage?.[0]?.totalTokens ?? 0, 0)
    const second = await ran(agent, "recall", troupe({ cwd: workspace.cwd }))
    assert.include(second.text, '["hello"]')
    const [one, two] = [turnOf(first), turnOf(second)]
    assert.deepStrictEqual(two, { sessionId: one.sessionId, turnIndex: 2 })
    const session = await server.call("GET", `/sessions/${one.sessionId}`)
    assert.deepInclude(session["meta"] as object, { "ag-ui": (session["meta"] as Record<string, unknown>)["ag-ui"] })
    assert.strictEqual(session["permissions"], "ask")
  })

  it("shows thoughts, tool calls with their results, plans and the agent's usage", async () => {
    const run = await ran(agentOf(), "think\nplan\ntool echo hi\nslow 3 20", troupe({ permissions: "approve_all" }))
    assert.deepStrictEqual(
      run.newMessages.filter(({ role }) => role !== "assistant").map(({ role }) => role),
      ["reasoning", "activity", "tool"]
    )
    const tool = run.newMessages.find(({ role }) => role === "tool")
    assert.deepInclude(tool as object, { content: "hi\n" })
    const called = run.newMessages.flatMap((message) => (message.role === "assistant" ? (message.toolCalls ?? []) : []))
    assert.deepStrictEqual(
      called.map(({ function: called }) => called),
      [{ name: "exec_command", arguments: '{"command":"echo hi"}' }]
    )
    const plan = run.newMessages.find((message) => message.role === "activity")
    assert(plan?.role === "activity" && plan.activityType === "PLAN")
    assert.isNotEmpty(plan.content["entries"])
    assert.include(run.text, "word1 word2 word3")
    assert.isAbove(run.types.filter((type) => type === "TEXT_MESSAGE_CONTENT").length, 1)
  })

  it("gives a new thread's agent what was said before, the system prompt, context, images and files", async () => {
    const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    const agent = agentOf()
    agent.messages = [
      { id: "s", role: "system", content: "Be kind." },
      { id: "a", role: "user", content: "My name is Ada." },
      { id: "b", role: "assistant", content: "Hello Ada." },
      {
        id: "c",
        role: "user",
        content: [
          { type: "text", text: "system" },
          { type: "image", source: { type: "data", mimeType: "image/png", value: png } },
          {
            type: "document",
            source: { type: "data", mimeType: "text/plain", value: btoa("some notes") },
            metadata: { filename: "notes.txt" }
          }
        ]
      }
    ]
    const run = await ran(agent, null, { context: [{ description: "The day", value: "Monday" }] })
    assert.include(run.text, "Be kind.")
    assert.deepInclude(run.events.find(({ name }) => name === "troupe/context_given")?.["value"] as object, {
      messages: 2
    })
    const { sessionId } = turnOf(run)
    const { prompt } = await server.call("GET", `/sessions/${sessionId}/turns/1`)
    assert.match(String(prompt), /notes\.txt[^]*The day: Monday/)
  })

  it("is told as failed where its agent fails, with the class of the failure", async () => {
    const run = await ran(agentOf(), "crash")
    assert.deepInclude(run.last as object, { type: "RUN_ERROR", code: "crash" })
  })
})

describe("an interrupt", () => {
  it("asks for a tool call, whose result comes with the run that resumes", async () => {
    const agent = agentOf()
    const first = await ran(agent, "ask-tool echo granted")
    const { id, reason, responseSchema, toolCallId } = interruptOf(first)
    assert.deepInclude({ reason }, { reason: "tool_call" })
    assert.deepStrictEqual(responseSchema?.["required"], ["approved"])
    assert.include(
      first.events.filter(({ type }) => type === "TOOL_CALL_START").map((event) => event["toolCallId"]),
      toolCallId
    )
    const resume = [{ interruptId: id, status: "resolved" as const, payload: { approved: true } }]
    const second = await ran(agent, null, { resume })
    assert.deepInclude(second.last as object, { outcome: { type: "success" } })
    assert.deepInclude(
      second.events.find(({ type }) => type === "TOOL_CALL_RESULT"),
      { toolCallId, content: "granted\n" }
    )
    assert.notInclude(second.types, "TOOL_CALL_START")
    assert.deepStrictEqual(turnOf(second), turnOf(first))
    assert.isEmpty(agent.pendingInterrupts)

    // The same once more is safe, another answer is told of, and cancelled goes on.
    const { threadId } = agent
    const resumed = async (entry: object) =>
      (await post({ ...inputOf(threadId, "ask-tool echo granted"), resume: [{ ...resume[0], ...entry }] })).events
    const withoutIds = (events: ReadonlyArray<Record<string, unknown>>) => events.map(({ runId: _, ...event }) => event)
    assert.deepStrictEqual(withoutIds(await resumed({})), withoutIds([...second.events]))
    assert.deepInclude((await resumed({ payload: { approved: false } })).at(-1), {
      type: "RUN_ERROR",
      code: "approval_settled"
    })
    assert.deepInclude((await resumed({ status: "cancelled" })).at(-1), { outcome: { type: "success" } })
  })

  it("is declined by the payload, or by being cancelled", async () => {
    for (const answer of [
      { status: "resolved" as const, payload: { approved: false } },
      { status: "cancelled" as const }
    ]) {
      const agent = agentOf()
      const { id } = interruptOf(await ran(agent, "ask"))
      const { last, text } = await ran(agent, null, { resume: [{ interruptId: id, ...answer }] })
      assert.match(text, /The client said: (reject|cancel)/)
      assert.deepInclude(last as object, { outcome: { type: "success" } })
    }
  })

  it("asks the questions of an agent by a schema, one run after the other", async () => {
    const agent = agentOf()
    const first = interruptOf(await ran(agent, "form\nask"))
    assert.strictEqual(first.reason, "input_required")
    const properties = first.responseSchema?.["properties"] as Readonly<Record<string, object>>
    assert.isNotEmpty(properties)
    const answer = (payload: unknown) =>
      ran(agent, null, { resume: [{ interruptId: first.id, status: "resolved", payload }] })
    const refused = await answer({ nobody: "asked" })
    assert.deepInclude(refused.last as object, { type: "RUN_ERROR", code: "invalid_request" })
    const filled = Object.fromEntries(Object.entries(properties).map(([id, property]) => [id, valueOf(property)]))
    const second = interruptOf(await answer(filled))
    assert.strictEqual(second.reason, "tool_call")
    const { last } = await ran(agent, null, {
      resume: [{ interruptId: second.id, status: "resolved", payload: { approved: true } }]
    })
    assert.deepInclude(last as object, { outcome: { type: "success" } })
  })

  it("keeps new messages from its thread, and takes no other's id", async () => {
    const agent = agentOf()
    const { id } = interruptOf(await ran(agent, "ask"))
    const { threadId } = agent
    const waiting = await post(inputOf(threadId, "next"))
    assert.deepInclude(waiting.events.at(-1), { type: "RUN_ERROR", code: "interrupt_pending" })
    assert.include(String(waiting.events.at(-1)?.["message"]), id)
    const resumed = async (interruptId: string, thread = threadId, said = "ask") => {
      const resume = [{ interruptId, status: "cancelled" }]
      return post({ ...inputOf(thread, said), resume })
    }
    for (const wrong of ["mine", `${id}9`, id.replace(/.{10}\./, "AAAAAAAAAA.")]) {
      assert.deepInclude((await resumed(wrong)).events.at(-1), { type: "RUN_ERROR", code: "approval_not_found" }, wrong)
    }
    assert.strictEqual((await resumed(id, randomUUID())).status, 404)
    const elsewhere = await ran(agentOf(), "hello")
    const { threadId: other } = elsewhere.events[0] as unknown as { readonly threadId: string }
    assert.deepInclude((await resumed(id, other, "hello")).events.at(-1), { code: "approval_not_found" })
    const late = await post({
      ...inputOf(threadId, "something else"),
      resume: [{ interruptId: id, status: "cancelled" }]
    })
    assert.deepInclude(late.events.at(-1), { type: "RUN_ERROR", code: "not_supported" })
    assert.deepInclude((await resumed(id)).events.at(-1), { type: "RUN_FINISHED", outcome: { type: "success" } })
  })
})

const valueOf = (property: object): unknown => {
  const { items, oneOf, type } = property as {
    readonly type: string
    readonly oneOf?: ReadonlyArray<{ readonly const: string }>
    readonly items?: object
  }
  if (oneOf !== undefined) return oneOf[0]!.const
  return { string: "Ada", number: 3, boolean: true, array: items === undefined ? [] : [valueOf(items)] }[type]
}

describe("the same run", () => {
  it("is one turn with the same events, however often and by whom it is posted", async () => {
    const input = inputOf(randomUUID(), "think\nslow 4 30")
    const [one, two] = await Promise.all([post(input), post(input)])
    const three = await post({
      ...input,
      messages: [...input.messages, { id: "p", role: "assistant", content: "wor" }]
    })
    assert.deepStrictEqual(two.events, one.events)
    assert.deepStrictEqual(three.events, one.events)
    const other = await post({ ...input, messages: [{ id: "u1", role: "user", content: "other" }] })
    assert.deepInclude(JSON.parse(other.text), { status: 422, error: "idempotency_conflict" })
  })

  it("goes on when its client has left, and is followed by posting it again", async () => {
    const agent = agentOf()
    agent.addMessage({ id: "u1", role: "user", content: "slow 20 50" })
    const runId = randomUUID()
    let seen = 0
    const left = agent.runAgent(
      { runId },
      {
        onEvent: ({ event }) => {
          if (event.type === "TEXT_MESSAGE_CONTENT" && ++seen === 2) agent.abortRun()
        }
      }
    )
    await left
    const again = await post({ ...inputOf(agent.threadId, "slow 20 50"), runId })
    assert.deepInclude(again.events.at(-1), { outcome: { type: "success" } })
    const text = again.events.flatMap(({ delta }) => (typeof delta === "string" ? [delta] : [])).join("")
    assert.include(text, "word20")
  })

  it("is stopped by DELETE, and says so", async () => {
    const input = inputOf(randomUUID(), "hang")
    const running = post(input)
    await until(async () => {
      const { text } = await post(null, { method: "DELETE", path: `/ag-ui?threadId=${input.threadId}` })
      return (JSON.parse(text) as { readonly interrupted?: boolean }).interrupted === true
    })
    assert.deepInclude((await running).events.at(-1), { type: "RUN_FINISHED", outcome: { type: "cancelled" } })
    const next = await post(inputOf(input.threadId, "hello"))
    assert.deepInclude(next.events.at(-1), { outcome: { type: "success" } })
  })

  it("opens one session, also where a thread's first runs come together", async () => {
    const threadId = randomUUID()
    const inputs = [1, 2, 3, 4].map((nth) => inputOf(threadId, `hello ${nth}`))
    const runs = await Promise.all(inputs.map((input) => post(input)))
    const sessions = runs.flatMap(({ events }) =>
      events.flatMap(({ value }) => (value as { sessionId?: string })?.sessionId ?? [])
    )
    assert.strictEqual(new Set(sessions).size, 1)
    for (const { status } of runs) assert.include([200, 409], status)
    const { sessions: all } = await server.call("GET", "/sessions?limit=200")
    const ofThread = (all as ReadonlyArray<{ meta: Record<string, { threadId?: string }> }>).filter(
      ({ meta }) => meta["ag-ui"]?.threadId === threadId
    )
    assert.lengthOf(ofThread, 1)
  })

  it("is found after the server was killed in the middle of it, and its thread goes on", async () => {
    const input = inputOf(randomUUID(), "slow 400 50")
    const controller = new AbortController()
    const response = await fetch(`${server.url}/ag-ui/demo`, {
      method: "POST",
      headers: { authorization: `Bearer ${server.token}` },
      body: JSON.stringify(input),
      signal: controller.signal
    })
    let text = ""
    try {
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk
        if (text.includes("word3") && server.program.child.exitCode === null) server.program.child.kill("SIGKILL")
      }
    } catch {
      // The connection went with the server.
    }
    assert.include(text, "word3")
    server = await openServer(workspace)
    const again = await post(input)
    assert.deepInclude(again.events.at(-1), { type: "RUN_ERROR", code: "outcome_unknown" })
    assert.include(again.text, "word1")
    const next = await post(inputOf(input.threadId, "hello"))
    assert.deepInclude(next.events.at(-1), { outcome: { type: "success" } })
  })
})

describe("what is no run", () => {
  it("keeps apps apart: the same thread id is another thread", async () => {
    const threadId = randomUUID()
    const ours = await ran(agentOf(threadId), "hello")
    const theirs = await ran(agentOf(threadId, otherToken), "recall")
    assert.notStrictEqual(turnOf(theirs).sessionId, turnOf(ours).sessionId)
    assert.include(theirs.text, "[]")
    const thread = randomUUID()
    await ran(agentOf(thread), "hello")
    const path = `/ag-ui?threadId=${thread}`
    assert.strictEqual((await post(null, { method: "DELETE", path, token: otherToken })).status, 404)
    assert.strictEqual((await post(inputOf(thread, "x"), { token: "nobody" })).status, 401)
  })

  it("begins anew for an app that took the name of a revoked one", async () => {
    const created = async () => (await workspace.run(["app", "create", "again"])).stdout.trim().split("\n")[0]!
    const threadId = randomUUID()
    const before = turnOf(await ran(agentOf(threadId, await created()), "hello"))
    await workspace.run(["app", "revoke", "again"])
    const after = await ran(agentOf(threadId, await created()), "recall")
    assert.include(after.text, "[]")
    assert.notStrictEqual(turnOf(after).sessionId, before.sessionId)
  })

  it("ends with the caller's token, by the protocol's own error", async () => {
    const token = (await workspace.run(["app", "create", "leaving"])).stdout.trim().split("\n")[0]!
    const running = ran(agentOf(randomUUID(), token), "hang")
    await workspace.run(["app", "revoke", "leaving"])
    assert.deepInclude((await running).last as object, { type: "RUN_ERROR", code: "unauthorized" })
  })

  it("says what to do about a thread whose session is closed, or is another agent's", async () => {
    const agent = agentOf()
    const { sessionId } = turnOf(await ran(agent, "hello", troupe({ cwd: workspace.cwd })))
    const elsewhere = await post(inputOf(agent.threadId, "x", troupe({ cwd: "/tmp" })))
    assert.deepInclude(JSON.parse(elsewhere.text), { status: 422, error: "not_supported" })
    const codex = await post(inputOf(agent.threadId, "x"), { path: "/ag-ui/codex" })
    assert.match(codex.text, /this thread is one of demo/)
    await server.call("DELETE", `/sessions/${sessionId}`)
    const closed = await post(inputOf(agent.threadId, "x"))
    assert.deepInclude(JSON.parse(closed.text), { status: 410, error: "session_closed" })
  })

  it.each([
    ["{", 400, /must be JSON|JSON/],
    [[], 400, /must be a JSON object/],
    [{ runId: undefined }, 400, /runId is missing/],
    [{ threadId: "x".repeat(201) }, 400, /threadId may have 200 characters/],
    [{ messages: undefined }, 400, /messages is missing/],
    [{ messages: [] }, 400, /must end with a message of the user/],
    [{ messages: [{ id: "a", role: "assistant", content: "hi" }] }, 400, /must end with a message of the user/],
    [{ messages: [{ id: "a", role: "user", content: "" }] }, 400, /says something/],
    [{ messages: [{ id: "a", role: "user", content: 7 }] }, 400, /messages\[0\]\.content must be text/],
    [{ messages: [{ id: "a", role: "user", content: [{ type: "poem" }] }] }, 422, /content\[0\]\.type is "poem"/],
    [
      {
        messages: [
          {
            id: "a",
            role: "user",
            content: [{ type: "image", source: { type: "data", value: "!", mimeType: "image/png" } }]
          }
        ]
      },
      400,
      /source\.value must be base64/
    ],
    [
      {
        messages: [
          { id: "a", role: "nobody" },
          { id: "b", role: "user", content: "x" }
        ]
      },
      400,
      /messages\[0\]\.role/
    ],
    [{ messages: [{ id: "a", role: "user", content: "a\u0000b" }] }, 400, /NUL/],
    [{ tools: [{ name: "f", description: "" }] }, 422, /tools must be empty[^]*mcpServers/],
    [{ state: { a: 1 } }, 422, /state must be empty/],
    [{ context: [{ description: "a" }] }, 400, /context\[0\]\.value must be text/],
    [{ resume: [{ interruptId: "x", status: "maybe" }] }, 400, /resume\[0\]\.status/],
    [troupe({ cwd: "here" }), 400, /absolute path/],
    [troupe({ permission: "ask" }), 400, /permission is no field|permission is .*permissions/],
    [troupe({ permissions: "all" }), 400, /forwardedProps\.troupe/]
  ])("refuses %j with the reason", async (wrong, status, detail) => {
    const isWhole = typeof wrong === "string" || Array.isArray(wrong)
    const { status: answered, text } = await post(isWhole ? wrong : { ...inputOf(randomUUID(), "hello"), ...wrong })
    assert.strictEqual(answered, status, text)
    assert.match((JSON.parse(text) as { readonly detail: string }).detail, detail)
  })

  it("names the agents' own path where there is no such agent, and takes no file where a run belongs", async () => {
    const nobody = await post(inputOf(randomUUID(), "x"), { path: "/ag-ui/nobody" })
    assert.strictEqual(nobody.status, 404)
    assert.match(nobody.text, /ag-ui\/\{agent\}/)
    assert.strictEqual((await post(null, { method: "DELETE", path: "/ag-ui" })).status, 400)
  })
})
