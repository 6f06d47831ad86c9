/** The name of a revoked app, taken again: its sessions are nobody's but the operator's, unless the new app adopts them. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { readEvents } from "../http/readEvents.ts"
import { adminToken, open } from "./harness.ts"

it.live("a new app of a revoked name sees nothing of the old one's sessions, also of one that is awake", () =>
  Effect.gen(function* () {
    const { ask, call, create, mint, turn } = yield* open()
    const old = yield* mint("desk")
    const id = yield* create(old)
    assert.isTrue((yield* turn(old, id, "hello")).completed)
    const remint = (body: object) => call("/admin/apps", { token: adminToken, body })
    const revoke = call("/admin/apps/desk", { token: adminToken, method: "DELETE" })
    yield* revoke

    const minted = yield* remint({ name: "desk" })
    assert.deepStrictEqual([minted.status, minted.json.name], [200, "desk"])
    const token: string = minted.json.token
    assert.strictEqual((yield* call("/sessions", { token })).json.count, 0)
    for (const path of ["", "/turns", "/messages", "/events", "/approvals"]) {
      assert.strictEqual((yield* call(`/sessions/${id}${path}`, { token })).status, 404, path)
    }
    const steps = readEvents(yield* ask("/inspect/api/steps", { token }))
    while ((yield* steps.next)?.event !== "live");
    const own = yield* create(token)
    yield* call(`/admin/sessions/${id}/close`, { token: adminToken, body: {} })
    yield* turn(token, own, "hello")
    yield* call(`/sessions/${own}`, { token, method: "DELETE" })
    let seen = ""
    while (!seen.includes('"to":"closed"')) seen += (yield* steps.next)?.data ?? ""
    assert.notInclude(seen, id)
    yield* steps.leave

    // oxlint-disable-next-line typescript/no-explicit-any -- a body of any shape
    const ownerOf = Effect.map(call("/admin/sessions", { token: adminToken }), ({ json }: any) =>
      // oxlint-disable-next-line typescript/no-explicit-any -- a body of any shape
      json.sessions.map(({ app, session_id }: any) => [session_id, app])
    )
    assert.deepStrictEqual(yield* ownerOf, [
      [own, "desk"],
      [id, "desk~1"]
    ])

    yield* revoke
    const adopting = yield* remint({ name: "desk", adopt: true })
    assert.strictEqual((yield* call("/sessions", { token: adopting.json.token })).json.count, 1)
    assert.strictEqual((yield* call(`/sessions/${own}`, { token: adopting.json.token })).status, 200)
  }).pipe(Effect.scoped)
)
