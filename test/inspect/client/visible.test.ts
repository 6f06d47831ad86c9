/** Invisible characters must not change what a person sees. */
import { assert, describe, it } from "@effect/vitest"
import { parsed, visible } from "../../../src/inspect/client/visible.ts"

describe("text of an agent", () => {
  it("shows invisible and bidirectional characters by name", () => {
    assert.strictEqual(visible("\u001B[31mred\u001B[0m\u0007"), "⟨ESC⟩[31mred⟨ESC⟩[0m⟨BEL⟩")
    assert.strictEqual(visible("rm \u202Etxt.exe\u2066 \u200F\u0085"), "rm ⟨U+202E⟩txt.exe⟨U+2066⟩ ⟨U+200F⟩⟨U+0085⟩")
  })

  it("is otherwise unchanged, in every script", () => {
    for (const text of ["", "a\tb\r\nc", "שלום, مرحبا, 你好, 👩‍👩‍👧", "<script>&amp;\\u202e"])
      assert.strictEqual(visible(text), text)
  })

  it("is made visible in JSON, however it is escaped and at any depth", () => {
    for (const json of ['{"a":["\u202E"],"b":1}', '{"a":["\\u202e"],"b":1}', '{"a":["\\u202E"],"b":1}'])
      assert.deepStrictEqual(parsed(json), { a: ["⟨U+202E⟩"], b: 1 })
    assert.deepStrictEqual(parsed('["\\b\\f", "\\n\\t", null, "é"]'), ["⟨BS⟩⟨U+000C⟩", "\n\t", null, "é"])
    assert.throws(() => parsed("{"))
  })
})
