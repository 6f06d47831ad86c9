/** The problems that a client gets for its mistakes and for faults of the server: one shape, and no internals. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { adminToken, otherToken } from "./callers.ts"
import { open } from "./harness.ts"
import { secret } from "./scriptedSessions.ts"
import type { Answer } from "./callsTo.ts"

/** Asserts the shape that every problem has. */
const assertProblem = (answer: Answer, status: number, error: string) => {
  assert.strictEqual(answer.status, status, answer.text)
  assert.strictEqual(answer.headers.get("content-type"), "application/problem+json")
  assert.strictEqual(answer.json.ok, false)
  assert.strictEqual(answer.json.error, error)
  assert.strictEqual(answer.json.status, status)
  assert.strictEqual(answer.json.type, `urn:troupe:error:${error}`)
  assert.isString(answer.json.title)
  assert.isAbove(answer.json.detail.length, 10)
  assert.strictEqual(answer.json.request_id, answer.headers.get("x-request-id"))
}

it.live("the server answers each refusal of a service with the refusal's status and code", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const turn = (id: string) => call(`/sessions/${id}/turn`, { body: { prompt: "hello" } })
    assertProblem(yield* turn("ses_none"), 404, "session_not_found")
    assertProblem(yield* turn("ses_closed"), 410, "session_closed")
    assertProblem(yield* turn("ses_busy"), 409, "turn_in_progress")
    assertProblem(yield* call("/sessions/ses_x/turns/9"), 404, "turn_not_found")
    assertProblem(yield* call("/sessions", { body: { agent: "nobody" } }), 404, "unknown_agent")
    assertProblem(yield* call("/sessions", { body: { agent: "askers", permissions: "ask" } }), 422, "not_supported")
    assertProblem(yield* call("/sessions?cursor=garbage"), 400, "invalid_request")
    assertProblem(yield* call("/run", { body: { prompt: "no file" } }), 404, "file_not_found")
    assertProblem(yield* call("/admin/apps", { token: adminToken, body: { name: "taken" } }), 409, "app_exists")
    assertProblem(yield* call("/admin/apps/nobody", { token: adminToken, method: "DELETE" }), 404, "app_not_found")
  }).pipe(Effect.scoped)
)

it.live("every 503 has a retry-after header", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const turn = (id: string) => call(`/sessions/${id}/turn`, { body: { prompt: "hello" } })
    const expected = [
      [yield* call("/sessions", { body: { agent: "full" } }), "pool_full", "7"],
      [yield* turn("ses_full"), "queue_full", "5"],
      [yield* turn("ses_parked"), "session_parked", "42"],
      [yield* turn("ses_draining"), "draining", "10"],
      [yield* call("/run", { body: { prompt: "full" } }), "pool_full", "5"],
      [yield* call("/sessions/ses_ok/turn", { body: { prompt: "no slot" } }), "pool_full", "5"]
    ] as const
    for (const [answer, error, seconds] of expected) {
      assertProblem(answer, 503, error)
      assert.strictEqual(answer.headers.get("retry-after"), seconds)
    }
  }).pipe(Effect.scoped)
)

it.live("a refusal for a limit names it in its body and in the headers of RateLimit", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const full = yield* call("/sessions", { body: { agent: "full" } })
    assert.deepStrictEqual(full.json.limit, { name: "sessions", quota: 3 })
    assert.strictEqual(full.headers.get("ratelimit-policy"), '"sessions";q=3')
    assert.strictEqual(full.headers.get("ratelimit"), '"sessions";r=0;t=7')
    const queue = yield* call("/sessions/ses_full/turn", { body: { prompt: "hello" } })
    assert.match(queue.headers.get("ratelimit-policy")!, /^"turns_in_line";q=\d+$/)
    const noSlot = yield* call("/sessions/ses_ok/turn", { body: { prompt: "no slot" } })
    assert.match(noSlot.headers.get("ratelimit-policy")!, /^"processes";q=\d+$/)
    // Parked is no limit: it says only when to come again.
    const parked = yield* call("/sessions/ses_parked/turn", { body: { prompt: "hello" } })
    assert.isNull(parked.headers.get("ratelimit"))
    assert.notProperty(parked.json, "limit")
  }).pipe(Effect.scoped)
)

