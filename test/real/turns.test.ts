/** Turns of real agents, as an app sees them over HTTP: whole, streamed, remembered, with tools, refused. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { agents } from "./harness/agents.ts"
import { open, recalled } from "./harness/scene.ts"
import { updatesOf } from "./harness/wire.ts"
import type { Turn } from "./harness/wire.ts"

describe.each(agents)("$name", ({ name: agent }) => {
  it.live("answers a second turn that knows the first, each in ACP messages that end in the result", () =>
    Effect.gen(function* () {
      const { house, session } = yield* open({ agent })
      const first = yield* session.turn("the bird is a heron")
      const second = yield* session.turn("RECALL")
      for (const { body, status } of [first, second]) {
        assert.strictEqual(status, 200)
        assert.include(body, { ok: true, stop_reason: "end_turn", completed: true, partial: false, error: null })
        assert.isAbove(body.usage.total_tokens, 0)
        const updates = body.events.slice(0, -1)
        for (const event of updates) {
          assert.include(event, { jsonrpc: "2.0", method: "session/update" })
          assert.isString(event.params?.update?.sessionUpdate)
        }
        const said = updatesOf(updates, "agent_message_chunk").map(
          ({ content }) => content as { readonly text: string }
        )
        assert.strictEqual(said.map(({ text }) => text).join(""), body.final_text)
        const end = body.events.at(-1)
        assert.strictEqual(end?.id, body.turn_index)
        assert.strictEqual(end?.result?.stopReason, "end_turn")
      }
      assert.strictEqual(first.body.final_text, "echo: the bird is a heron")
      assert.include(recalled(second.body), "the bird is a heron")
      assert.strictEqual(second.body.context_lost, false)
      // The model's own word for it: it was sent the first turn together with the second.
      assert.isTrue(
        house.model.asked().some(({ texts }) => texts.includes("the bird is a heron") && texts.includes("RECALL"))
      )
      const seen = yield* session.get
      assert.include(seen, { state: "idle", turn_count: 2 })
    })
  )

  it.live("streams a turn as it is stored, event for event", () =>
    Effect.gen(function* () {
      const { session } = yield* open({ agent })
      const { events, status } = yield* session.stream("THINK:let me see\nSLOW:12x40")
      assert.strictEqual(status, 200)
      const { data: result, event } = events.at(-1) ?? {}
      assert.strictEqual(event, "result")
      const stored = yield* session.stored(1)
      const streamed = events.filter(({ event }) => event === "message").map(({ data }) => data)
      assert.deepStrictEqual<unknown>(streamed, stored.events)
      assert.deepStrictEqual({ ...stored, ...(result as Turn) }, stored, "the result is what is stored")
      assert.isAbove(updatesOf(stored.events, "agent_message_chunk").length, 1, "it came in pieces")
      const words = Array.from({ length: 12 }, (_, nth) => `w${nth + 1}`).join(" ")
      assert.strictEqual(stored.final_text.trim(), words)
    })
  )

  it.live("runs a command that it asks leave for where all is approved, and does not where all is denied", () =>
    Effect.gen(function* () {
      const { app, house, session } = yield* open({ agent, permissions: "approve_all" })
      const granted = yield* session.turn("ASK:touch granted\nSAY:as you wish")
      assert.strictEqual(granted.status, 200)
      assert.include(granted.body, { ok: true, final_text: "as you wish", tool_iterations: 1 })
      assert.isTrue(existsSync(house.file("granted")))
      const calls = updatesOf(granted.body.events, "tool_call")
      assert.strictEqual(calls.length, 1)
      const last = updatesOf(granted.body.events, "tool_call_update").findLast(
        ({ status, toolCallId }) => toolCallId === calls[0]?.["toolCallId"] && status !== undefined
      )
      assert.strictEqual(last?.["status"], "completed")

      const wary = yield* app.create({ agent, cwd: house.cwd, permissions: "deny" })
      const denied = yield* wary.turn("ASK:touch denied\nSAY:a pity")
      assert.strictEqual(denied.status, 200)
      assert.isTrue(denied.body.ok)
      assert.isFalse(existsSync(house.file("denied")))
      const status = updatesOf(denied.body.events, "tool_call_update").findLast(({ status }) => status !== undefined)
      assert.strictEqual(status?.["status"], "failed")
    })
  )

  it.live("names a refused account, and goes on when it is accepted again", () =>
    Effect.gen(function* () {
      const { session } = yield* open({ agent })
      const refused = yield* session.turn("ERR:401")
      assert.strictEqual(refused.status, 502)
      assert.include(refused.body, { ok: false, partial: true, completed: false, stop_reason: "error" })
      assert.match(refused.body.error ?? "", /^auth: /)
      const { body, status } = yield* session.turn("and now?")
      assert.strictEqual(status, 200)
      assert.strictEqual(body.final_text, "echo: and now?")
    })
  )
})
