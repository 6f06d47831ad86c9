/** The cells of a terminal that `troupe top` draws on: their width, their cuts, their colours, and what they hide. */
import { assert, describe, it } from "@effect/vitest"
import { cut, encode, fit, fitLine, lineWidth, visible, widthOf, wrap } from "../../src/cli/top/cells.ts"

describe("cells", () => {
  it("show control characters of an agent and send none", () => {
    assert.strictEqual(visible("a\u001b[2Jb\r\nc\u202ed\u009be\u007f"), "a␛[2Jb⏎c‹202e›d‹9b›e␡")
    const all = visible(String.fromCodePoint(...Array.from({ length: 0xa0 }, (_, n) => n)))
    // oxlint-disable-next-line no-control-regex -- none of them is to be left
    assert.notMatch(all, /[\u0000-\u001f\u007f-\u009f]/)
  })

  it("count wide and combining characters, and are cut to a width", () => {
    assert.deepStrictEqual(["abc", "日本", "e\u0301", "🎭"].map(widthOf), [3, 4, 1, 2])
    assert.strictEqual(cut("日本語", 5), "日本…")
    assert.strictEqual(fit("7", 3, "right"), "  7")
    assert.strictEqual(lineWidth(fitLine([{ text: "日本", style: "red" }], 3)), 3)
  })

  it("wrap between words, break a word that is too long for a line, and mark what is cut", () => {
    assert.deepStrictEqual(wrap("one two three", 8, 5), ["one two", "three"])
    assert.deepStrictEqual(wrap("abcdefghij", 4, 5), ["abcd", "efgh", "ij"])
    assert.deepStrictEqual(wrap("one two three four", 5, 2), ["one", "two…"])
  })

  it("have colours only where they are enabled", () => {
    const line = [{ text: "x", style: "red" as const }]
    assert.strictEqual(encode(line, false), "x")
    assert.include(encode(line, true), "\u001b[31m")
  })
})
