/** `/v1/agents`: `client.beta.agents` of OpenAI's own SDK on the real server, with the demo agent. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import OpenAI, {
  APIError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  NotFoundError,
  UnprocessableEntityError
} from "openai"
import { agentOutputFormat } from "openai/lib/beta/agents/output-format"
import type { AgentSession, AgentSessionEvent, AgentSessionItem } from "openai/resources/beta/agents/agents"
import { operations } from "../../src/doors/agents/operations.ts"
import { makeWorkspace } from "../cli/program.ts"
import type { Workspace } from "../cli/program.ts"
import { openServer } from "../cli/server.ts"
import type { Server } from "../cli/server.ts"
import { until } from "./acp/client.ts"

let workspace: Workspace
let server: Server
let otherToken: string

const clientOf = (apiKey: string, more: object = {}) =>
  new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0, ...more })
const agents = () => clientOf(server.token).beta.agents
const sessions = () => agents().sessions

const turnOn = { TROUPE_AGENTS_API: "true" }

beforeAll(async () => {
  workspace = makeWorkspace()
  server = await openServer(workspace, turnOn)
  const { stdout } = await workspace.run(["app", "create", "other"])
  otherToken = stdout.trim().split("\n")[0]!
}, 60_000)
afterAll(() => workspace.cleanUp())

const environment = { type: "none" } as const
const open = (more: object = {}): Promise<AgentSession> =>
  sessions().create({ agent_id: "demo", environment, ...more } as OpenAI.Beta.Agents.SessionCreateParamsNonStreaming)

const say = (text: string) => ({
  type: "agent.session.input.message" as const,
  input: [{ role: "user" as const, content: [{ type: "input_text" as const, text }] }]
})
const send = (id: string, text: string, key?: string) =>
  sessions().events.create(id, { events: [say(text)], ...(key === undefined ? {} : { "Idempotency-Key": key }) })

const all = async <A>(pages: AsyncIterable<A>): Promise<Array<A>> => {
  const found: Array<A> = []
  for await (const one of pages) found.push(one)
  return found
}

const rested = (id: string) => until(async () => (await sessions().retrieve(id)).status === "idle", "its rest")
const itemsOf = async (id: string) => all(sessions().items.list(id, { order: "asc", limit: 2 }))
const textsOf = (items: ReadonlyArray<AgentSessionItem>, role: string) =>
  items.flatMap((item) =>
    item.type === "message" && item.role === role ? item.content.map((part) => ("text" in part ? part.text : "")) : []
  )

const refusalOf = async (request: Promise<unknown>): Promise<APIError> => {
  try {
    await request
  } catch (error) {
    assert.instanceOf(error, APIError)
    return error
  }
  return assert.fail("it was not refused")
}

describe("every operation of the SDK", () => {
  interface Resource {
    readonly [name: string]: unknown
  }
  /** The methods of a resource, and the resources below it: by the SDK's classes, not by our table. */
  const membersOf = (resource: Resource) => ({
    methods: Object.getOwnPropertyNames(Object.getPrototypeOf(resource)).filter((name) => name !== "constructor"),
    resources: Object.keys(resource).filter((name) => name !== "_client")
  })
  type Node = { readonly method?: string; readonly path?: string; readonly reason?: string } & Resource

  it("is served, or refused with 422 and the reason, at the address that the SDK asks", async () => {
    const asked: Array<string> = []
    const recording: typeof fetch = (input, init) => {
      asked.push(`${init?.method?.toUpperCase()} ${new URL(String(input)).pathname}`)
      return fetch(input, init)
    }
    const client = clientOf(server.token, { fetch: recording })
    let refused = 0
    const walk = async (resource: Resource, table: Resource, name: string): Promise<void> => {
      const { methods, resources } = membersOf(resource)
      assert.sameMembers(Object.keys(table), [...methods, ...resources], name)
      for (const method of methods) {
        const operation = table[method] as Node | "helper"
        if (operation === "helper") continue
        const { path = "", reason } = operation
        const params = [...path.matchAll(/:(\w+)/g)].map(([, param]) => param!)
        const last = params.at(-1)
        const others = Object.fromEntries(params.slice(0, -1).map((param) => [param, `${param}-1`]))
        const args = last === undefined ? [{}] : [`${last}-1`, others]
        const call = (resource[method] as (...args: ReadonlyArray<unknown>) => Promise<unknown>).bind(resource)
        const answer = await Promise.resolve(call(...args)).then(
          () => null,
          (error: unknown) => error
        )
        const expected = path.replaceAll(/:(\w+)/g, (_, param: string) => `${param}-1`)
        assert.strictEqual(asked.at(-1), `${operation.method} ${expected}`, `${name}.${method}`)
        if (reason === undefined) {
          // Nothing of these ids is there, and the body is empty.
          if (answer !== null) assert.isTrue(answer instanceof NotFoundError || answer instanceof BadRequestError)
          if (answer !== null) assert.notStrictEqual((answer as APIError).code, "not_found", `${name}.${method}`)
          continue
        }
        assert.instanceOf(answer, UnprocessableEntityError, `${name}.${method}`)
        assert.deepInclude(answer as object, { code: "unsupported_operation" })
        assert.include((answer as Error).message, reason)
        refused++
      }
      for (const below of resources) {
        await walk(resource[below] as Resource, table[below] as Resource, `${name}.${below}`)
      }
    }
    await walk(client.beta.agents as unknown as Resource, operations as unknown as Resource, "agents")
    assert.isAbove(refused, 30)
  })

  it("says how it is turned on where it is off, and asks for a token before", async () => {
    const elsewhere = makeWorkspace()
    try {
      const { token, url } = await openServer(elsewhere)
      const off = new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0 })
      for (const request of [
        () => off.beta.agents.list(),
        () => off.beta.agents.sessions.retrieve("ses_1"),
        () => off.beta.agents.vaults.list()
      ]) {
        const error = await refusalOf(request())
        assert.instanceOf(error, NotFoundError)
        assert.strictEqual(error.code, "agents_api_off")
        assert.match(error.message, /TROUPE_AGENTS_API=true/)
      }
      const nobody = new OpenAI({ baseURL: `${url}/v1`, apiKey: "nobody", maxRetries: 0 })
      assert.instanceOf(await refusalOf(nobody.beta.agents.list()), AuthenticationError)
    } finally {
      await elsewhere.cleanUp()
    }
  })
})

