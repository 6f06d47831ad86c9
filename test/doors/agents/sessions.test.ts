/** Sessions of OpenAI's Agents API, and what they ask their client: the SDK and its helpers on the real server, with the demo agent. */
import { assert, describe, it } from "@effect/vitest"
import { BadRequestError, ConflictError, NotFoundError, UnprocessableEntityError } from "openai"
import { agentOutputFormat } from "openai/lib/beta/agents/output-format"
import type { AgentSessionEvent } from "openai/resources/beta/agents/agents"
import { until } from "../acp/client.ts"
import { all, refusalOf, say, textsOf, world } from "./client.ts"

const { itemsOf, open, rested, send, sessions, workspace } = world()

describe("a session", () => {
  it("is created with its first input, streamed, and its result is what is listed and retrieved", async () => {
    const stream = await sessions().create({
      agent_id: "demo",
      agent: { model: "demo-small", instructions: "Speak up.", reasoning: { effort: "low" } },
      environment: { type: "self_hosted", workspace_directory: workspace().cwd },
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
    assert.deepInclude(session.environment, { type: "self_hosted", workspace_directory: workspace().cwd })
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

  it("is created once for its key, with one first turn, whichever way it is answered, and is not created again when it is deleted", async () => {
    const headers = { "Idempotency-Key": "one-session" }
    const body = { agent_id: "demo", environment: { type: "none" }, input: "hello" } as const
    const one = await sessions().create(body, { headers })
    const [created] = await all(await sessions().create({ ...body, stream: true }, { headers }))
    assert(created?.type === "agent.session.created")
    assert.strictEqual(created.session.id, one.id)
    assert.lengthOf((await sessions().turns.list(one.id)).data, 1)
    for (const more of [{ input: "other" }, { metadata: { a: "b" } }]) {
      const refused = await refusalOf(sessions().create({ ...body, ...more }, { headers }))
      assert.instanceOf(refused, UnprocessableEntityError)
      assert.strictEqual(refused.code, "idempotency_conflict")
    }
    await rested(one.id)
    await sessions().delete(one.id)
    assert.instanceOf(await refusalOf(sessions().create(body, { headers })), NotFoundError)
  })

  it("says why it is left alone while its agent's account is used up, and has messages wait", async () => {
    const { id } = await open()
    const failed = sessions().stream(id, { input: "fail quota" })
    const error = await failed.finalResult().then(
      () => assert.fail("it had a result"),
      (error: unknown) => error as { readonly turn?: { readonly error?: { readonly code?: unknown } } }
    )
    assert.strictEqual(error.turn?.error?.code, "usage_limit_exceeded")
    await until(async () => (await sessions().retrieve(id)).error !== null)
    assert.match(String((await sessions().retrieve(id)).error), /limit of its account/)
    await send(id, "hello")
    const waiting = await sessions().retrieve(id)
    assert.strictEqual(waiting.status, "in_progress")
    assert.strictEqual((await sessions().turns.list(id)).data[0]?.status, "queued")
    const live = await sessions().events.stream(id)
    for await (const event of live) {
      assert.strictEqual(event.type, "agent.session.in_progress")
      break
    }
    assert.instanceOf(await refusalOf(sessions().delete(id)), ConflictError)
    await sessions().events.create(id, { events: [{ type: "agent.session.input.cancel" }] })
    assert.strictEqual((await sessions().turns.list(id)).data[0]?.status, "cancelled")
    assert.isTrue((await sessions().delete(id)).deleted)
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