it.live("another app's session and one that never existed get the same answer", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const headers = { "x-request-id": "same" }
    for (const [path, method] of [
      ["", "GET"],
      ["", "DELETE"],
      ["/interrupt", "POST"],
      ["/events", "GET"],
      ["/turns", "GET"],
      ["/turns/1", "GET"]
    ] as const) {
      const foreign = yield* call(`/sessions/ses_ok${path}`, { method, headers, token: otherToken })
      const unknown = yield* call(`/sessions/ses_none${path}`, { method, headers, token: otherToken })
      const absurd = yield* call(`/sessions/${"z".repeat(4_000)}${path}`, { method, headers, token: otherToken })
      assertProblem(foreign, 404, "session_not_found")
      assert.strictEqual(foreign.text, unknown.text)
      assert.strictEqual(foreign.text, absurd.text)
    }
    const body = { prompt: "hello" }
    const foreign = yield* call("/sessions/ses_ok/turn", { body, headers, token: otherToken })
    const unknown = yield* call("/sessions/ses_none/turn", { body, headers, token: otherToken })
    assertProblem(foreign, 404, "session_not_found")
    assert.strictEqual(foreign.text, unknown.text)
  }).pipe(Effect.scoped)
)

it.live("every kind of bad token gets the same 401", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const headers = { "x-request-id": "same" }
    const missing = yield* call("/sessions", { token: null, headers })
    assertProblem(missing, 401, "unauthorized")
    assert.strictEqual(missing.headers.get("www-authenticate"), "Bearer")
    for (const authorization of ["Bearer nonsense", "Bearer", "Bearer ", "Basic dHJwOng=", "nonsense"]) {
      const answer = yield* call("/sessions", { token: null, headers: { ...headers, authorization } })
      assert.strictEqual(answer.text, missing.text)
      assert.strictEqual(answer.headers.get("www-authenticate"), "Bearer")
    }
    assertProblem(yield* call("/metrics", { token: null }), 401, "unauthorized")
  }).pipe(Effect.scoped)
)

it.live("an app's token gets 403 from the admin's endpoints, and the admin token opens every endpoint", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    for (const path of ["/admin/apps", "/admin/sessions", "/admin/sessions/ses_1/audit", "/admin/usage", "/metrics"]) {
      assertProblem(yield* call(path), 403, "forbidden")
      assert.strictEqual((yield* call(path, { token: adminToken })).status, 200, path)
    }
    for (const path of ["/admin/sweep", "/admin/sessions/ses_1/close", "/admin/sessions/ses_1/unpark"]) {
      assertProblem(yield* call(path, { method: "POST" }), 403, "forbidden")
    }
    assert.strictEqual((yield* call("/sessions/ses_1", { token: adminToken })).status, 200)
    assert.strictEqual((yield* call("/sessions", { token: adminToken, body: {} })).status, 200)
  }).pipe(Effect.scoped)
)

it.live("a problem names the field of a body, what is wrong with it and what is accepted", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const detail = (path: string, body: unknown) =>
      Effect.map(call(path, { body }), (answer) => {
        assertProblem(answer, 400, "invalid_request")
        return answer.json.detail as string
      })
    assert.strictEqual(yield* detail("/sessions", { agent: 3 }), "agent must be string, got 3.")
    assert.strictEqual(
      yield* detail("/sessions", { permissions: "all", system_prompt: 1 }),
      'system_prompt must be string, got 1; permissions must be "deny" | "approve_reads" | "ask" | "approve_edits" | "approve_all", got "all".'
    )
    assert.strictEqual(yield* detail("/sessions", "[]"), "The body must be a JSON object.")
    assert.strictEqual(yield* detail("/sessions", "{nope"), "The body must be JSON.")
    assert.strictEqual(yield* detail("/sessions", '"text"'), "The body must be a JSON object.")
    const turn = "/sessions/ses_ok/turn"
    assert.strictEqual(yield* detail(turn, {}), "prompt is missing; it takes a non-empty string, or content blocks.")
    assert.match(yield* detail(turn, { prompt: "" }), /^prompt must be .* length of at least 1/)
    assert.match(yield* detail(turn, { prompt: "x", timeout_s: 0 }), /^timeout_s must be .* greater than 0/)
    assert.match(yield* detail(turn, { prompt: "x", timeout_s: 86_401 }), /^timeout_s must be .* 86400/)
    assert.match(
      yield* detail(turn, { prompt: "x", timeout_s: "1" }),
      /^timeout_s must be finite number|^timeout_s must/
    )
    assert.match(yield* detail(turn, { prompt: "x", files: ["a", 7] }), /^files\[1\] must be string, got 7/)
    assert.match(yield* detail("/run", { prompt: "x", model: "" }), /^model must be/)
    // The answer is short, also where the body was long.
    assert.isBelow((yield* detail(turn, { prompt: { long: "x".repeat(10_000) } })).length, 300)
  }).pipe(Effect.scoped)
)

