/** `/v1/agents`: every operation of `client.beta.agents` of OpenAI's own SDK, and requests that are wrong, on the real server. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import OpenAI, { AuthenticationError, BadRequestError, NotFoundError, UnprocessableEntityError } from "openai"
import type { APIError } from "openai"
import { operations } from "../../../src/doors/agents/operations.ts"
import { makeWorkspace } from "../../cli/program.ts"
import { openServer } from "../../cli/server.ts"
import { all, environment, refusalOf, say, world } from "./client.ts"

const { agents, clientOf, mint, open, rested, server, sessions } = world()

let otherToken: string
beforeAll(async () => {
  otherToken = await mint("other")
})

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
    const client = clientOf(server().token, { fetch: recording })
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
