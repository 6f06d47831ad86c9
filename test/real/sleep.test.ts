/** Real agents that are put to sleep, for idleness or to make room, and wake with their memory. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { agents, claude, codex } from "./harness/agents.ts"
import { open, recalled } from "./harness/open.ts"

describe.each(agents)("$name", ({ name: agent }) => {
  it.live("sleeps without a process when it has been idle, and wakes with its memory", () =>
    Effect.gen(function* () {
      const { installation, session, troupe } = yield* open({ agent }, { TROUPE_HIBERNATE_AFTER: "500 millis" })
      yield* session.turn("the bird is a heron")
      const { process } = yield* session.becomes(
        "sleep",
        ({ process, state }) => state === "idle" && process.pid === null
      )
      assert.deepStrictEqual(process, { state: "none", pid: null, restarts: 0, configured: null })
      assert.deepStrictEqual(
        installation.running().map(({ pid }) => pid),
        [troupe.pid]
      )
      const { body, status } = yield* session.turn("RECALL")
      assert.strictEqual(status, 200)
      assert.include(recalled(body), "the bird is a heron")
      assert.strictEqual(body.context_lost, false)
      const actions = (yield* troupe.audit(session.id)).map(({ action }) => action)
      assert.includeMembers(actions, ["hibernate", "wake"])
    })
  )
})

describe("a pool of one process", () => {
  it.live("serves two sessions by turns, each with its own memory", () =>
    Effect.gen(function* () {
      const { app, installation, session: birds } = yield* open({ agent: codex.name }, { TROUPE_MAX_PROCESSES: "1" })
      const fishes = yield* app.create({ agent: claude.name, cwd: installation.cwd })
      const oneAtATime = () => {
        const leases = new Set(installation.running().flatMap(({ lease }) => lease ?? []))
        assert.isAtMost(leases.size, 1)
      }
      yield* birds.turn("the bird is a heron")
      oneAtATime()
      yield* fishes.turn("the fish is a pike")
      oneAtATime()
      for (const [session, text] of [
        [birds, "the bird is a heron"],
        [fishes, "the fish is a pike"]
      ] as const) {
        const { body, status } = yield* session.turn("RECALL")
        assert.strictEqual(status, 200)
        assert.include(recalled(body), text)
        oneAtATime()
      }
    })
  )
})