describe("agents", () => {
  it("are those of the operator, also with a model of their own", async () => {
    const ids = (await all(agents().list({ order: "asc", limit: 1 }))).map(({ id }) => id)
    assert.include(ids, "demo")
    assert.deepInclude(await agents().retrieve("demo/small"), { id: "demo/small", object: "agent" })
    assert.instanceOf(await refusalOf(agents().retrieve("nobody")), NotFoundError)
  })
})

describe("a session", () => {
  it("is created with its first input, streamed, and its result is what is listed and retrieved", async () => {
    const stream = await sessions().create({
      agent_id: "demo",
      agent: { model: "demo-small", instructions: "Speak up.", reasoning: { effort: "low" } },
      environment: { type: "self_hosted", workspace_directory: workspace.cwd },
      metadata: { ticket: "T-1", permissions: "approve_all" },
      input: "think\ntool echo hi\nsystem",
      stream: true
    })
    stream.withResultCollection()
    const events: Array<AgentSessionEvent> = []
    for await (const event of stream) events.push(event)
    const result = await stream.finalResult()
    assert.match(result.output_text, /Speak up\.$/)

    const [created] = events
    assert(created?.type === "agent.session.created")
    const { id } = created.session
    const session = await sessions().retrieve(id)
    assert.deepInclude(session, { status: "idle", error: null, required_actions: [] })
    assert.deepStrictEqual(session.metadata, { ticket: "T-1", permissions: "approve_all" })
    assert.deepInclude(session.agent, { id: "demo", model: "demo-small", reasoning: { effort: "low", summary: null } })
    assert.deepInclude(session.environment, { type: "self_hosted", workspace_directory: workspace.cwd })
    assert.isAbove(session.usage?.total_tokens ?? 0, 0)

    const types = events.map(({ type }) => type)
    assert.deepStrictEqual(types.slice(0, 5), [
      "agent.session.created",
      "agent.session.turn.created",
      "agent.session.turn.item.added",
      "agent.session.in_progress",
      "agent.session.turn.in_progress"
    ])
    assert.deepStrictEqual(types.slice(-2), ["agent.session.turn.completed", "agent.session.idle"])
    assert.strictEqual(new Set(events.map(({ event_id }) => event_id)).size, events.length)

    const items = await itemsOf(id)
    assert.deepStrictEqual(
      items.map(({ type }) => type),
      ["message", "reasoning", "command_execution", "message"]
    )
    assert.deepInclude(items[2] as object, { command: "echo hi", exit_code: 0, status: "completed" })
    assert.match(String((items[2] as { readonly output?: unknown }).output), /hi/)
    const done = events.flatMap((event) => (event.type === "agent.session.turn.item.done" ? [event.item] : []))
    assert.deepStrictEqual(done as ReadonlyArray<unknown>, items.slice(1) as ReadonlyArray<unknown>)
    assert.deepStrictEqual((await sessions().items.list(id)).data, items.toReversed())
    const deltas = events.flatMap((event) =>
      event.type === "agent.session.turn.output_text.delta" ? [event.delta] : []
    )
    assert.strictEqual(deltas.join(""), textsOf(items, "assistant").join(""))

    const turn = await sessions().turns.retrieve(result.turn_id, { session_id: id })
    assert.deepInclude(turn, { status: "completed", error: null, agent_id: "demo" })
    assert.deepStrictEqual({ ...turn, _request_id: null }, { ...result.turn, _request_id: null } as object)
    const ofTurn = await all(sessions().turns.items.list(turn.id, { session_id: id, order: "asc", limit: 3 }))
    assert.deepStrictEqual(ofTurn, items)
  })

  it("goes on with messages: each is a turn, and those that come during one wait in line", async () => {
    const { id, status } = await open()
    assert.strictEqual(status, "idle")
    await sessions().events.create(id, { events: [say("slow 3 30"), say("second")] })
    await send(id, "recall")
    await rested(id)
    const turns = await all(sessions().turns.list(id, { order: "asc", limit: 1 }))
    assert.deepStrictEqual(
      turns.map((turn) => turn.status),
      ["completed", "completed", "completed"]
    )
    assert.deepStrictEqual(textsOf(await itemsOf(id), "assistant").at(-1), '["slow 3 30","second"]')
    const newest = await sessions().turns.list(id, { limit: 2 })
    assert.deepStrictEqual(
      newest.data.map((turn) => turn.id),
      [turns[2]!.id, turns[1]!.id]
    )
    assert.isTrue(newest.has_more)
    const early = await sessions().turns.list(id, { order: "desc", after: turns[1]!.id })
    assert.deepStrictEqual(
      early.data.map((turn) => turn.id),
      [turns[0]!.id]
    )
  })

  it("is what the SDK's own stream of a turn makes of it, with a typed answer", async () => {
    const format = agentOutputFormat({ type: "object" }, (text) => ({ isAskedFor: /JSON Schema/.test(text) }))
    const { id } = await open({ agent: { text: { format: { type: "json_schema", schema: { type: "object" } } } } })
    assert.deepStrictEqual((await sessions().retrieve(id)).agent.text.format, {
      type: "json_schema",
      schema: { type: "object" }
    })
    const result = await sessions().stream(id, { input: '{"a":1}', outputFormat: format }).finalResult()
    assert.deepStrictEqual(result.output_parsed as object, { isAskedFor: true })
  })

  it("takes another model and effort, and nothing else that it was opened with", async () => {
    const { id } = await open({ metadata: { a: "b" } })
    const changed = await sessions().update(id, {
      agent: { model: "demo-small", reasoning: { effort: "high" } },
      metadata: { a: "b" }
    })
    assert.deepInclude(changed.agent, { model: "demo-small", reasoning: { effort: "high", summary: null } })
    const refused = await refusalOf(sessions().update(id, { metadata: { a: "c" } }))
    assert.instanceOf(refused, UnprocessableEntityError)
    assert.strictEqual(refused.param, "metadata")
  })

  it("is found in lists: newest first, oldest first, by agent and by metadata, page by page", async () => {
    const made: Array<string> = []
    for (const nth of [1, 2, 3]) made.push((await open({ metadata: { of: "lists", nth: String(nth) } })).id)
    const newest = await sessions().list({ limit: 2 })
    assert.deepStrictEqual(
      newest.data.map(({ id }) => id),
      made.slice(1).toReversed()
    )
    const next = await newest.getNextPage()
    assert.strictEqual(next.data[0]?.id, made[0])
    const filtered = await all(sessions().list({ metadata: { of: "lists" }, agent_id: "demo", order: "asc", limit: 2 }))
    assert.deepStrictEqual(
      filtered.map(({ id }) => id),
      made
    )
    assert.deepStrictEqual((await sessions().list({ metadata: { of: "nothing" } })).data, [])
  })

  it("is cancelled, and deleted when nothing runs; then it is gone", async () => {
    const { id } = await open({ input: "hang" })
    const refused = await refusalOf(sessions().delete(id))
    assert.instanceOf(refused, ConflictError)
    assert.match(refused.message, /Cancel it first/)
    await sessions().events.create(id, { events: [{ type: "agent.session.input.cancel" }] })
    const [turn] = (await sessions().turns.list(id)).data
    assert.deepInclude(turn, { status: "cancelled", error: null })
    assert.deepInclude(await sessions().delete(id), { id, deleted: true, object: "agent.session.deleted" })
    for (const request of [
      () => sessions().retrieve(id),
      () => send(id, "hello"),
      () => sessions().items.list(id),
      () => sessions().delete(id)
    ]) {
      assert.instanceOf(await refusalOf(request()), NotFoundError)
    }
    assert.notInclude(
      (await sessions().list()).data.map((session) => session.id),
      id
    )
  })

  it("tells a failure with its class, as an event and of the turn", async () => {
    const { id } = await open()
    const seen: Array<AgentSessionEvent> = []
    for await (const event of sessions().stream(id, { input: "crash" })) seen.push(event)
    const failed = seen.find((event) => event.type === "agent.session.turn.failed")
    assert.deepInclude(failed?.turn, { status: "failed" })
    assert.deepInclude(failed?.turn.error, { code: "sandbox_error" })
    assert.match(failed?.turn.error?.message ?? "", /^crash: /)
    const error = seen.find((event) => event.type === "error")
    assert.strictEqual(error?.error.message, failed?.turn.error?.message)
  })
})