it.live("the server checks a query and a path as it checks a body", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    for (const query of ["limit=0", "limit=201", "limit=1.5", "limit=x", "state=open2", "cursor="]) {
      const answer = yield* call(`/sessions?${query}`)
      assertProblem(answer, 400, "invalid_request")
      assert.isTrue(answer.json.detail.startsWith(query.split("=")[0]!), answer.json.detail)
    }
    assertProblem(yield* call("/sessions/ses_1/turns/x"), 400, "invalid_request")
    assertProblem(yield* call("/sessions/ses_1/turns/0"), 400, "invalid_request")
    assertProblem(yield* call("/sessions/ses_1/turns?cursor=abc"), 400, "invalid_request")
    assertProblem(yield* call("/sessions/ses_1/events?after=one"), 400, "invalid_request")
    assertProblem(yield* call("/sessions/ses_1/events", { headers: { "last-event-id": "x" } }), 400, "invalid_request")
    assertProblem(yield* call("/usage?from=yesterday"), 400, "invalid_request")
    const long = yield* call("/run", { body: { prompt: "x" }, headers: { "idempotency-key": "k".repeat(256) } })
    assertProblem(long, 400, "invalid_request")
    assert.match(long.json.detail, /^idempotency-key must be/)
  }).pipe(Effect.scoped)
)

it.live("an unknown route is 404, a wrong method 405, a wrong content type 415", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    assertProblem(yield* call("/nothing"), 404, "not_found")
    assertProblem(yield* call("/nothing", { token: null, body: {} }), 404, "not_found")
    assertProblem(yield* call("/sessions/%E0%A4%A"), 404, "not_found")
    const patched = yield* call("/sessions", { method: "PATCH" })
    assertProblem(patched, 405, "method_not_allowed")
    assert.strictEqual(patched.headers.get("allow"), "GET, HEAD, POST")
    const put = yield* call("/sessions/ses_1", { method: "PUT" })
    assertProblem(put, 405, "method_not_allowed")
    assert.strictEqual(put.headers.get("allow"), "GET, HEAD, PATCH, DELETE")
    assertProblem(yield* call("/sessions/ses_1/turn"), 405, "method_not_allowed")
    assertProblem(yield* call("/docs", { body: {} }), 405, "method_not_allowed")
    const form = { body: "prompt=x", headers: { "content-type": "application/x-www-form-urlencoded" } }
    assertProblem(yield* call("/run", form), 415, "unsupported_media_type")
    assertProblem(yield* call("/files", { body: {} }), 415, "unsupported_media_type")
  }).pipe(Effect.scoped)
)

it.live("a body over the limit gets 413, with and without a content-length", () =>
  Effect.gen(function* () {
    const { call } = yield* open({ maxBodyBytes: 1_000 })
    const body = JSON.stringify({ prompt: "x".repeat(2_000) })
    assertProblem(yield* call("/run", { body }), 413, "body_too_large")
    const parts = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(body))
        controller.close()
      }
    })
    const chunked = yield* call("/run", { body: parts })
    assertProblem(chunked, 413, "body_too_large")
    assert.strictEqual((yield* call("/run", { body: { prompt: "x".repeat(500) } })).status, 200)
  }).pipe(Effect.scoped)
)

it.live("a fault's cause is in the log under the request's id, and not in the body", () =>
  Effect.gen(function* () {
    const { call, script } = yield* open()
    for (const [id, error] of [
      ["ses_fault", "unavailable"],
      ["ses_defect", "internal_error"]
    ] as const) {
      const answer = yield* call(`/sessions/${id}`, { headers: { "x-request-id": `find-me-${id}` } })
      assertProblem(answer, 500, error)
      assert.notInclude(answer.text, secret)
      assert.notInclude(answer.text, ".ts")
      const lines = script.log.filter((line) => line.includes(`find-me-${id}`))
      assert.isTrue(
        lines.some((line) => line.includes(secret)),
        script.log.join("\n")
      )
    }
  }).pipe(Effect.scoped)
)
