/** The nodes where there are none: one Troupe on one machine. `test/cluster/states.test.ts` has several. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { adminToken, open } from "./harness.ts"

it.live("one Troupe says that it is alone, to its admin only", () =>
  Effect.gen(function* () {
    const troupe = yield* open()
    const { json } = yield* troupe.call("/inspect/api/nodes", { token: adminToken })
    assert.deepStrictEqual(json, { ok: true, lease_seconds: null, nodes: [] })
    const { json: me } = yield* troupe.call("/inspect/api/me", { token: adminToken })
    assert.isNull(me.node)
    const { json: refused, status } = yield* troupe.call("/inspect/api/nodes", { token: yield* troupe.mint("ours") })
    assert.deepStrictEqual([status, refused.error], [403, "forbidden"])
  }).pipe(Effect.scoped)
)