describe("required actions", () => {
  it("are answered by the SDK's tool handlers, permissions and questions", async () => {
    const { id } = await open({ metadata: { permissions: "ask" } })
    const asked: Array<object> = []
    const result = await sessions()
      .stream(id, {
        input: "ask-tool echo done\nform",
        toolHandlers: {
          request_permission: (args) => {
            asked.push(args)
            return { decision: "once" }
          },
          ask_user: (args) => {
            asked.push(args)
            return { answers: { color: "blue", count: 2 } }
          }
        }
      })
      .finalResult()
    assert.match(result.output_text, /"color":"blue"/)
    assert.deepInclude(asked[0], { kind: "execute", title: "echo done", decisions: ["once", "session", "deny"] })
    assert.deepInclude(asked[1], { title: "What may it be?" })
    const items = await itemsOf(id)
    const called = items.flatMap((item) => (item.type === "function_call" ? [[item.name, item.status]] : []))
    assert.deepStrictEqual(called, [
      ["request_permission", "completed"],
      ["ask_user", "completed"]
    ])
    const outputs = items.flatMap((item) => (item.type === "function_call_output" ? [item.output] : []))
    assert.deepStrictEqual(outputs, ["once", '{"decision":"once","answers":{"color":"blue","count":2}}'])
  })

  it("are in the session while they wait, take one answer, and the same answer again", async () => {
    const { id } = await open({ metadata: { permissions: "ask" }, input: "ask-tool echo done" })
    await until(async () => (await sessions().retrieve(id)).status === "requires_action")
    const session = await sessions().retrieve(id)
    const [action] = session.required_actions
    assert(action?.type === "function_call")
    assert.strictEqual(action.name, "request_permission")
    const { call_id, turn_id } = action
    assert.strictEqual((await sessions().turns.retrieve(turn_id, { session_id: id })).status, "waiting")
    const live = await sessions().events.stream(id)
    for await (const event of live) {
      assert(event.type === "agent.session.requires_action")
      assert.deepStrictEqual(event.session.required_actions, session.required_actions)
      break
    }
    const answer = (output: string, more: object = {}) =>
      sessions().events.create(id, {
        events: [{ type: "agent.session.input.tool_result", call_id, turn_id, success: true, output, ...more }]
      })
    const unclear = await refusalOf(answer("maybe"))
    assert.instanceOf(unclear, BadRequestError)
    assert.match(unclear.message, /must be once, session, deny/)
    const unknown = await refusalOf(answer("once", { call_id: `apr_${"x".repeat(27)}` }))
    assert.strictEqual(unknown.message, `400 Unknown pending tool call: apr_${"x".repeat(27)}`)
    await answer("deny")
    await rested(id)
    await answer("deny")
    const other = await refusalOf(answer("once"))
    assert.instanceOf(other, ConflictError)
    assert.strictEqual(other.code, "approval_settled")
    assert.match(textsOf(await itemsOf(id), "assistant").join(""), /was not run/)
  })

  it("stop the SDK's result where nobody handles them, and a handler that throws says no", async () => {
    const { id } = await open({ metadata: { permissions: "ask" } })
    const unhandled = sessions().stream(id, { input: "ask-tool echo done" })
    const error = await unhandled.finalResult().then(
      () => assert.fail("it had a result"),
      (error: unknown) => error as { readonly reason?: unknown }
    )
    assert.strictEqual(error.reason, "requires_action")
    await sessions().events.create(id, { events: [{ type: "agent.session.input.cancel" }] })
    await rested(id)
    const toolHandlers = {
      request_permission: () => {
        throw new Error("nobody is there")
      }
    }
    const result = await sessions().stream(id, { input: "ask-tool echo done", toolHandlers }).finalResult()
    assert.match(result.output_text, /was not run/)
  })
})

