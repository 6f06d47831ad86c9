/** Words for a real agent while it works, and a real codex that makes room in its context. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { speaks } from "./harness/App.ts"
import { claude, claudeViaAcpx, codex, codexAcp } from "./harness/agents.ts"
import { open, recalled } from "./harness/open.ts"
import { until } from "./harness/until.ts"

describe.each([codex, claude, codexAcp])("$name", ({ name: agent }) => {
  it.live("takes words in the middle of its own, answers them under the same turn, and has one end", () =>
    Effect.gen(function* () {
      const { session } = yield* open({ agent })
      assert.deepInclude((yield* session.steer("anybody?")).body, { ok: false, error: "no_turn" })
      const turn = yield* Effect.forkChild(session.turn("SLOW:600x50"))
      yield* session.hears("the first words", speaks)
      assert.deepStrictEqual(yield* session.steer("do this instead"), {
        status: 200,
        body: { ok: true, steered: true }
      })
      const { body, status } = yield* Fiber.join(turn)
      assert.strictEqual(status, 200)
      assert.include(body, { ok: true, completed: true, stop_reason: "end_turn", error: null })
      assert.strictEqual(body.final_text, "echo: do this instead")
      assert.deepStrictEqual(
        body.messages.map(({ content, role }) => [role, content]),
        [
          ["user", "SLOW:600x50"],
          ["user", "do this instead"],
          ["assistant", "echo: do this instead"]
        ]
      )
      const next = yield* session.turn("go on")
      assert.strictEqual(next.body.final_text, "echo: go on")
      assert.deepStrictEqual(yield* session.messages, [...body.messages, ...next.body.messages])
    })
  )
})

describe("codex", () => {
  it.live("compacts when it is asked to, goes on in the same thread, and tells how much is left", () =>
    Effect.gen(function* () {
      const { session } = yield* open({ agent: "codex" })
      const first = yield* session.turn("hello")
      const { body, status } = yield* session.compact
      assert.strictEqual(status, 200)
      assert.include(body, { ok: true, turn_index: 2, compacted: true, stop_reason: "end_turn", error: null })
      assert.deepStrictEqual(body.messages, [])
      assert.isAbove(body.context?.size ?? 0, body.context?.used ?? 0)
      const next = yield* session.turn("go on")
      assert.include(next.body, { final_text: "echo: go on", compacted: false, thread_id: first.body.thread_id })
    })
  )

  it.live("stops in the middle of its compaction, loses nothing by it, and compacts when it is asked again", () =>
    Effect.gen(function* () {
      const { installation, session } = yield* open({ agent: "codex" })
      const first = yield* session.turn("the bird is a heron")
      installation.model.hold(() => true)
      const before = installation.model.asked().length
      const compacting = yield* Effect.forkChild(session.compact)
      yield* until("the model's part", () => installation.model.asked().length > before)
      assert.isTrue((yield* session.interrupt).body.interrupted)
      const { body, status } = yield* Fiber.join(compacting)
      assert.strictEqual(status, 200)
      assert.include(body, { ok: true, interrupted: true, compacted: false, stop_reason: "cancelled" })
      installation.model.hold(() => false)
      const next = yield* session.turn("RECALL")
      assert.include(next.body, { ok: true, thread_id: first.body.thread_id, context_lost: false })
      assert.include(recalled(next.body), "the bird is a heron")
      assert.include((yield* session.compact).body, { ok: true, compacted: true })
    })
  )

  it.live("never compacts during a turn, which it would interrupt", () =>
    Effect.gen(function* () {
      const { session } = yield* open({ agent: "codex" })
      const turn = yield* Effect.forkChild(session.turn("SLOW:600x50"))
      yield* session.hears("the first words", speaks)
      const refused = yield* session.compact
      assert.include(refused.body, { ok: false, error: "turn_in_progress" })
      assert.strictEqual(refused.status, 409)
      yield* session.interrupt
      assert.include((yield* Fiber.join(turn)).body, { interrupted: true })
    })
  )
})

describe.each([claude, codexAcp])("$name", ({ name: agent }) => {
  it.live("makes room in its context by its own command, and goes on", () =>
    Effect.gen(function* () {
      const { session } = yield* open({ agent })
      const first = yield* session.turn("the bird is a heron")
      const { body, status } = yield* session.compact
      assert.deepStrictEqual([status, body["error"] ?? null], [200, null])
      assert.include(body, { ok: true, compacted: true, thread_id: first.body.thread_id })
      assert.isTrue((yield* session.turn("hello")).body.ok)
    })
  )
})

describe(claudeViaAcpx.name, () => {
  it.live("says that it can't be asked to compact", () =>
    Effect.gen(function* () {
      const { session } = yield* open({ agent: claudeViaAcpx.name })
      const { body, status } = yield* session.compact
      assert.strictEqual(status, 422)
      assert.include(body, { ok: false, error: "not_supported" })
    })
  )

  it.live("takes no words while it works, and says so", () =>
    Effect.gen(function* () {
      const { session } = yield* open({ agent: claudeViaAcpx.name })
      const turn = yield* Effect.forkChild(session.turn("SLOW:600x50"))
      yield* session.hears("the first words", speaks)
      const { body, status } = yield* session.steer("do this instead")
      assert.strictEqual(status, 422)
      assert.include(body, { error: "not_supported" })
      yield* session.interrupt
      yield* Fiber.join(turn)
    })
  )
})
