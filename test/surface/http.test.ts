/** The surface over HTTP, and what only HTTP has: tokens, statuses, the exact bytes. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { claude } from "./harness.ts"
import { openHttp } from "./http.ts"
import { surface } from "./suite.ts"

surface("over HTTP", (settings) => Effect.map(openHttp(settings), ({ surface }) => surface))

const call = (base: string, path: string, token: string | null, body?: unknown) =>
  Effect.promise(async () => {
    const response = await fetch(`${base}${path}`, {
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        "content-type": "application/json",
        "x-request-id": "same"
      },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) })
    })
    return { status: response.status, headers: response.headers, text: await response.text() }
  })

it.live("a token gives access until it is revoked", () =>
  Effect.gen(function* () {
    const { apps, baseUrl, tokens } = yield* openHttp()
    const status = (token: string | null) => Effect.map(call(baseUrl, "/sessions", token), ({ status }) => status)
    assert.strictEqual(yield* status(tokens.ours), 200)
    assert.strictEqual(yield* status(tokens.admin), 200)
    for (const bad of [null, "", "trp_nonsense", `${tokens.ours}x`, tokens.ours.slice(0, -1)]) {
      assert.strictEqual(yield* status(bad), 401)
    }
    yield* apps.revoke("theirs")
    assert.strictEqual(yield* status(tokens.theirs), 401)
    assert.strictEqual((yield* call(baseUrl, "/admin/apps", tokens.ours)).status, 403)
    assert.notInclude((yield* call(baseUrl, "/admin/apps", tokens.admin)).text, "trp_")
  }).pipe(Effect.scoped)
)

it.live("another app's session gets byte for byte the answer of one that never existed", () =>
  Effect.gen(function* () {
    const { baseUrl, surface, tokens } = yield* openHttp()
    const { sessionId } = yield* surface.ours.create({})
    for (const suffix of ["", "/turns", "/turns/1", "/events", "/reviews"]) {
      const foreign = yield* call(baseUrl, `/sessions/${sessionId}${suffix}`, tokens.theirs)
      const never = yield* call(baseUrl, `/sessions/ses_abcdefghijklmnopqrstuvwxyz${suffix}`, tokens.theirs)
      assert.strictEqual(foreign.status, 404)
      assert.strictEqual(foreign.text, never.text)
    }
  }).pipe(Effect.scoped)
)

it.live("the server answers 503 with a retry-after header when all sessions are taken", () =>
  Effect.gen(function* () {
    const { baseUrl, surface, tokens } = yield* openHttp({ limits: { maxSessions: 1 } })
    yield* surface.ours.create({})
    const full = yield* call(baseUrl, "/sessions", tokens.ours, {})
    assert.strictEqual(full.status, 503)
    assert.match(full.headers.get("retry-after")!, /^\d+$/)
    assert.strictEqual(full.headers.get("content-type"), "application/problem+json")
  }).pipe(Effect.scoped)
)

it.live("GET /metrics shows the admin the runtime's numbers in the text format of Prometheus", () =>
  Effect.gen(function* () {
    const { baseUrl, surface, tokens } = yield* openHttp({ limits: { maxProcesses: 3 } })
    yield* surface.ours.create({})
    const { text } = yield* call(baseUrl, "/metrics", tokens.admin)
    assert.match(text, /^troupe_sessions\{state="idle"\} 1$/m)
    assert.match(text, /^troupe_processes_limit 3$/m)
    assert.match(text, /^troupe_http_requests_total\{route="\/sessions",method="POST",status="200"\} \d+$/m)
  }).pipe(Effect.scoped)
)

it.live("a run's body has exactly the contract's keys, done or failed or late", () =>
  Effect.gen(function* () {
    const done = yield* openHttp({ run: claude("say plain text") })
    const answer = yield* call(done.baseUrl, "/run", done.tokens.ours, { prompt: "x" })
    assert.strictEqual(answer.status, 200)
    const body = JSON.parse(answer.text)
    assert.deepStrictEqual(Object.keys(body), ["ok", "result", "duration_ms", "stop_reason"])
    assert.containSubset(body, { ok: true, result: "plain text", stop_reason: "end_turn" })

    const failed = yield* openHttp({ run: claude("stderr no luck\nexit 1") })
    const refused = yield* call(failed.baseUrl, "/run", failed.tokens.ours, { prompt: "x" })
    assert.strictEqual(refused.status, 502)
    assert.deepStrictEqual(Object.keys(JSON.parse(refused.text)), [
      "ok",
      "error",
      "stderr",
      "duration_ms",
      "stop_reason"
    ])

    const slow = yield* openHttp({ run: claude("linger") })
    const late = yield* call(slow.baseUrl, "/run", slow.tokens.ours, { prompt: "x", timeout_s: 0.2 })
    assert.strictEqual(late.status, 502)
    assert.containSubset(JSON.parse(late.text), { ok: false, stop_reason: "timeout" })
  }).pipe(Effect.scoped)
)
