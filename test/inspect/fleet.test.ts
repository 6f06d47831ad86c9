/** The overview of the fleet, of a whole Troupe with real agents: turns, places, agents, usage, and the sessions behind a bar. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Fleet, FleetSessions } from "../../src/inspect/fleetContract.ts"
import { adminToken, open, scratch } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

const fleetOf = (troupe: RunningTroupe, token: string, window = "hour") =>
  Effect.map(troupe.call(`/inspect/api/fleet?window=${window}`, { token }), ({ json }) => json as Fleet)

const turnsIn = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((sum, n) => sum + n, 0)

describe("the overview", () => {
  it.live("has the turns of an hour and a day across a restart, by app, and the places with who waits", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratch
      const { asking, failing, ours, theirs } = yield* Effect.gen(function* () {
        const troupe = yield* open({ dataDir, limits: { maxProcesses: 1, poolWaitMillis: 600_000 } })
        const ours = yield* troupe.mint("ours")
        const theirs = yield* troupe.mint("theirs")
        yield* troupe.turn(ours, yield* troupe.create(ours), "hello")
        const failing = yield* troupe.create(ours)
        yield* troupe.turn(ours, failing, "fail model")
        yield* troupe.turn(theirs, yield* troupe.create(theirs), "hello")

        const asking = yield* troupe.create(ours, { permissions: "ask" })
        yield* troupe.call(`/sessions/${asking}/turn`, { token: ours, body: { prompt: "ask-tool ls", wait: false } })
        while ((yield* troupe.call(`/sessions/${asking}/approvals`, { token: ours })).json.count === 0) {
          yield* Effect.sleep("20 millis")
        }
        const waiting = yield* troupe.create(theirs)
        yield* troupe.call(`/sessions/${waiting}/turn`, { token: theirs, body: { prompt: "hello", wait: false } })
        const { pool } = yield* fleetOf(troupe, adminToken)
        assert.deepInclude(pool, { node: null, size: 1 })
        assert.deepStrictEqual(
          [...pool.held, ...pool.waiting].map((place) => [place.session_id, place.app, place.substate]),
          [
            [asking, "ours", "turning.asking"],
            [waiting, "theirs", "turning.queued"]
          ]
        )
        assert.isAtMost(pool.held[0]?.since ?? 0, pool.waiting[0]?.since ?? 0)
        // Another app's are places without a name.
        assert.deepInclude((yield* fleetOf(troupe, theirs)).pool.held[0], { session_id: null, app: null, agent: null })
        yield* troupe.call(`/sessions/${asking}`, { token: ours, method: "DELETE" })
        return { asking, failing, ours, theirs }
      }).pipe(Effect.scoped)

      // What was counted was stored when it stopped.
      const troupe = yield* open({ dataDir })
      for (const window of ["hour", "day"]) {
        const { agents, all, bars, days, from, step_seconds: step, to } = yield* fleetOf(troupe, ours, window)
        assert.deepStrictEqual(all.outcomes, { completed: 1, failed: 1, interrupted: 1 })
        assert.deepStrictEqual(all.failures, { model: 1 })
        assert.isAbove(all.duration.p95 ?? 0, 0)
        assert.isAbove(all.wait.p95 ?? 0, 0)
        assert.isAbove(all.start.p50 ?? 0, 0)
        assert.strictEqual(bars.length * step, to - from)
        assert.strictEqual(
          bars.reduce((sum, { outcomes }) => sum + turnsIn(outcomes), 0),
          3
        )
        assert.deepStrictEqual(
          agents.map(({ agent }) => agent),
          ["demo"]
        )
        assert.match(agents[0]?.version ?? "", /^\d+\./)
        assert.containSubset(days, [{ app: "ours", turns: 3 }])
      }
      assert.isTrue(turnsIn((yield* fleetOf(troupe, adminToken)).all.outcomes) >= 4)
      assert.isTrue((yield* fleetOf(troupe, theirs)).days.every(({ app }) => app === "theirs"))

      const { from, to } = yield* fleetOf(troupe, ours)
      const behind = (token: string, failed: 0 | 1) =>
        Effect.map(
          troupe.call(`/inspect/api/fleet/sessions?from=${from}&to=${to}&failed=${failed}`, { token }),
          ({ json }) => (json as FleetSessions).sessions
        )
      const failed = yield* behind(ours, 1)
      assert.deepStrictEqual(
        failed.map(({ session_id }) => session_id),
        [failing]
      )
      assert.match(failed[0]?.what ?? "", /^Turn 1 model: /)
      assert.include(
        (yield* behind(ours, 0)).map(({ session_id }) => session_id),
        asking
      )
      assert.deepStrictEqual(yield* behind(theirs, 1), [])
    }).pipe(Effect.scoped)
  )
})
