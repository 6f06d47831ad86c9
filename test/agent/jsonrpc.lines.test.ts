/** The splitter alone: the same lines come out however the bytes are cut. */
import { assert, describe, it } from "@effect/vitest"
import * as Lines from "../../src/agent/Lines.ts"

const text = 'a\r\n\n{"b":"größer 🙂"}\n\r\n  c \nlast'
const bytes = new TextEncoder().encode(text)

describe("Lines", () => {
  it("gives the same lines whatever the chunks are", () => {
    for (let size = 1; size <= bytes.length; size++) {
      const lines = Lines.make()
      const all: Array<string> = []
      for (let at = 0; at < bytes.length; at += size) all.push(...lines.push(bytes.subarray(at, at + size)))
      assert.deepStrictEqual([...all, ...lines.rest()], ["a", '{"b":"größer 🙂"}', "  c ", "last"], `chunks of ${size}`)
    }
  })

  it("keeps what it holds when the reader's buffer is written over", () => {
    const lines = Lines.make()
    const buffer = new TextEncoder().encode("abc")
    lines.push(buffer)
    buffer.fill(0x7a)
    assert.deepStrictEqual(lines.push(new TextEncoder().encode("d\n")), ["abcd"])
  })

  it("takes a line of exactly the limit, and gives nothing more after one byte over it", () => {
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
