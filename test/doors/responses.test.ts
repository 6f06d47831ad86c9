/** `/v1/responses` and `/v1/models`: OpenAI's own SDK on the real server, with the demo agent. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { realpathSync } from "node:fs"
import OpenAI, { APIError } from "openai"
import type { ResponseStreamEvent } from "openai/resources/responses/responses"
import { makeWorkspace } from "../cli/program.ts"
import type { Workspace } from "../cli/program.ts"
import { openServer } from "../cli/server.ts"
import type { Server } from "../cli/server.ts"
import { until } from "./acp/client.ts"

let workspace: Workspace
let server: Server
let openai: OpenAI
let other: OpenAI

const clientOf = (apiKey: string) => new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 })

beforeAll(async () => {
  workspace = makeWorkspace()
  server = await openServer(workspace)
  const { stdout } = await workspace.run(["app", "create", "other"])
  openai = clientOf(server.token)
  other = clientOf(stdout.trim().split("\n")[0]!)
}, 60_000)
afterAll(() => workspace.cleanUp())

type Refused = Readonly<Record<"status" | "code" | "param" | "type" | "message", unknown>>

const refusalOf = async (request: Promise<unknown>): Promise<Refused> => {
  try {
    await request
  } catch (error) {
    assert.instanceOf(error, APIError)
    return error as unknown as Refused
  }
  return assert.fail("it was not refused")
}

const model = "demo"
const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

describe("/v1/models", () => {
  it("lists the agents, and finds each, with a model of its own or without", async () => {
    const ids = (await openai.models.list()).data.map(({ id }) => id)
    assert.include(ids, "demo")
    assert.deepInclude(await openai.models.retrieve("demo/small"), { id: "demo/small", owned_by: "troupe" })
    assert.deepInclude(await refusalOf(openai.models.retrieve("nobody")), { status: 404, code: "model_not_found" })
  })
})

describe("/v1/responses", () => {
  it("answers, goes on with previous_response_id, and gives the same when it is retrieved", async () => {
    const first = await openai.responses.create({
      model,
      instructions: "Speak up.",
      input: "system",
      metadata: { cwd: workspace.cwd, ticket: "T-1" }
    })
    assert.deepInclude(first, {
      status: "completed",
      output_text: "Speak up.",
      model,
      error: null,
      previous_response_id: null
    })
    assert.deepStrictEqual(first.metadata, { cwd: workspace.cwd, ticket: "T-1" })
    assert.isAbove(first.usage?.total_tokens ?? 0, 0)
    const second = await openai.responses.create({
      model,
      instructions: "Speak up.",
      input: [{ role: "user", content: [{ type: "input_text", text: "recall" }] }],
      previous_response_id: first.id
    })
    assert.deepInclude(second, { output_text: '["system"]', previous_response_id: first.id })
    const { background: _, ...retrieved } = await openai.responses.retrieve(second.id)
    const { background: _own, ...own } = second
    assert.deepStrictEqual({ ...retrieved, _request_id: null }, { ...own, _request_id: null })
    const { data } = await openai.responses.inputItems.list(second.id)
    assert.deepInclude(data[0], { role: "user", content: [{ type: "input_text", text: "recall" }] })
    const { sessions } = (await server.call("GET", "/sessions")) as {
      readonly sessions: ReadonlyArray<{ readonly cwd: string }>
    }
    assert.strictEqual(sessions[0]?.cwd, realpathSync(workspace.cwd))
    // The demo agent can't go back to an earlier turn.
    const branch = await refusalOf(openai.responses.create({ model, input: "hello", previous_response_id: first.id }))
    assert.deepInclude(branch, { status: 422, param: "previous_response_id" })
    assert.include(branch.message, second.id)
  })

  it("streams items and texts; a reader that comes back gets the rest, by number, and the whole is what is retrieved", async () => {
    const input = "think\ntool echo hi\nslow 6 60"
    const seen: Array<ResponseStreamEvent> = []
    for await (const event of await openai.responses.create({
      model,
      input,
      stream: true,
      metadata: { permissions: "approve_all" }
    })) {
      seen.push(event)
      // The connection breaks in the middle of the turn.
      if (event.type === "response.output_text.delta") break
    }
    const created = seen[0]
    assert(created?.type === "response.created")
    const { id } = created.response
    const rest: Array<ResponseStreamEvent> = []
    const starting_after = seen.at(-1)!.sequence_number
    for await (const event of await openai.responses.retrieve(id, { stream: true, starting_after })) rest.push(event)
    const whole: Array<ResponseStreamEvent> = []
    for await (const event of await openai.responses.retrieve(id, { stream: true })) whole.push(event)

    const events = [...seen, ...rest]
    assert.deepStrictEqual(
      events.map(({ sequence_number }) => sequence_number),
      events.map((_, index) => index)
    )
    const plain = (list: ReadonlyArray<ResponseStreamEvent>) =>
      list.filter(({ type }) => !/\.(created|in_progress)$/.test(type))
    assert.deepStrictEqual(plain(events), plain(whole))
    const last = events.at(-1)
    assert(last?.type === "response.completed")
    const retrieved = await openai.responses.retrieve(id)
    assert.deepStrictEqual(last.response.output, retrieved.output)
    const done = events.flatMap((event) => (event.type === "response.output_item.done" ? [event.item] : []))
    assert.deepStrictEqual(done, retrieved.output)
    assert.deepStrictEqual(
      retrieved.output.map((item) => item.type),
      ["reasoning", "function_call", "function_call_output", "message"]
    )
    assert.deepInclude(retrieved.output[1], { name: "exec_command", arguments: '{"command":"echo hi"}' })
    const deltas = events.flatMap((event) => (event.type === "response.output_text.delta" ? [event.delta] : []))
    assert.strictEqual(deltas.join(""), retrieved.output_text)
  })

  it("is what the SDK's own stream makes of it", async () => {
    const stream = openai.responses.stream({ model, input: "slow 3 20" })
    const texts: Array<string> = []
    stream.on("response.output_text.delta", ({ delta }) => void texts.push(delta))
    assert.strictEqual((await stream.finalResponse()).output_text, texts.join(""))
  })

  it("goes on in the background, is polled, and cancelled", async () => {
    const begun = await openai.responses.create({ model, input: "slow 4 50", background: true })
    assert.include(["queued", "in_progress"], begun.status)
    let response = begun
    while (response.status === "queued" || response.status === "in_progress") {
      await new Promise((resolve) => setTimeout(resolve, 50))
      response = await openai.responses.retrieve(begun.id)
    }
    assert.deepInclude(response, { status: "completed", output_text: "word1 word2 word3 word4 " })
    const hanging = await openai.responses.create({ model, input: "hang", background: true })
    assert.deepInclude(await openai.responses.cancel(hanging.id), { id: hanging.id, status: "cancelled", error: null })
    assert.strictEqual((await openai.responses.retrieve(hanging.id)).status, "cancelled")
    const failed = await openai.responses.create({ model, input: "crash" })
    assert.deepInclude(failed, { status: "failed" })
    assert.match(failed.error?.message ?? "", /^crash: /)
    assert.deepInclude(failed.output[0], { type: "message", status: "incomplete" })
  })

  it("takes images, files, an earlier conversation and a schema", async () => {
    const rich = await openai.responses.create({
      model,
      input: [
        { role: "developer", content: "Be kind." },
        { role: "user", content: "My name is Ada." },
        { role: "assistant", content: "Hello Ada." },
        {
          role: "user",
          content: [
            { type: "input_text", text: "system" },
            { type: "input_image", detail: "auto", image_url: `data:image/png;base64,${png}` },
            { type: "input_file", filename: "notes.txt", file_data: `data:text/plain;base64,${btoa("some notes")}` }
          ]
        }
      ]
    })
    assert.strictEqual(rich.status, "completed", rich.error?.message)
    assert.include(rich.output_text, "Be kind.")
    const { data } = await openai.responses.inputItems.list(rich.id)
    assert.match(JSON.stringify(data), /notes\.txt/)
    const schema = { type: "object", properties: { a: { type: "number" } }, required: ["a"] }
    const structured = await openai.responses.create({
      model,
      input: "hello",
      text: { format: { type: "json_schema", name: "an_a", schema } }
    })
    assert.strictEqual(structured.status, "completed", structured.error?.message)
  })

  it("asks for approval by an item, and goes on as the same response with the answer", async () => {
    const metadata = { permissions: "ask" }
    const asked = async (input: string) => {
      const asking = await openai.responses.create({ model, input, metadata })
      const item = asking.output.at(-1)
      assert(asking.status === "in_progress" && item?.type === "mcp_approval_request", JSON.stringify(asking.output))
      return { asking, item }
    }
    const answered = (previous_response_id: string, approval_request_id: string, approve: boolean) =>
      openai.responses.create({
        model,
        previous_response_id,
        input: [{ type: "mcp_approval_response", approval_request_id, approve }]
      })
    const { asking, item } = await asked("ask-tool echo granted")
    assert.deepInclude(item, { server_label: "troupe", name: "execute", arguments: '{"title":"echo granted"}' })
    const done = await answered(asking.id, item.id, true)
    assert.deepInclude(done, { id: asking.id, status: "completed" })
    assert.deepStrictEqual(
      done.output.map(({ type }) => type),
      ["mcp_approval_request", "function_call", "function_call_output", "message"]
    )
    assert.deepStrictEqual((await openai.responses.retrieve(asking.id)).output, done.output)
    const whole: Array<ResponseStreamEvent> = []
    for await (const event of await openai.responses.retrieve(asking.id, { stream: true })) whole.push(event)
    const items = whole.flatMap((event) => (event.type === "response.output_item.done" ? [event.item] : []))
    assert.deepStrictEqual(items, done.output)

    // The same again is safe; another answer, and one to what was not asked here, are told.
    assert.deepStrictEqual((await answered(asking.id, item.id, true)).output, done.output)
    assert.deepInclude(await refusalOf(answered(asking.id, item.id, false)), { status: 409, code: "approval_settled" })
    const other = await asked("ask")
    assert.deepInclude(await refusalOf(answered(asking.id, other.item.id, true)), { status: 400 })
    assert.include((await answered(other.asking.id, other.item.id, false)).output_text, "The client said: reject")
    const raced = await asked("ask-tool echo raced")
    const both = await Promise.all([1, 2].map(() => answered(raced.asking.id, raced.item.id, true)))
    assert.deepStrictEqual(both[0]!.output, both[1]!.output)
    const question = await asked("form")
    assert.deepInclude(await refusalOf(answered(question.asking.id, question.item.id, true)), {
      status: 422,
      param: "input[0].approve"
    })
    assert.strictEqual((await answered(question.asking.id, question.item.id, false)).status, "completed")
  })

  it("has one effect for one Idempotency-Key", async () => {
    const ask = () => openai.responses.create({ model, input: "hello" }, { headers: { "Idempotency-Key": "the-same" } })
    const [one, two] = [await ask(), await ask()]
    assert.strictEqual(one.id, two.id)
  })

  it("knows a repeated request by its key, also one that follows another or brings a file", async () => {
    const repeated = async (body: OpenAI.Responses.ResponseCreateParamsNonStreaming, idempotencyKey: string) => {
      const first = await openai.responses.create(body, { headers: { "Idempotency-Key": idempotencyKey } })
      const again = await openai.responses.create(body, { headers: { "Idempotency-Key": idempotencyKey } })
      assert.strictEqual(again.id, first.id)
      const other = { ...body, input: "other" }
      const refused = await refusalOf(
        openai.responses.create(other, { headers: { "Idempotency-Key": idempotencyKey } })
      )
      assert.deepInclude(refused, { status: 422, code: "idempotency_conflict" })
      return first.id
    }
    const file = { type: "input_file", filename: "a.txt", file_data: "aGVsbG8=" } as const
    const input = [{ role: "user" as const, content: [{ type: "input_text" as const, text: "see" }, file] }]
    const id = await repeated({ model, input }, "with-file")
    await repeated({ model, input: "next", previous_response_id: id }, "next")
  })

  it("forgets what was made with store: false, and a session whose newest response is deleted", async () => {
    const { id, ...unstored } = await openai.responses.create({ model, input: "hello", store: false })
    assert.deepInclude(unstored as object, { status: "completed", store: false })
    assert.deepInclude(await refusalOf(openai.responses.retrieve(id)), { status: 404, code: "response_not_found" })
    const first = await openai.responses.create({ model, input: "hello" })
    const second = await openai.responses.create({ model, input: "again", previous_response_id: first.id })
    assert.deepInclude(await refusalOf(openai.responses.delete(first.id)), {
      status: 422,
      code: "response_has_followers"
    })
    await openai.responses.delete(second.id)
    assert.strictEqual((await refusalOf(openai.responses.retrieve(first.id))).status, 404)
  })

  it("closes the session of store: false also where the reader of its stream has left", async () => {
    const stream = await openai.responses.create({ model, input: "slow 3 50", store: false, stream: true })
    let id = ""
    for await (const event of stream) {
      if (event.type !== "response.created") continue
      id = event.response.id
      break
    }
    const session = id.replace(/^resp_(.+)_1$/, "ses_$1")
    await until(async () => (await server.call("GET", `/sessions/${session}`))["state"] === "closed")
    const { turns } = (await server.call("GET", `/sessions/${session}/turns`)) as {
      readonly turns: ReadonlyArray<{ readonly status: string }>
    }
    assert.deepStrictEqual(
      turns.map(({ status }) => status),
      ["completed"]
    )
  })

  it("keeps apps apart, in the words for a response that never was", async () => {
    const { id } = await openai.responses.create({ model, input: "hello" })
    const never = `resp_${"x".repeat(27)}_1`
    for (const ask of [
      (response: string) => other.responses.retrieve(response),
      (response: string) => other.responses.cancel(response),
      (response: string) => other.responses.delete(response),
      (response: string) => other.responses.inputItems.list(response),
      (response: string) => other.responses.create({ model, input: "hello", previous_response_id: response })
    ]) {
      const [theirs, nobodys] = [await refusalOf(ask(id)), await refusalOf(ask(never))]
      assert.strictEqual(String(theirs.message).replace(id, never), nobodys.message)
      assert.deepInclude(theirs, { status: 404, code: "response_not_found" })
    }
    assert.deepInclude(await refusalOf(clientOf("nobody").models.list()), { status: 401, code: "invalid_api_key" })
  })

  it.each([
    [{ model: "nobody" }, 404, "model_not_found", null, /No agent is called "nobody"\. GET \/v1\/models/],
    [{ temperature: 0.2 }, 422, "unsupported_parameter", "temperature", /the agent decides/],
    [{ tools: [{ type: "function", name: "f" }] }, 422, "unsupported_parameter", "tools[0]", /has tools of its own/],
    [{ conversation: "conv_1" }, 422, "unsupported_parameter", "conversation", /previous_response_id/],
    [{ inpt: "hello" }, 400, "unknown_parameter", "inpt", /Is it input\?/],
    [{ input: [] }, 400, "invalid_value", "input", /list of items/],
    [
      { input: [{ role: "assistant", content: "hi" }] },
      400,
      "invalid_value",
      "input",
      /end with a message of the user/
    ],
    [
      { input: [{ type: "web_search_call" }, { role: "user", content: "x" }] },
      422,
      "unsupported_parameter",
      "input[0].type",
      /no counterpart/
    ],
    [
      { input: [{ type: "mcp_approval_response", approval_request_id: "apr_x", approve: true }] },
      400,
      "invalid_value",
      "previous_response_id",
      /is missing/
    ],
    [
      { input: [{ type: "mcp_approval_response", approve: true }] },
      400,
      "invalid_value",
      "input[0].approval_request_id",
      /is missing/
    ],
    [{ input: "a\u0000b" }, 400, "invalid_request", null, /may not contain the character NUL/],
    [{ stream: "yes" }, 400, "invalid_value", "stream", /true or false/],
    [{ store: false, background: true }, 400, "invalid_value", "background", /store/],
    [{ metadata: { cwd: "here" } }, 400, "invalid_value", "metadata.cwd", /absolute path/],
    [{ metadata: { cwd: "/nonexistent" } }, 400, "invalid_request", null, /directory that exists/],
    [{ metadata: { permissions: "all" } }, 400, "invalid_value", "metadata.permissions", /must be one of deny/]
  ])("refuses %j with the reason", async (wrong, status, code, param, message) => {
    const body = { model, input: "hello", ...wrong } as OpenAI.Responses.ResponseCreateParamsNonStreaming
    const refused = await refusalOf(openai.responses.create(body))
    assert.deepInclude(refused, { status, code, param })
    assert.match(String(refused.message), message)
  })
})

describe("after a kill in the middle of it", () => {
  it("a response of store: false leaves no open session", async () => {
    let session = ""
    try {
      for await (const event of await openai.responses.create({
        model,
        input: "slow 400 50",
        store: false,
        stream: true
      })) {
        if (event.type === "response.created") session = event.response.id.replace(/^resp_(.+)_1$/, "ses_$1")
        if (event.type === "response.output_text.delta") server.program.child.kill("SIGKILL")
      }
    } catch {
      // The connection went with the server.
    }
    server = await openServer(workspace)
    await until(async () => (await server.call("GET", `/sessions/${session}`))["state"] === "closed")
    const { turns } = (await server.call("GET", `/sessions/${session}/turns`)) as {
      readonly turns: ReadonlyArray<{ readonly error_class: string }>
    }
    assert.strictEqual(turns[0]?.error_class, "outcome_unknown")
  })
})
