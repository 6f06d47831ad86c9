/** What a person starts through the dashboard's API: a session, its turns, its forks; as an app and as the admin. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { adminToken, open } from "./harness.ts"
import { api, detailOf, until } from "./sessionApi.ts"

const sessions = "/inspect/api/sessions"

describe("the dashboard's API of new sessions", () => {
  it.live("starts a session, sends it a turn, forks it after that turn, and lists its conversation", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      const offer = yield* troupe.call("/inspect/api/agents", { token })
      assert.containSubset(offer.json, { ok: true, default_agent: "demo", apps: ["ours"] })
      const demo = offer.json.agents.find(({ name }: { readonly name: string }) => name === "demo")
      assert.deepStrictEqual(demo.can, { effort: true, mode: true, model: true, threads: true })

      const wanted = { agent: "demo", permissions: "approve_all", model: "demo-large", mode: "plan", effort: "high" }
      const started = yield* troupe.call(sessions, { token, body: wanted })
      assert.strictEqual(started.status, 200, JSON.stringify(started.json))
      const id: string = started.json.session_id
      const sent = yield* troupe.call(api(id, "/turn"), { token, body: { prompt: "the bird is a heron" } })
      assert.deepStrictEqual(sent.json, { ok: true, note: "Turn 1 is accepted." })
      const said = yield* until(troupe, token, id, ({ turns }) => turns[0]?.status === "completed")
      assert.containSubset(said.session, { model: "demo-large", mode: "plan", effort: "high" })
      assert.strictEqual(said.turns[0]?.can_fork, true)

      const forked = yield* troupe.call(api(id, "/fork"), { token, body: { turn_index: 1 } })
      assert.strictEqual(forked.status, 200, JSON.stringify(forked.json))
      const copy: string = forked.json.session_id
      yield* troupe.call(api(copy, "/turn"), { token, body: { prompt: "recall" } })
      yield* until(troupe, token, copy, ({ turns }) => turns[0]?.status === "completed")
      const events = yield* troupe.call(api(copy, "/events"), { token })
      assert.include(JSON.stringify(events.json), "the bird is a heron")
      // An agent of ACP can be forked after its last turn only.
      yield* troupe.call(api(id, "/turn"), { token, body: { prompt: "more" } })
      const more = yield* until(troupe, token, id, ({ turns }) => turns[1]?.status === "completed")
      assert.deepStrictEqual(
        more.turns.map(({ can_fork }) => can_fork),
        [false, true]
      )

      const threads = yield* troupe.call("/inspect/api/agents/demo/threads", { token })
      assert.include(
        threads.json.threads.map((thread: { readonly id: string }) => thread.id),
        more.session.thread_id
      )
      const taken = yield* troupe.call(sessions, { token, body: { ...wanted, thread_id: more.session.thread_id } })
      assert.deepStrictEqual([taken.status, taken.json.error], [409, "thread_taken"])
    }).pipe(Effect.scoped)
  )

  it.live("holds an app's bounds over what the admin starts for it, and names the admin in the audit trail", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      yield* troupe.mint("ours")
      const wanted = { agent: "demo", permissions: "approve_all" }
      const nobodys = yield* troupe.call(sessions, { token: adminToken, body: wanted })
      assert.strictEqual(nobodys.status, 400)
      assert.match(nobodys.json.detail, /app must be the name of an app/)
      const started = yield* troupe.call(sessions, { token: adminToken, body: { ...wanted, app: "ours" } })
      assert.strictEqual(started.status, 200, JSON.stringify(started.json))
      const id: string = started.json.session_id
      assert.strictEqual((yield* detailOf(troupe, adminToken, id)).session.app, "ours")
      const audit = yield* troupe.call(`/admin/sessions/${id}/audit`, { token: adminToken })
      assert.containSubset(audit.json.audit, [{ action: "create", actor: "admin", app: "ours" }])

      yield* Effect.orDie(troupe.apps.limit("ours", { maxPermissions: "ask" }))
      const beyond = yield* troupe.call(sessions, { token: adminToken, body: { ...wanted, app: "ours" } })
      assert.strictEqual(beyond.status, 403, JSON.stringify(beyond.json))
    }).pipe(Effect.scoped)
  )

  it.live("refuses an app's session for another app, a word that is none, and an empty prompt, by the field", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      yield* troupe.mint("theirs")
      const refused = Effect.fnUntraced(function* (body: object, path = sessions) {
        const { json, status } = yield* troupe.call(path, { token, body })
        return `${status}: ${json.detail}`
      })
      const wanted = { agent: "demo", permissions: "ask" }
      assert.match(yield* refused({ ...wanted, app: "theirs" }), /^400: app is for the admin/)
      assert.match(yield* refused({ ...wanted, permissions: "everything" }), /^400: .*permissions/)
      assert.match(yield* refused({ ...wanted, cwd: "relative" }), /^400: cwd must be an absolute path/)
      assert.match(yield* refused({ ...wanted, agent: "nobody" }), /^404: /)
      const { json } = yield* troupe.call(sessions, { token, body: wanted })
      assert.match(yield* refused({ prompt: "" }, api(json.session_id, "/turn")), /^400: .*prompt/)
      assert.match(yield* refused({ turn_index: 0 }, api(json.session_id, "/fork")), /^400: .*turn_index/)
      assert.match(yield* refused({}, api(json.session_id, "/fork")), /^422: .*said nothing yet/)
    }).pipe(Effect.scoped)
  )
})
