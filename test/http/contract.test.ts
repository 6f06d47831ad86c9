/** The contract from outside: the OpenAPI document, its page, and the client that is made from it. */
import { assert, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import * as Client from "../../src/http/Client.ts"
import { adminToken, appToken } from "./callers.ts"
import { open } from "./harness.ts"

interface Operation {
  readonly operationId: string
  readonly summary?: string
  readonly security: ReadonlyArray<unknown>
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>
}

const every = (value: unknown, visit: (key: string, member: unknown) => void): void => {
  if (typeof value !== "object" || value === null) return
  for (const [key, member] of Object.entries(value)) {
    visit(key, member)
    every(member, visit)
  }
}

it.live("the OpenAPI 3.1 document has every route and no dangling reference", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const { json: document, status } = yield* call("/openapi.json", { token: null })
    assert.strictEqual(status, 200)
    assert.strictEqual(document.openapi, "3.1.0")
    assert.deepStrictEqual(Object.keys(document.paths).sort(), [
      "/admin/apps",
      "/admin/apps/{name}",
      "/admin/apps/{name}/bounds",
      "/admin/sessions",
      "/admin/sessions/{id}/audit",
      "/admin/sessions/{id}/close",
      "/admin/sessions/{id}/move",
      "/admin/sessions/{id}/unpark",
      "/admin/sweep",
      "/admin/usage",
      "/agents",
      "/agents/{name}/threads",
      "/files",
      "/healthz",
      "/memory",
      "/metrics",
      "/readyz",
      "/run",
      "/sessions",
      "/sessions/{id}",
      "/sessions/{id}/approvals",
      "/sessions/{id}/approvals/{approval_id}",
      "/sessions/{id}/compact",
      "/sessions/{id}/events",
      "/sessions/{id}/fork",
      "/sessions/{id}/interrupt",
      "/sessions/{id}/messages",
      "/sessions/{id}/reviews",
      "/sessions/{id}/steer",
      "/sessions/{id}/turn",
      "/sessions/{id}/turn/stream",
      "/sessions/{id}/turns",
      "/sessions/{id}/turns/{n}",
      "/sessions/{id}/turns/{n}/interrupt",
      "/skills",
      "/usage"
    ])
    assert.containSubset(document.components.securitySchemes, { bearer: { type: "http", scheme: "Bearer" } })
    every(document, (key, member) => {
      if (key === "$ref") {
        const name = String(member).replace("#/components/schemas/", "")
        assert.property(document.components.schemas, name)
      }
    })
    const ids = new Set<string>()
    for (const [path, methods] of Object.entries<Record<string, Operation>>(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        ids.add(operation.operationId)
        assert.isString(operation.summary, `${method} ${path}`)
        assert.lengthOf(operation.security, path === "/healthz" || path === "/readyz" ? 0 : 1)
        for (const [code, response] of Object.entries(operation.responses)) {
          const problem = Number(code) >= 400 && code !== "502" && code !== "504"
          assert.strictEqual(response.content?.["application/problem+json"] !== undefined, problem, `${path} ${code}`)
        }
      }
    }
    assert.strictEqual(ids.size, Object.values<object>(document.paths).flatMap(Object.keys).length)
    const turn = document.paths["/sessions/{id}/turn"].post
    assert.deepStrictEqual(Object.keys(turn.responses["200"].content), ["application/json"])
    const stream = document.paths["/sessions/{id}/turn/stream"].post
    assert.deepStrictEqual(Object.keys(stream.responses["200"].content), ["text/event-stream"])
    assert.deepStrictEqual(stream.requestBody, turn.requestBody)
    assert.sameMembers(
      Object.keys(turn.responses),
      "200 202 400 401 403 404 409 410 413 415 422 500 502 503 504".split(" ")
    )
    assert.property(turn.responses["503"].headers, "retry-after")
    assert.sameMembers(document.components.schemas.CreateSession.required ?? [], [])
    assert.property(document.components.schemas.CreateSession.properties, "system_prompt")
  }).pipe(Effect.scoped)
)

it.live("the OpenAPI document says what generators of clients make types from", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const { json: document } = yield* call("/openapi.json", { token: null })
    const { schemas } = document.components
    assert.deepInclude(schemas.CreatedSession.properties.meta, { type: "object", additionalProperties: true })
    assert.deepInclude(schemas.CreateSession.properties.env.additionalProperties, { type: "string" })
    assert.notProperty(schemas.CreatedSession, "additionalProperties")
    const [limit] = document.paths["/sessions"].get.parameters
    assert.deepInclude(limit, { name: "limit", in: "query", required: false })
    assert.strictEqual(limit.schema.type, "integer")
    // One component for what is one thing; none that takes whatever its neighbours do not; nothing of Effect's own.
    assert.notMatch(Object.keys(schemas).join(" "), /_\d+\b|\bOther[A-Z]/)
    assert.notMatch(JSON.stringify(document), /x-effect|9007199254740991/)
    assert.deepStrictEqual(
      document.paths["/sessions/{id}/turns/{n}"].get.parameters.map(
        (one: { schema: { type: string } }) => one.schema.type
      ),
      ["string", "integer"]
    )
    const members = (name: string) => schemas[name].anyOf.map(({ $ref }: { $ref: string }) => $ref.split("/").at(-1))
    assert.deepStrictEqual(members("SessionStreamData"), ["EventMessage", "StreamProblem"])
    assert.deepStrictEqual(members("TurnStreamData"), ["EventMessage", "TurnResult", "StreamProblem"])
  }).pipe(Effect.scoped)
)

