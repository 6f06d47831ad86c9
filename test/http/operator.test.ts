/** The bodies of the operator's endpoints, the probes, agents and metrics. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { adminToken, otherToken } from "./callers.ts"
import { open } from "./harness.ts"

const token = adminToken

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
    const post = (path: string, body?: unknown) =>
      call(path, { token, method: "POST", ...(body === undefined ? {} : { body }) })
    assert.deepStrictEqual((yield* post("/admin/sweep")).json, { ok: true, soft_closed: 1, hard_deleted: 2 })
    assert.deepStrictEqual((yield* post("/admin/sessions/ses_1/close")).json, { ok: true })
    assert.deepStrictEqual((yield* post("/admin/sessions/ses_parked/unpark")).json, { ok: true, unparked: true })
    assert.deepStrictEqual((yield* post("/admin/sessions/ses_1/move", { node: "other" })).json, {
      ok: true,
      node: "other",
      moved: true
    })
    assert.deepStrictEqual((yield* post("/admin/sessions/ses_1/move", {})).json, { ok: true, node: "any", moved: true })
    assert.strictEqual((yield* post("/admin/sessions/ses_1/move", { node: "none" })).status, 400)
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
          capabilities: {
            resume: true,
            steer: false,
            compact: false,
            images: false,
            mcp: [],
            model: false,
            mode: false,
            effort: false,
            output_schema: false,
            questions: false,
            fork: false,
            threads: false,
            additional_directories: false
          },
          hint: null,
          circuit: { until: 1_700_000_030.5, reason: "codex: not found" }
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
      /^troupe_spares 1$/m,
      /^troupe_processes_limit 8$/m,
      /^troupe_pool_waiting 1$/m,
      /^troupe_timers 5$/m,
      /^troupe_agent_circuit_open\{agent="codex"\} 1$/m,
      /^troupe_agent_circuit_open\{agent="demo"\} 0$/m,
      /^troupe_orphans_swept_total 0$/m,
      /^troupe_session_limits_exceeded_total\{limit="descendants"\} 0$/m,
      /^troupe_http_requests_total\{route="\/sessions\/:id",method="GET",status="200"\} 1$/m,
      /^troupe_http_requests_total\{route="\/sessions\/:id",method="GET",status="404"\} 1$/m,
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
