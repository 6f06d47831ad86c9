/** The exact bodies of the operator's endpoints, the probes, uploads, agents and metrics. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { adminToken, appToken, otherToken } from "./callers.ts"
import { open } from "./harness.ts"

const token = adminToken

it.live("a session's bodies are exactly the contract's", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const meta = { ticket: "T-1", nested: { camelCase: [1, null] } }
    assert.deepStrictEqual((yield* call("/sessions/ses_1")).json, {
      ok: true,
      session_id: "ses_1",
      agent: "demo",
      state: "idle",
      turn_count: 3,
      created_at: 1_700_000_000.123,
      last_turn_at: 1_700_000_001,
      closed_at: null,
      cwd: "/srv/work",
      model: null,
      permissions: "deny",
      meta,
      process: { state: "up", pid: 4242, restarts: 1, configured: { mode: "default" } },
      parked: null,
      usage: { input_tokens: 7, cached_input_tokens: 0, output_tokens: 0, reasoning_tokens: 0, total_tokens: 7 },
      cost: { amount: 0.25, currency: "USD" }
    })
    const created = yield* call("/sessions", { body: { meta } })
    assert.deepStrictEqual(created.json, {
      ok: true,
      session_id: "ses_0123456789abcdef",
      agent: "demo",
      state: "idle",
      created_at: 1_700_000_000.123,
      meta
    })
    const page = yield* call("/sessions?limit=1&state=open")
    assert.containSubset(page.json, { ok: true, count: 12, next_cursor: "next" })
    assert.isNull((yield* call("/sessions")).json.next_cursor)
    assert.deepStrictEqual((yield* call("/sessions/ses_1", { method: "DELETE" })).json, { ok: true })
    assert.deepStrictEqual((yield* call("/sessions/ses_closed", { method: "DELETE" })).json, {
      ok: true,
      already_closed: true
    })
    assert.deepStrictEqual((yield* call("/sessions/ses_ok/interrupt", { method: "POST" })).json, {
      ok: true,
      interrupted: true
    })
    assert.isFalse((yield* call("/sessions/ses_1/interrupt", { method: "POST" })).json.interrupted)
  }).pipe(Effect.scoped)
)

it.live("a one-shot's body has exactly the contract's keys", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const run = (prompt: string) => call("/run", { body: { prompt } })
    const done = yield* run("json")
    assert.strictEqual(done.status, 200)
    assert.deepStrictEqual(done.json, {
      ok: true,
      result: { answer: [42, null] },
      duration_ms: 12,
      stop_reason: "end_turn"
    })
    assert.strictEqual((yield* run("hello")).json.result, "echo: hello")
    const failed = yield* run("fail")
    assert.strictEqual(failed.status, 502)
    assert.deepStrictEqual(failed.json, {
      ok: false,
      error: "It said no.",
      stderr: "no",
      duration_ms: 3,
      stop_reason: "error"
    })
    const late = yield* run("late")
    assert.strictEqual(late.status, 502)
    assert.strictEqual(late.json.stop_reason, "timeout")
  }).pipe(Effect.scoped)
)

it.live("POST /files stores one file as it streams in, and refuses what is no file or too large", () =>
  Effect.gen(function* () {
    const { base, call, script } = yield* open()
    const form = (...files: ReadonlyArray<readonly [string, string, number]>) => {
      const data = new FormData()
      for (const [part, name, bytes] of files) data.append(part, new Blob(["x".repeat(bytes)]), name)
      return data
    }
    const stored = yield* call("/files", { body: form(["file", "notes.txt", 200_000]) })
    assert.strictEqual(stored.status, 200, stored.text)
    assert.deepStrictEqual(stored.json, { ok: true, file_id: "file_the-app", name: "notes.txt", size: 200_000 })
    assert.deepStrictEqual(script.stored, [{ name: "notes.txt", bytes: 200_000 }])

    const without = yield* call("/files", { body: form() })
    assert.strictEqual(without.status, 400)
    assert.match(without.json.detail, /^file is missing/)
    const two = yield* call("/files", { body: form(["a", "a", 1], ["b", "b", 1]) })
    assert.strictEqual(two.status, 400)
    assert.match(two.json.detail, /^file must be one file/)
    const noted = form(["file", "a", 1])
    noted.append("note", "a field that nobody reads")
    const unknown = yield* call("/files", { body: noted })
    assert.deepStrictEqual([unknown.status, unknown.json.detail], [400, "note is not a known field (known: file)."])
    const cut = yield* call("/files", {
      body: "--x\r\nnope",
      headers: { "content-type": "multipart/form-data; boundary=y" }
    })
    assert.strictEqual(cut.status, 400, cut.text)
    const unbounded = yield* call("/files", { body: "x", headers: { "content-type": "multipart/form-data" } })
    assert.strictEqual(unbounded.status, 400, unbounded.text)

    const announced = yield* Effect.promise(() =>
      fetch(`${base}/files`, {
        method: "POST",
        headers: { authorization: `Bearer ${appToken}` },
        body: form(["file", "large", 33 * 1024 * 1024])
      }).then(
        (response) => response.json() as Promise<{ readonly error: string }>,
        // The server may close the connection before the client has sent everything.
        () => ({ error: "file_too_large" })
      )
    )
    assert.strictEqual(announced.error, "file_too_large")
    assert.lengthOf(script.stored, 3)
  }).pipe(Effect.scoped)
)

it.live("the operator mints, lists and revokes apps, and sees a token once", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    assert.deepStrictEqual((yield* call("/admin/apps", { token, body: { name: "fresh" } })).json, {
      ok: true,
      name: "fresh",
      token: "trp_new"
    })
    const list = yield* call("/admin/apps", { token })
    assert.deepStrictEqual(list.json, {
      ok: true,
      count: 1,
      apps: [{ name: "the-app", created_at: 1_700_000_000.123, revoked_at: null, open_sessions: 2, bounds: null }]
    })
    assert.notInclude(list.text, "trp_")
    assert.deepStrictEqual((yield* call("/admin/apps/the-app", { token, method: "DELETE" })).json, { ok: true })
  }).pipe(Effect.scoped)
)

it.live("the operator sees all sessions, the audit trail of one, and the result of a sweep", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    const sessions = yield* call("/admin/sessions", { token })
    assert.containSubset(sessions.json.sessions[0], { app: "the-app", session_id: "ses_1" })
    assert.deepStrictEqual((yield* call("/admin/sessions/ses_1/audit", { token })).json, {
      ok: true,
      count: 1,
      audit: [
        {
          at: 1_700_000_000.123,
          session_id: "ses_1",
          app: "the-app",
          action: "create",
          actor: "the-app",
          detail: { agent: "demo" }
        }
      ]
    })
    const post = (path: string) => call(path, { token, method: "POST" })
    assert.deepStrictEqual((yield* post("/admin/sweep")).json, { ok: true, soft_closed: 1, hard_deleted: 2 })
    assert.deepStrictEqual((yield* post("/admin/sessions/ses_1/close")).json, { ok: true })
    assert.deepStrictEqual((yield* post("/admin/sessions/ses_parked/unpark")).json, { ok: true, unparked: true })
    assert.strictEqual((yield* post("/admin/sessions/ses_none/close")).status, 404)
  }).pipe(Effect.scoped)
)

it.live("the probes answer without a token", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    assert.deepStrictEqual((yield* call("/healthz", { token: null })).json, { ok: true })
    const ready = yield* call("/readyz", { token: null })
    assert.strictEqual(ready.status, 503)
    assert.deepStrictEqual(ready.json.reasons, ["draining: no new work is taken"])
    assert.strictEqual(ready.headers.get("retry-after"), "5")
  }).pipe(Effect.scoped)
)

it.live("GET /agents lists the agents, and GET /usage adds up tokens and turns", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    assert.deepStrictEqual((yield* call("/agents")).json, {
      ok: true,
      agents: [
        {
          name: "demo",
          protocol: "acp",
          available: true,
          version: "1.0.0",
          capabilities: { resume: true, steer: false, compact: false, images: false },
          hint: null
        }
      ]
    })
    const usage = yield* call("/usage?from=1700000000&to=2023-11-15", { token: otherToken })
    assert.containSubset(usage.json, { ok: true, turns: 2, usage: { input_tokens: 5 } })
    assert.deepStrictEqual(usage.json.costs, [{ amount: 0.1, currency: "USD" }])
    assert.containSubset(usage.json.days[0], { day: "1700000000000..1700006400000", app: "another-app", agent: "demo" })
    assert.strictEqual((yield* call("/admin/usage", { token })).json.days[0].app, "everyone")
  }).pipe(Effect.scoped)
)

it.live("GET /metrics counts requests by route and never by session", () =>
  Effect.gen(function* () {
    const { call } = yield* open()
    yield* call("/sessions/ses_metered")
    yield* call("/sessions/ses_none")
    const metrics = yield* call("/metrics", { token })
    assert.strictEqual(metrics.status, 200)
    assert.strictEqual(metrics.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8")
    for (const line of [
      /^troupe_sessions\{state="turning"\} 2$/m,
      /^troupe_processes 3$/m,
      /^troupe_processes_limit 8$/m,
      /^troupe_pool_waiting 1$/m,
      /^troupe_orphans_swept_total 0$/m,
      /^troupe_http_requests_total\{route="\/sessions\/:id",method="GET",status="200"\} \d+$/m,
      /^troupe_http_requests_total\{route="\/sessions\/:id",method="GET",status="404"\} \d+$/m,
      /^troupe_http_request_duration_seconds_count\{route="\/sessions\/:id"\} \d+$/m
    ]) {
      assert.match(metrics.text, line)
    }
    assert.notMatch(metrics.text, /ses_metered|ses_none/)
    for (const line of metrics.text.trimEnd().split("\n")) {
      assert.match(line, /^(# (HELP|TYPE) |[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? \S+$)/)
    }
  }).pipe(Effect.scoped)
)