describe("the stream of a session", () => {
  const collect = async (stream: AsyncIterable<AgentSessionEvent>, isLast: (event: AgentSessionEvent) => boolean) => {
    const events: Array<AgentSessionEvent> = []
    for await (const event of stream) {
      events.push(event)
      if (isLast(event)) break
    }
    return events
  }
  const isDone = ({ type }: AgentSessionEvent) => type === "agent.session.idle"
  const after = (id: string, event: string) => sessions().events.stream(id, { query: { after: event } })

  it("gives the rest to a reader that comes back, at any event, and the same to all", async () => {
    const { id } = await open({ metadata: { permissions: "approve_all" } })
    const whole = await collect(sessions().stream(id, { input: "think\ntool echo hi\nslow 3 30" }), () => false)
    const named = (events: ReadonlyArray<AgentSessionEvent>) =>
      events.map((event) => ("session" in event ? { type: event.type, event_id: event.event_id } : event))
    for (const [nth, event] of whole.entries()) {
      if (nth === 0 || nth === whole.length - 1) continue
      const rest = await collect(await after(id, event.event_id), isDone)
      assert.deepStrictEqual(named(rest), named(whole.slice(nth + 1)), event.type)
    }
    const byHeader = await sessions().events.stream(id, { headers: { "Last-Event-ID": whole[3]!.event_id } })
    assert.deepStrictEqual(named(await collect(byHeader, isDone)), named(whole.slice(4)))
  })

  it("is the same for two clients at one session, each of which sends", async () => {
    const { id } = await open()
    const [one, two] = await Promise.all([sessions().events.stream(id), sessions().events.stream(id)])
    let ended = 0
    const isBoth = ({ type }: AgentSessionEvent) => type === "agent.session.turn.completed" && ++ended >= 2
    const reading = collect(one, isBoth)
    await Promise.all([send(id, "slow 3 20"), send(id, "slow 2 20")])
    const first = await reading
    ended = 0
    assert.deepStrictEqual(
      (await collect(two, isBoth)).map(({ event_id }) => event_id),
      first.map(({ event_id }) => event_id)
    )
    const created = first.flatMap((event) => (event.type === "agent.session.turn.created" ? [event.turn_id] : []))
    assert.strictEqual(new Set(created).size, 2)
  })

  it("has a message once for its key, over a server that is killed in the middle of the turn, and goes on", async () => {
    const { id } = await open()
    const reading = await sessions().events.stream(id)
    await send(id, "slow 200 50", "the-same")
    const seen = await collect(reading, ({ type }) => type === "agent.session.turn.output_text.delta")
    server.program.child.kill("SIGKILL")
    await server.program.ended
    server = await openServer(workspace, turnOn)
    await send(id, "slow 200 50", "the-same")
    const rest = await collect(await after(id, seen.at(-1)!.event_id), isDone)
    const failed = rest.find((event) => event.type === "agent.session.turn.failed")
    assert.match(failed?.turn.error?.message ?? "", /^outcome_unknown: /)
    const turns = (await sessions().turns.list(id)).data
    assert.deepStrictEqual(
      turns.map((turn) => [turn.id, turn.status]),
      [[failed?.turn.id, "failed"]]
    )
    const conflict = await refusalOf(send(id, "other", "the-same"))
    assert.instanceOf(conflict, UnprocessableEntityError)
    assert.strictEqual(conflict.code, "idempotency_conflict")
    await send(id, "hello again")
    await rested(id)
    assert.include(textsOf(await itemsOf(id), "assistant").join(""), "hello again")
  })

  it("ends with the session", async () => {
    const { id } = await open({ input: "hello" })
    await rested(id)
    const events = collect(await sessions().events.stream(id), () => false)
    await sessions().delete(id)
    assert.deepStrictEqual(
      (await events).map(({ type }) => type),
      ["agent.session.idle"]
    )
  })
})

