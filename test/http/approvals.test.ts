/** Approvals over HTTP: a real server with a real runtime and the demo agent, which asks where its prompt says so. */
/* oxlint-disable unicorn/no-thenable -- a rule says what is then, as on the wire */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { openHttp } from "../surface/http.ts"
import type { TroupeSettings } from "../surface/Surface.ts"
import { callsTo } from "./callsTo.ts"
import type { Answer, CallOptions } from "./callsTo.ts"

const open = (settings: TroupeSettings = {}) =>
  Effect.gen(function* () {
    const { baseUrl, tokens } = yield* openHttp(settings)
    const { call } = callsTo(baseUrl)
    const as =
      (token: string) =>
      (path: string, request: CallOptions = {}) =>
        call(path, { token, ...request })
    return { ours: as(tokens.ours), theirs: as(tokens.theirs), admin: as(tokens.admin) }
  })

const createSession = (call: (path: string, request?: CallOptions) => Effect.Effect<Answer>, permissions: unknown) =>
  Effect.map(call("/sessions", { body: { permissions } }), ({ json }) => `/sessions/${json.session_id}`)

/** Polls until an approval is pending; a test in which none ever is runs into its timeout. */
const untilPending = (call: (path: string, request?: CallOptions) => Effect.Effect<Answer>, session: string) =>
  Effect.map(
    Effect.repeat(Effect.delay(call(`${session}/approvals`), "20 millis"), { until: ({ json }) => json.count > 0 }),
    ({ json }) => json.approvals
  )

it.live("a pending approval is listed, takes one answer, and the agent goes on with it", () =>
  Effect.gen(function* () {
    const { admin, ours, theirs } = yield* open()
    const session = yield* createSession(ours, "ask")
    const turn = yield* Effect.forkChild(ours(`${session}/turn`, { body: { prompt: "ask edit" } }))
    const [one] = yield* untilPending(ours, session)
    assert.containSubset(one, {
      turn_index: 1,
      kind: "edit",
      title: "Demo tool of kind edit",
      status: "pending",
      decision: null,
      decided_by: null,
      settled_at: null
    })
    assert.strictEqual(Math.round(one.deadline_at - one.created_at), 300)
    assert.strictEqual(one.raw.toolCall.toolCallId, one.tool_call_id)

    const path = `${session}/approvals/${one.approval_id}`
    const answer = (call: typeof ours, at: string, decision: unknown) => call(at, { body: { decision } })
    assert.containSubset(yield* answer(ours, path, "maybe"), { status: 400, json: { error: "invalid_request" } })
    assert.containSubset(yield* answer(theirs, path, "once"), { status: 404, json: { error: "session_not_found" } })
    assert.containSubset(yield* answer(ours, `${session}/approvals/apr_x`, "once"), {
      status: 404,
      json: { ok: false, error: "approval_not_found" }
    })
    const { json, status } = yield* answer(ours, path, "once")
    assert.strictEqual(status, 200)
    assert.containSubset(json, {
      ok: true,
      approval_id: one.approval_id,
      status: "answered",
      decision: "once",
      decided_by: "ours"
    })
    assert.include((yield* Fiber.join(turn)).json.final_text, "allow-once")
    assert.containSubset(yield* answer(ours, path, "deny"), { status: 409, json: { error: "approval_settled" } })
    const { audit } = (yield* admin(`/admin${session}/audit`)).json
    assert.deepStrictEqual(
      audit.flatMap((line: { action: string; actor: string }) => (line.action === "approval" ? [line.actor] : [])),
      ["ours"]
    )
  }).pipe(Effect.scoped)
)

it.live(
  "a streamed turn has an event for each approval, requested and settled, and the turn's own events have none",
  () =>
    Effect.gen(function* () {
      const { ours } = yield* open()
      const session = yield* createSession(ours, "ask")
      const headers = { accept: "text/event-stream" }
      const turn = yield* Effect.forkChild(ours(`${session}/turn`, { headers, body: { prompt: "ask execute" } }))
      const [one] = yield* untilPending(ours, session)
      yield* ours(`${session}/approvals/${one.approval_id}`, { body: { decision: "deny" } })
      const { text } = yield* Fiber.join(turn)
      assert.include(text, "_troupe/approval_asked")
      assert.include(text, "_troupe/approval_settled")
      const result = JSON.parse(text.split("event: result")[1]!.split("data: ")[1]!.split("\n")[0]!)
      assert.include(result.final_text, "reject-once")
      assert.notInclude(JSON.stringify(result.events), "_troupe/")
    }).pipe(Effect.scoped)
)

it.live("an answer for the session holds as long as the agent's process lives", () =>
  Effect.gen(function* () {
    const { ours } = yield* open()
    const session = yield* createSession(ours, "ask")
    const turn = yield* Effect.forkChild(ours(`${session}/turn`, { body: { prompt: "ask edit" } }))
    const [one] = yield* untilPending(ours, session)
    yield* ours(`${session}/approvals/${one.approval_id}`, { body: { decision: "session" } })
    assert.include((yield* Fiber.join(turn)).json.final_text, "allow-always")
    const again = yield* ours(`${session}/turn`, { body: { prompt: "ask edit" } })
    assert.include(again.json.final_text, "as before")
  }).pipe(Effect.scoped)
)

it.live("a pending approval is withdrawn when its turn is interrupted, and the agent's process stays", () =>
  Effect.gen(function* () {
    const { ours } = yield* open()
    const session = yield* createSession(ours, "ask")
    const turn = yield* Effect.forkChild(ours(`${session}/turn`, { body: { prompt: "ask edit" } }))
    const [one] = yield* untilPending(ours, session)
    const { pid } = (yield* ours(session)).json.process
    assert.isTrue((yield* ours(`${session}/interrupt`, { method: "POST" })).json.interrupted)
    assert.containSubset((yield* Fiber.join(turn)).json, { interrupted: true, stop_reason: "cancelled" })
    assert.strictEqual((yield* ours(`${session}/approvals`)).json.count, 0)
    const late = yield* ours(`${session}/approvals/${one.approval_id}`, { body: { decision: "once" } })
    assert.containSubset(late, { status: 409, json: { error: "approval_settled" } })
    assert.include(late.json.detail, "withdrawn")
    assert.strictEqual((yield* ours(session)).json.process.pid, pid)
  }).pipe(Effect.scoped)
)

it.live("a session's rules decide before anybody is asked, and the deadline where nobody answers", () =>
  Effect.gen(function* () {
    const { ours } = yield* open({ limits: { approvalTimeoutMillis: 50 } })
    const session = yield* createSession(ours, {
      default: "ask",
      rules: [
        { match: { kind: "read" }, then: "approve" },
        { match: { kind: "delete", path: "demo.txt" }, then: "deny" }
      ]
    })
    const finalText = (kind: string) =>
      Effect.map(ours(`${session}/turn`, { body: { prompt: `ask ${kind}` } }), ({ json }) => json.final_text)
    assert.include(yield* finalText("read"), "allow-once")
    assert.include(yield* finalText("delete"), "reject-once")
    assert.include(yield* finalText("edit"), "reject-once")
    const wrong = yield* ours("/sessions", { body: { permissions: { default: "ask", rules: [{ then: "maybe" }] } } })
    assert.containSubset(wrong, { status: 400, json: { error: "invalid_request" } })
  }).pipe(Effect.scoped)
)
