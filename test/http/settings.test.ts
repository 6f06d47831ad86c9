/** `PATCH /sessions/{id}` over a real server, with the demo agent: permissions and model change for the next turns. */
/* oxlint-disable unicorn/no-thenable -- a rule says what is then, as on the wire */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { openHttp } from "../surface/http.ts"
import { callsTo } from "./callsTo.ts"
import type { CallOptions } from "./callsTo.ts"

const open = Effect.gen(function* () {
  const { baseUrl, tokens } = yield* openHttp({})
  const { call } = callsTo(baseUrl)
  const as =
    (token: string) =>
    (path: string, request: CallOptions = {}) =>
      call(path, { token, ...request })
  const [ours, theirs, admin] = [as(tokens.ours), as(tokens.theirs), as(tokens.admin)]
  const created = yield* ours("/sessions", { body: { permissions: "deny", meta: { ticket: 1 } } })
  const session = `/sessions/${created.json.session_id}`
  return {
    ours,
    theirs,
    admin,
    session,
    change: (body: unknown) => ours(session, { method: "PATCH", body }),
    turn: (prompt: string, more: object = {}) =>
      Effect.map(ours(`${session}/turn`, { body: { prompt, ...more } }), ({ json }) => String(json.final_text))
  }
})

it.live("a session shows its settings, and a change of them holds from the next turn on, with the conversation", () =>
  Effect.gen(function* () {
    const { admin, change, ours, session, turn } = yield* open
    const { json: before } = yield* ours(session)
    assert.containSubset(before, {
      permissions: "deny",
      model: null,
      meta: { ticket: 1 },
      process: { configured: null }
    })
    assert.match(before.cwd, /^\//)
    assert.include(yield* turn("ask edit"), "reject-once")

    const changed = yield* change({ permissions: "approve_edits" })
    assert.containSubset(changed, { status: 200, json: { ok: true, permissions: "approve_edits", model: null } })
    assert.include(yield* turn("ask edit"), "allow-once")
    assert.include(yield* turn("recall"), "ask edit")
    // How the agent was configured, in its own words.
    assert.deepStrictEqual((yield* ours(session)).json.process.configured, { mode: "ask" })
    assert.containSubset((yield* ours(session)).json, { permissions: "approve_edits", turn_count: 3 })

    const { json } = yield* admin(`/admin${session}/audit`)
    const line = json.audit.find(({ action }: { readonly action: string }) => action === "settings")
    assert.containSubset(line, { actor: "ours", detail: { permissions: "approve_edits" } })
  }).pipe(Effect.scoped)
)

it.live("a turn that runs goes on with its settings, and the turn in line behind it gets the new ones", () =>
  Effect.gen(function* () {
    const { change, ours, session, turn } = yield* open
    yield* change({ permissions: "ask" })
    const running = yield* Effect.forkChild(turn("ask edit"))
    const pending = yield* Effect.repeat(Effect.delay(ours(`${session}/approvals`), "20 millis"), {
      until: ({ json }) => json.count > 0
    })
    const { pid } = (yield* ours(session)).json.process
    const queued = yield* Effect.forkChild(turn("ask edit", { queue: true }))
    yield* Effect.repeat(Effect.delay(ours(session), "20 millis"), { until: ({ json }) => json.turn_count === 2 })
    assert.strictEqual((yield* change({ permissions: "approve_all" })).status, 200)
    assert.strictEqual((yield* ours(`${session}/approvals`)).json.count, 1)

    const [{ approval_id }] = pending.json.approvals
    yield* ours(`${session}/approvals/${approval_id}`, { body: { decision: "deny" } })
    assert.include(yield* Fiber.join(running), "reject-once")
    assert.include(yield* Fiber.join(queued), "allow-once")
    assert.notStrictEqual((yield* ours(session)).json.process.pid, pid)
  }).pipe(Effect.scoped)
)

it.live("a change that changes nothing, means nothing or comes too late is refused, and nothing is changed", () =>
  Effect.gen(function* () {
    const { change, ours, session, theirs } = yield* open
    for (const body of [
      {},
      { permissions: "approve_everything" },
      { permissions: { default: "deny", rules: [{ match: {}, then: "approve" }] } },
      { permissions: { default: "deny", rules: [{ match: { title_prefix: "git " }, then: "approve" }] } },
      { model: "" }
    ])
      assert.containSubset(yield* change(body), { status: 400, json: { error: "invalid_request" } })
    assert.strictEqual((yield* theirs(session, { method: "PATCH", body: { permissions: "ask" } })).status, 404)
    assert.containSubset((yield* ours(session)).json, { permissions: "deny" })
    yield* ours(session, { method: "DELETE" })
    assert.containSubset(yield* change({ permissions: "ask" }), { status: 410, json: { error: "session_closed" } })
  }).pipe(Effect.scoped)
)

it.live("another agent is chosen until the first turn, gets that turn, and brings settings of its own", () =>
  Effect.gen(function* () {
    const broken = { protocol: "acp", command: ["/bin/false"] } as const
    const { baseUrl, tokens } = yield* openHttp({ agents: { broken } })
    const { call } = callsTo(baseUrl)
    const ours = (path: string, request: CallOptions = {}) => call(path, { token: tokens.ours, ...request })
    const change = (path: string, body: unknown) => ours(path, { method: "PATCH", body })
    const opened = (body: object) =>
      Effect.map(ours("/sessions", { body }), ({ json }) => `/sessions/${json.session_id}`)

    const session = yield* opened({ agent: "broken", model: "theirs", effort: "high" })
    const chosen = yield* change(session, { agent: "demo", permissions: "ask" })
    const expected = { agent: "demo", model: null, effort: null, permissions: "ask" }
    assert.containSubset(chosen, { status: 200, json: { ok: true, ...expected } })
    assert.containSubset((yield* ours(session)).json, expected)
    const { json: listed } = yield* ours("/sessions")
    assert.strictEqual(listed.sessions[0].agent, "demo")
    assert.include((yield* ours(`${session}/turn`, { body: { prompt: "hello" } })).json.final_text, "hello")

    const late = yield* change(session, { agent: "broken" })
    assert.containSubset(late, { status: 409, json: { error: "agent_fixed" } })
    assert.include(late.json.detail, "Create a session")
    // The agent that it has is no change.
    assert.containSubset(yield* change(session, { agent: "demo", model: "small" }), {
      status: 200,
      json: { agent: "demo", model: "small" }
    })
    const { json } = yield* call(`/admin${session}/audit`, { token: tokens.admin })
    const line = json.audit.find(({ action }: { readonly action: string }) => action === "settings")
    assert.containSubset(line, { actor: "ours", detail: { agent: "demo", model: null, permissions: "ask" } })

    const fresh = yield* opened({ agent: "demo", mode: "plan" })
    assert.containSubset(yield* change(fresh, { agent: "nobody" }), { status: 404, json: { error: "unknown_agent" } })
    yield* call("/admin/apps/ours/bounds", { token: tokens.admin, body: { agents: ["demo"] } })
    assert.containSubset(yield* change(fresh, { agent: "broken" }), { status: 403, json: { error: "not_allowed" } })
    assert.containSubset((yield* ours(fresh)).json, { agent: "demo", mode: "plan" })
  }).pipe(Effect.scoped)
)
