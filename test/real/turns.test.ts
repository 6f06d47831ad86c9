/** Turns of real agents, as an app sees them over HTTP: whole, streamed, remembered, with tools, refused. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { allAgents, claude, claudeViaAcpx } from "./harness/agents.ts"
import { open, recalled } from "./harness/open.ts"
import { updatesOf } from "./harness/wire.ts"
import type { Turn } from "./harness/wire.ts"

/** Nothing but ACP messages, the last of them the result, and all of the text in them. */
const assertWhole = (turn: Turn) => {
  assert.include(turn, { ok: true, stop_reason: "end_turn", completed: true, partial: false, error: null })
  assert.isAbove(turn.usage.total_tokens, 0)
  const updates = turn.events.slice(0, -1)
  for (const event of updates) {
    assert.include(event, { jsonrpc: "2.0", method: "session/update" })
    assert.isString(event.params?.update?.sessionUpdate)
  }
  const said = updatesOf(updates, "agent_message_chunk").map(({ content }) => content as { readonly text: string })
  assert.strictEqual(said.map(({ text }) => text).join(""), turn.final_text)
  const end = turn.events.at(-1)
  assert.strictEqual(end?.id, turn.turn_index)
  assert.strictEqual(end?.result?.stopReason, "end_turn")
}

describe(claude.name, () => {
  it.live("gives a refused account up long before its own three minutes, where nobody says how often to try", () =>
    Effect.gen(function* () {
      const { session } = yield* open({ agent: claude.name }, { CLAUDE_CODE_MAX_RETRIES: "" })
      const { body, status } = yield* session.turn("ERR:401")
      assert.strictEqual(status, 502)
      assert.match(body.error ?? "", /^auth: /)
    })
  )
})

describe.each(allAgents)("$name", ({ name: agent }) => {
  it.live("streams a turn as it is stored, and answers the next one knowing it", () =>
    Effect.gen(function* () {
      const { installation, session } = yield* open({ agent, system_prompt: "Mind the herons." })
      const prompt = "THINK:let me see\nSLOW:12x100"
      const { events, status } = yield* session.stream(prompt)
      assert.strictEqual(status, 200)
      const { data, event } = events.at(-1) ?? {}
      assert.strictEqual(event, "result")
      const first = data as Turn
      const streamed = events.filter(({ event }) => event === "message").map(({ data }) => data)
      assert.deepStrictEqual<unknown>(streamed, first.events)
      const stored = yield* session.stored(1)
      // What an agent adds to a turn after its end, such as a title, is stored with it, before the end.
      const end = first.events.at(-1)!
      const late = stored.events.slice(first.events.length - 1, -1)
      assert.isTrue(late.every(({ method }) => method === "session/update"))
      assert.deepStrictEqual({ ...stored, ...first, events: [...first.events.slice(0, -1), ...late, end] }, stored)
      assert.isAbove(updatesOf(first.events, "agent_message_chunk").length, 1, "it came in pieces")

      const second = yield* session.turn("RECALL")
      assert.strictEqual(second.status, 200)
      for (const turn of [first, second.body]) assertWhole(turn)
      assert.strictEqual(first.final_text.trim(), Array.from({ length: 12 }, (_, nth) => `w${nth + 1}`).join(" "))
      assert.include(recalled(second.body), prompt)
      assert.strictEqual(second.body.context_lost, false)
      assert.include(yield* session.get, { state: "idle", turn_count: 2 })

      // The model's own word for it: the first turn came to it with the second, under the app's instructions.
      const asked = installation.model.asked().findLast(({ texts }) => texts.includes("RECALL"))
      assert.include([...(asked?.texts ?? [])], prompt)
      assert.include(asked?.system ?? "", "Mind the herons.")
    })
  )

  it.live("runs a command and edits a file where all is approved, and runs none where all is denied", () =>
    Effect.gen(function* () {
      const { app, installation, session } = yield* open({ agent, permissions: "approve_all" })
      const written = installation.file("written")
      const granted = yield* session.turn(`ASK:touch granted\nWRITE:${written}|a heron\nSAY:as you wish`)
      assert.strictEqual(granted.status, 200)
      assert.include(granted.body, { ok: true, final_text: "as you wish", tool_iterations: 2 })
      assert.isTrue(existsSync(installation.file("granted")))
      assert.strictEqual(readFileSync(written, "utf8").trim(), "a heron")
      const { events } = granted.body
      const calls = updatesOf(events, "tool_call").map(({ kind, toolCallId }) => {
        const last = updatesOf(events, "tool_call_update").findLast(
          (update) => update["toolCallId"] === toolCallId && update["status"] !== undefined
        )
        return { kind, status: last?.["status"] }
      })
      assert.deepStrictEqual(calls, [
        { kind: "execute", status: "completed" },
        { kind: "edit", status: "completed" }
      ])

      // Refused at creation: the repository could have it do anything.
      if (agent === claudeViaAcpx.name) return
      const wary = yield* app.create({ agent, cwd: installation.cwd, permissions: "deny" })
      const denied = yield* wary.turn("RUN:touch denied\nSAY:a pity")
      assert.strictEqual(denied.status, 200)
      assert.isTrue(denied.body.ok)
      assert.isFalse(existsSync(installation.file("denied")))
      const { events: refused } = denied.body
      // Of a command that its sandbox refuses at once, codex 0.171 reports nothing.
      const statuses = [...updatesOf(refused, "tool_call"), ...updatesOf(refused, "tool_call_update")].flatMap(
        ({ status }) => status ?? []
      )
      assert.include([undefined, "failed"], statuses.at(-1), JSON.stringify(refused))
    })
  )

  it.live("names a refused account and a refused request, and goes on when all is well again", () =>
    Effect.gen(function* () {
      const { session } = yield* open({ agent })
      for (const [prompt, named] of [
        ["ERR:401", /^auth: /],
        ["ERR:400", /^model: /]
      ] as const) {
        const { body, status } = yield* session.turn(prompt)
        assert.strictEqual(status, 502)
        assert.include(body, { ok: false, partial: true, completed: false, stop_reason: "error" })
        assert.match(body.error ?? "", named)
      }
      const { body, status } = yield* session.turn("and now?")
      assert.strictEqual(status, 200)
      assert.strictEqual(body.final_text, "echo: and now?")
    })
  )
})
