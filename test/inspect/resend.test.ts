/** What a person does to a session's turns from the dashboard: sends one again that failed, adds words, compacts. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { adminToken, open } from "./harness.ts"
import { api, at, detailOf, until } from "./sessionApi.ts"

describe("actions on turns from the dashboard", () => {
  it.live("a turn that failed is sent again once, with its prompt and settings, and one that did well is not", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token)
      yield* troupe.turn(token, id, "well")
      yield* troupe.call(`/sessions/${id}/turn`, {
        token,
        body: { prompt: "fail model\nonce more", model: "demo-small" }
      })
      const resend = (turn: number, as = token) =>
        troupe.call(api(id, "/resend"), { token: as, method: "POST", body: { turn_index: turn } })
      const refused = yield* resend(1)
      assert.strictEqual(refused.status, 400)
      assert.include(refused.json.detail, "Turn 1 is completed")
      assert.strictEqual((yield* resend(9)).status, 404)
      assert.strictEqual((yield* resend(2, yield* troupe.mint("theirs"))).status, 404)

      const first = yield* resend(2, adminToken)
      assert.strictEqual(first.json.note, "Turn 2 is sent again, as turn 3.")
      const second = yield* resend(2)
      assert.strictEqual(second.json.note, "Turn 2 was sent again before, as turn 3.")
      const detail = yield* until(troupe, token, id, ({ turns }) => turns[2]?.ended_at != null)
      assert.containSubset(detail.turns, [
        { index: 2, status: "failed", repeated_as: 3 },
        { index: 3, status: "failed", prompt: "fail model\nonce more", repeated_as: null }
      ])
      assert.strictEqual(detail.turns.length, 3)
      const { json: turns } = yield* troupe.call(`/sessions/${id}/turns`, { token })
      assert.deepStrictEqual(turns.turns[2].settings, turns.turns[1].settings)
      const { json: audit } = yield* troupe.call(`/admin/sessions/${id}/audit`, { token: adminToken })
      assert.containSubset(audit.audit, [{ action: "turn_start", actor: "admin", detail: { turn: 3 } }])
    }).pipe(Effect.scoped)
  )

  it.live("words reach the turn that runs, and where none runs, or the agent can't, it is said what to do", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token)
      const post = (path: string, body?: object) =>
        troupe.call(api(id, path), { token, method: "POST", body: body ?? {} })
      assert.strictEqual((yield* post("/steer", { text: "too early" })).json.error, "no_turn")
      yield* troupe.call(`/sessions/${id}/turn`, { token, body: { prompt: "slow 100000 20", wait: false } })
      yield* until(troupe, token, id, at("turning.running"))
      const { can } = (yield* detailOf(troupe, token, id)).session
      const steered = yield* post("/steer", { text: "and mind the tests" })
      assert.strictEqual(steered.status, can.steer ? 200 : 422, JSON.stringify(steered.json))
      yield* post("/interrupt")
      const compacted = yield* post("/compact")
      assert.strictEqual(compacted.status, can.compact ? 200 : 422, JSON.stringify(compacted.json))
    }).pipe(Effect.scoped)
  )
})
