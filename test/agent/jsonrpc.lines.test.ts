/** The line splitter: the lines are the same however the bytes are cut. */
import { assert, describe, it } from "@effect/vitest"
import * as Lines from "../../src/agent/Lines.ts"

const text = 'a\r\n\n{"b":"größer 🙂"}\n\r\n  c \nlast'
const bytes = new TextEncoder().encode(text)

describe("Lines", () => {
  it("the lines are the same whatever the chunks are", () => {
    for (let size = 1; size <= bytes.length; size++) {
      const lines = Lines.make()
      const collected: Array<string> = []
      for (let at = 0; at < bytes.length; at += size) collected.push(...lines.push(bytes.subarray(at, at + size)))
      assert.deepStrictEqual(
        [...collected, ...lines.rest()],
        ["a", '{"b":"größer 🙂"}', "  c ", "last"],
        `chunks of ${size}`
      )
    }
  })

  it("a buffered part survives when the reader's buffer is overwritten", () => {
    const lines = Lines.make()
    const buffer = new TextEncoder().encode("abc")
    lines.push(buffer)
    buffer.fill(0x7a)
    assert.deepStrictEqual(lines.push(new TextEncoder().encode("d\n")), ["abcd"])
  })

  it("a line of exactly the limit is accepted, and after one byte more nothing is", () => {
    const exact = Lines.make(4)
    assert.deepStrictEqual(exact.push(new TextEncoder().encode("abcd")), [])
    assert.deepStrictEqual(exact.push(new TextEncoder().encode("\n")), ["abcd"])
    const over = Lines.make(4)
    over.push(new TextEncoder().encode("abc"))
    assert.deepStrictEqual(over.push(new TextEncoder().encode("de\nnext\n")), [])
    assert.isTrue(over.overflowed())
    assert.deepStrictEqual([...over.push(new TextEncoder().encode("f\n")), ...over.rest()], [])
  })
})