describe("what is wrong", () => {
  it("keeps apps apart, in the words for what never was", async () => {
    const { id } = await open({ input: "hello" })
    await rested(id)
    const [turn] = (await sessions().turns.list(id)).data
    const theirs = clientOf(otherToken).beta.agents.sessions
    const never = `ses_${"x".repeat(27)}`
    for (const ask of [
      (session: string) => theirs.retrieve(session),
      (session: string) => theirs.update(session, {}),
      (session: string) => theirs.delete(session),
      (session: string) => theirs.events.create(session, { events: [say("hello")] }),
      (session: string) => theirs.events.stream(session),
      (session: string) => theirs.items.list(session),
      (session: string) => theirs.turns.list(session),
      (session: string) => theirs.turns.retrieve(turn!.id, { session_id: session })
    ]) {
      const [foreign, nobodys] = [await refusalOf(ask(id)), await refusalOf(ask(never))]
      assert.instanceOf(foreign, NotFoundError)
      assert.strictEqual(foreign.message.replace(id, never), nobodys.message)
    }
    assert.deepStrictEqual((await theirs.list()).data, [])
    const own = await theirs.create({ agent_id: "demo", environment })
    assert.instanceOf(await refusalOf(theirs.turns.retrieve(turn!.id, { session_id: own.id })), NotFoundError)
    for (const request of [
      () => theirs.list({ after: id }),
      () => theirs.items.list(own.id, { after: `msg_${id.slice(4)}_1_0` }),
      () => theirs.events.stream(own.id, { query: { after: `evt_${id.slice(4)}_0_1_1` } })
    ]) {
      const refused = await refusalOf(request())
      assert.instanceOf(refused, BadRequestError)
      assert.strictEqual(refused.param, "after")
    }
  })

  it.each([
    [{ agent_id: "nobody" }, 404, "agent_not_found", "agent_id", /No agent that is available is called "nobody"/],
    [{ environment: { type: "openai_hosted" } }, 422, "unsupported_parameter", "environment.type", /self_hosted/],
    [{ environment: undefined }, 400, "invalid_value", "environment.type", /none or self_hosted/],
    [
      { environment: { type: "self_hosted", workspace_directory: "here" } },
      400,
      "invalid_value",
      "environment.workspace_directory",
      /absolute path/
    ],
    [
      { environment: { type: "self_hosted", workspace_directory: "/nonexistent" } },
      400,
      "invalid_request",
      null,
      /directory that exists/
    ],
    [{ environment: { type: "none", extra: 1 } }, 400, "unknown_parameter", "environment.extra", /no parameter/],
    [{ agent: { tools: [{ type: "function", name: "f" }] } }, 422, "unsupported_parameter", "agent.tools[0]", /itself/],
    [{ agent: { tools: [{ type: "mcp" }] } }, 400, "invalid_value", "agent.tools[0].transport.type", /http or stdio/],
    [{ agent: { multi_agent: { enabled: true } } }, 422, "unsupported_parameter", "agent.multi_agent", /sub-agents/],
    [
      { agent: { text: { format: { type: "xml" } } } },
      422,
      "unsupported_parameter",
      "agent.text.format.type",
      /json_schema/
    ],
    [{ agent: [] }, 400, "invalid_value", "agent", /must be an object/],
    [{ agent: { modle: "small" } }, 400, "unknown_parameter", "agent.modle", /Is it model\?/],
    [{ review: "auto_review" }, 422, "unsupported_parameter", "review", /permissions/],
    [{ spend_control: { limit: 5 } }, 422, "unsupported_parameter", "spend_control", /operator/],
    [{ vault_ids: ["v"] }, 422, "unsupported_parameter", "vault_ids", /transport/],
    [{ metadata: { permissions: "all" } }, 400, "invalid_value", "metadata.permissions", /must be one of deny/],
    [{ metadata: { a: 1 } }, 400, "invalid_value", "metadata.a", /must be text/],
    [{ input: [] }, 400, "invalid_value", "input", /not empty/],
    [{ input: [{ role: "assistant", content: [] }] }, 400, "invalid_value", "input[0].role", /must be user/],
    [
      { input: [{ role: "user", content: [{ type: "input_file" }] }] },
      422,
      "unsupported_parameter",
      "input[0].content[0].type",
      /input_image/
    ],
    [{ input: "a\u0000b" }, 400, "invalid_request", null, /may not contain the character NUL/],
    [{ stream: true }, 400, "invalid_value", "input", /is missing/],
    [{ strem: true }, 400, "unknown_parameter", "strem", /Is it stream\?/]
  ])("refuses to create %j with the reason, and leaves no session", async (wrong, status, code, param, message) => {
    const before = (await sessions().list({ limit: 1 })).data[0]?.id
    const refused = await refusalOf(open(wrong))
    assert.deepInclude(refused as object, { status, code, param })
    assert.match(refused.message, message)
    assert.strictEqual((await sessions().list({ limit: 1 })).data[0]?.id, before)
  })

  it("refuses events and pages that are wrong, and does nothing of them", async () => {
    const { id } = await open()
    const send = (events: unknown) => sessions().events.create(id, { events } as never)
    for (const [request, status, param, message] of [
      [() => send([]), 400, "events", /1 to 16/],
      [() => send(Array(17).fill(say("x"))), 400, "events", /1 to 16/],
      [() => send("x"), 400, "events", /1 to 16/],
      [() => send([say("one"), { type: "agent.session.input.nothing" }]), 400, "events[1].type", /input\.message/],
      [() => send([say(" ")]), 400, "events[0].input", /something to say/],
      [() => send([{ ...say("x"), more: 1 }]), 400, "events[0].more", /no parameter/],
      [
        () => send([{ type: "agent.session.input.computer_use_approval_request_result" }]),
        422,
        "events[0].type",
        /tool_result/
      ],
      [() => send([{ type: "agent.session.input.tool_result", call_id: "a" }]), 400, "events[0]", /turn_id/],
      [() => sessions().list({ limit: 0 }), 400, "limit", /1 to 100/],
      [() => sessions().list({ order: "up" as "asc" }), 400, "order", /asc or desc/],
      [() => sessions().list({}, { query: { ordr: "asc" } }), 400, "ordr", /Is it order\?/],
      [() => sessions().turns.list(id, { after: "turn_1" }), 400, "after", /none/],
      [() => sessions().events.stream(id, { query: { after: "evt" } }), 400, "after", /event_id/],
      [() => send([say("x".repeat(1024 * 1024))]), 413, null, /1 MiB|large|limit/]
    ] as const) {
      const refused = await refusalOf(request())
      assert.deepInclude(refused as object, { status, param }, refused.message)
      assert.match(refused.message, message)
    }
    assert.deepStrictEqual((await sessions().turns.list(id)).data, [])
    for (const key of ["", "x".repeat(256)]) {
      const refused = await refusalOf(sessions().events.create(id, { events: [say("x")], "Idempotency-Key": key }))
      assert.strictEqual(refused.status, 400, key)
    }
  })
})
