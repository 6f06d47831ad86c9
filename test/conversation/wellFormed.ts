/** Asserts what holds for the messages of any turn, whatever its events were. */
import { assert } from "@effect/vitest"
import type { Message, TurnRecord } from "../../src/domain/Turn.ts"

export const assertWellFormed = (messages: ReadonlyArray<Message>, turn: TurnRecord): void => {
  const [first, ...rest] = messages
  assert.deepStrictEqual(first, { role: "user", content: turn.prompt })
  assert.isFalse(rest.some(({ role }) => role === "user" || role === "system"))

  const ids = new Set<string>()
  for (const [nth, message] of messages.entries()) {
    for (const call of message.tool_calls ?? []) {
      assert.strictEqual(message.content, null)
      assert.match(call.id, /^[A-Za-z0-9_-]{1,40}$/)
      assert.isFalse(ids.has(call.id), `two calls have the id ${call.id}`)
      ids.add(call.id)
      assertArguments(call.function.arguments)
      assert.containSubset(messages[nth + 1], { role: "tool", tool_call_id: call.id })
    }
    if (message.role === "tool") {
      const before = messages[nth - 1]?.tool_calls ?? []
      assert.deepStrictEqual(
        before.map(({ id }) => id),
        [message.tool_call_id]
      )
      assert.isString(message.content)
    }
    if (message.role === "assistant" && message.tool_calls === undefined) assert.isNotEmpty(message.content)
    if (message.reasoning !== undefined) assert.strictEqual(message.role, "assistant")
    assert.isBelow(message.role === "tool" ? message.content!.length : 0, 64 * 1024)
  }
}

/** Asserts that arguments are an object with sorted keys, at every depth. */
const assertArguments = (written: string): void => {
  const parsed: unknown = JSON.parse(written)
  assert.isObject(parsed)
  assertSorted(parsed)
  assert.isBelow(written.length, 256 * 1024)
}

const assertSorted = (value: unknown): void => {
  if (typeof value !== "object" || value === null) return
  // Keys that look like indexes are ignored, because an engine moves them to the front.
  const keys = Array.isArray(value) ? [] : Object.keys(value).filter((key) => !/^\d+$/.test(key) && key !== "…")
  assert.deepStrictEqual(keys, [...keys].sort())
  for (const inner of Object.values(value)) assertSorted(inner)
}