it.live("the documentation page loads nothing from anywhere", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const page = yield* call("/docs", { token: null })
    assert.strictEqual(page.status, 200, page.text.slice(0, 200))
    assert.match(page.headers.get("content-type")!, /^text\/html/)
    assert.match(page.headers.get("content-security-policy")!, /^default-src 'none'; script-src 'unsafe-inline'/)
    assert.isBelow(page.text.length, 400_000)
    const beforeScript = page.text.slice(0, page.text.indexOf("<script"))
    assert.notMatch(beforeScript, /(src|href)=|url\(/)
    // Its own policy lets this one script in.
    assert.match(beforeScript, /script-src 'sha256-[\w+/=]+'; .*connect-src 'self'/)
  }).pipe(Effect.scoped)
)

it.live("the typed client has camelCase keys, and problems as typed failures", () =>
  Effect.gen(function* () {
    const { base } = yield* open()
    const client = yield* Client.make({ baseUrl: base, token: appToken })
    const created = yield* client.sessions.create({
      headers: {},
      payload: { agent: "demo", systemPrompt: "Be brief.", meta: { a: 1 } }
    })
    assert.deepStrictEqual(created, {
      ok: true,
      sessionId: "ses_0123456789abcdef",
      agent: "demo",
      state: "idle",
      createdAt: 1_700_000_000_123,
      meta: { a: 1 }
    })
    const page = yield* client.sessions.list({ query: { limit: 1, state: "open" } })
    assert.strictEqual(page.sessions[0]?.lastTurnAt, 1_700_000_001_000)
    assert.strictEqual(page.nextCursor, "next")

    const params = { id: "ses_ok" }
    const submit = (id: string, prompt: string) =>
      client.turns.submit({ params: { id }, headers: {}, payload: { prompt, timeoutS: 5 } })
    const turn = yield* submit("ses_ok", "complete")
    assert.containSubset(turn, { ok: true, turnIndex: 1, stopReason: "end_turn", finalText: "Hello" })
    // A turn that failed is a result, not an exception.
    assert.containSubset(yield* submit("ses_ok", "crash"), { ok: false, partial: true })

    const gone = yield* Effect.flip(submit("ses_closed", "x"))
    assert.instanceOf(gone, Client.Problem.Gone)
    assert.strictEqual(gone.error, "session_closed")
    const busy = yield* Effect.flip(submit("ses_parked", "x"))
    assert.instanceOf(busy, Client.Problem.Busy)
    assert.strictEqual(busy.retryAfter, 42)
    const stranger = yield* Client.make({ baseUrl: base, token: "nobody" })
    assert.instanceOf(yield* Effect.flip(stranger.sessions.get({ params })), Client.Problem.Unauthorized)

    const events = yield* (yield* client.sessions.events({ params, query: {}, headers: {} })).pipe(Stream.runCollect)
    assert.deepStrictEqual(
      events.map(({ event, id }) => [event, id]),
      [
        ["state", "1"],
        ["message", "2"],
        ["message", "3"],
        ["message", "4"]
      ]
    )
    const admin = yield* Client.make({ baseUrl: base, token: adminToken })
    assert.deepStrictEqual(yield* admin.admin.sweep(), { ok: true, softClosed: 1, hardDeleted: 2 })
    const form = new FormData()
    form.append("file", new Blob(["hello"]), "hello.txt")
    assert.containSubset(yield* client.files.upload({ payload: form }), { fileId: "file_the-app", size: 5 })
  }).pipe(Effect.provide(FetchHttpClient.layer), Effect.scoped)
)

it.live("the typed client streams a turn, which ends with its result or a problem", () =>
  Effect.gen(function* () {
    const { base, script } = yield* open()
    const options = { baseUrl: base, token: appToken }
    yield* Deferred.succeed(script.release, undefined)
    const collect = (id: string, prompt: string) => Stream.runCollect(Client.streamTurn(options, id, { prompt }))
    const events = yield* collect("ses_ok", "complete")
    assert.deepStrictEqual(
      events.map(({ event }) => event),
      ["state", "message", "message", "message", "result"]
    )
    const last = events.at(-1)!
    assert.containSubset(last.data, { ok: true, finalText: "Hello", usage: { inputTokens: 1 } })
    assert.containSubset((yield* collect("ses_ok", "no slot")).at(-1), { event: "error", data: { error: "pool_full" } })
    const refused = yield* Effect.exit(collect("ses_closed", "x"))
    assert.isTrue(Exit.isFailure(refused) && Cause.squash(refused.cause) instanceof Client.Problem.Gone)

    const client = yield* Client.make(options)
    const stream = yield* client.turns.stream({
      params: { id: "ses_ok" },
      headers: {},
      payload: { prompt: "complete" }
    })
    assert.deepStrictEqual(yield* Stream.runCollect(stream), events)
  }).pipe(Effect.provide(FetchHttpClient.layer), Effect.scoped)
)
