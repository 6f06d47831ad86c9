/** The line splitter: the lines are the same however the bytes are cut. */
import { assert, describe, it } from "@effect/vitest"
import * as Lines from "../../src/agent/Lines.ts"

const text = '10%\r20%\ra\r\n\n{"b":"größer 🙂"}\n\r\n  c \nlast'
const bytes = new TextEncoder().encode(text)

describe("Lines", () => {
  it("the lines are the same whatever the chunks are", () => {
    for (let size = 1; size <= bytes.length; size++) {
      const lines = Lines.make()
      const collected: Array<string> = []
      for (let at = 0; at < bytes.length; at += size) collected.push(...lines.push(bytes.subarray(at, at + size)))
      assert.deepStrictEqual(
        [...collected, ...lines.rest()],
        ["10%", "20%", "a", '{"b":"größer 🙂"}', "  c ", "last"],
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

  it("a long line that comes a byte at a time costs no more than its length", () => {
    const lines = Lines.make()
    const byte = new TextEncoder().encode("x")
    const before = process.memoryUsage()
    for (let i = 0; i < 1_000_000; i++) lines.push(byte)
    const after = process.memoryUsage()
    assert.isBelow(after.heapUsed + after.external - before.heapUsed - before.external, 64 * 1024 * 1024)
    assert.strictEqual(lines.push(new TextEncoder().encode("\r"))[0]?.length, 1_000_000)
    assert.deepStrictEqual(lines.push(new TextEncoder().encode("\n")), [])
  })

  it("a line that ends with CR alone is given at once", () => {
    const lines = Lines.make()
    assert.deepStrictEqual(lines.push(new TextEncoder().encode("a\r")), ["a"])
    assert.deepStrictEqual(lines.push(new TextEncoder().encode("\nb\r\n")), ["b"])
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
