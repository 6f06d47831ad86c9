/** Who may read one session through the dashboard's API, who may act on it, and in whose name. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { adminToken, csrf, open } from "./harness.ts"
import { api, at, detailOf, stepsOf, until, wireOf } from "./sessionApi.ts"

describe("the dashboard's API of one session", () => {
  it.live("answers another app as if the session did not exist, for reads and for actions", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const { call, create, mint } = troupe
      const ours = yield* mint("ours")
      const theirs = yield* mint("theirs")
      const id = yield* create(ours)
      const never = yield* call(api("ses_never"), { token: theirs })
      assert.strictEqual(never.status, 404)
      const problemOf = ({ detail, error, ok, title }: Record<string, unknown>) => ({ detail, error, ok, title })
      const reads = ["", "/steps", "/steps/1/wire", "/events", "/stream", "/processes", "/export", "/export?format=svg"]
      const writes = [
        ["/interrupt"],
        ["/close"],
        ["/unpark"],
        ["/approvals/apr_1", { decision: "once" }],
        ["/turn", { prompt: "hello" }],
        ["/fork"]
      ] as const
      for (const rest of reads) {
        const { json, status } = yield* call(api(id, rest), { token: theirs })
        assert.deepStrictEqual([rest, status, problemOf(json)], [rest, 404, problemOf(never.json)])
      }
      for (const [rest, body = {}] of writes) {
        const { json, status } = yield* call(api(id, rest), { token: theirs, body })
        assert.deepStrictEqual([rest, status, problemOf(json)], [rest, 404, problemOf(never.json)])
      }
      const detail = yield* detailOf(troupe, ours, id)
      assert.strictEqual(detail.session.substate, "idle.asleep")
      assert.strictEqual((yield* call(api(id), { token: adminToken })).status, 200)
    }).pipe(Effect.scoped)
  )

  it.live("shows the budget of a parked session, and lets only the admin unpark it", () =>
    Effect.gen(function* () {
      const troupe = yield* open({ limits: { restartIntensity: 0, restartPeriodMillis: 600_000 } })
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token)
      yield* troupe.turn(token, id, "crash 3")
      const detail = yield* until(troupe, token, id, at("idle.parked"))
      assert.strictEqual(detail.budget.left, 0)
      assert.strictEqual(detail.budget.deaths.length, 1)
      assert.match(detail.budget.parked?.reason ?? "", /exit code 3/)
      assert.isAbove(detail.budget.parked?.until ?? 0, detail.why.wait.since)
      assert.match(
        detail.why.sentence,
        /^Waits for the end of its pause, or an operator to unpark it.* Why: .*exit code 3/
      )
      assert.containSubset(detail.why.wait, { who: "operator", next: { timer: "parkFor", to: "idle.asleep" } })
      assert.include(detail.why.awaited, "unpark.requested")

      // Meanwhile a turn is refused, and the refused event is shown.
      assert.strictEqual((yield* troupe.turn(token, id, "hello")).error, "session_parked")
      assert.containSubset((yield* detailOf(troupe, token, id)).refused, [
        { event: "turn.submitted", state: "idle.parked" }
      ])

      const refused = yield* troupe.call(api(id, "/unpark"), { token, body: {} })
      assert.strictEqual(refused.status, 403)
      assert.containSubset(refused.json, { error: "forbidden" })
      const unparked = yield* troupe.call(api(id, "/unpark"), { token: adminToken, body: {} })
      assert.match(unparked.json.note, /^The session is unparked/)
      const again = yield* troupe.call(api(id, "/unpark"), { token: adminToken, body: {} })
      assert.deepStrictEqual(again.json, { ok: true, note: "It was not parked." })
      assert.containSubset(yield* detailOf(troupe, token, id), {
        session: { substate: "idle.asleep" },
        budget: { parked: null, deaths: [], left: 0 }
      })
      const { json } = yield* troupe.call(`/admin/sessions/${id}/audit`, { token: adminToken })
      assert.containSubset(
        json.audit.filter(({ action }: { readonly action: string }) => action === "unpark"),
        [{ actor: "admin" }]
      )
    }).pipe(Effect.scoped)
  )

  it.live("answers an approval in the name of the logged-in caller", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token, { permissions: "ask" })
      yield* Effect.forkScoped(troupe.turn(token, id, "ask-tool echo done"))
      const asking = yield* until(troupe, token, id, at("turning.asking"))
      assert.match(
        asking.why.sentence,
        /^Waits for an answer to: .*echo done.* \(asked \d+ s ago\)\. Unanswered in .* it is declined\.$/
      )
      const [approval] = asking.approvals
      assert.containSubset(approval, { session_id: id, app: "ours", agent: "demo", turn: 1, status: "pending" })
      const asked = (yield* stepsOf(troupe, token, id)).find(({ event }) => event.type === "approval.asked")
      assert.include((yield* wireOf(troupe, token, id, asked!)).line, "session/request_permission")

      const path = api(id, `/approvals/${approval?.approval_id ?? ""}`)
      const cookie = (yield* troupe.call("/inspect/api/login", { body: { token: adminToken } })).headers
        .getSetCookie()[0]!
        .split(";")[0]!
      const foreign = yield* troupe.call(path, { headers: { cookie }, body: { decision: "once" } })
      assert.strictEqual(foreign.status, 403)
      const wrong = yield* troupe.call(path, { headers: { cookie, ...csrf }, body: { decision: "perhaps" } })
      assert.strictEqual(wrong.status, 400)
      const answered = yield* troupe.call(path, { headers: { cookie, ...csrf }, body: { decision: "once" } })
      assert.deepStrictEqual(answered.json, { ok: true, note: "Approved, this once." })
      const late = yield* troupe.call(path, { headers: { cookie, ...csrf }, body: { decision: "deny" } })
      assert.containSubset(late, { status: 409, json: { error: "approval_settled" } })
      const detail = yield* until(troupe, token, id, at("idle.awake"))
      assert.containSubset(detail.approvals, [{ status: "answered", decision: "once", decided_by: "admin" }])
    }).pipe(Effect.scoped)
  )
})
