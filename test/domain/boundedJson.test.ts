/** The writer of an agent's data: always JSON, always sorted, never long. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { clipped, boundedJson, maxContentCharacters } from "../../src/domain/boundedJson.ts"

describe("bounded JSON", () => {
  it.prop("bounded JSON reads back as the same value, where it is short", [Schema.Json], ([value]) => {
    assert.deepStrictEqual(JSON.parse(boundedJson(value)), JSON.parse(JSON.stringify(value)))
  })

  it.prop(
    "bounded JSON is JSON and bounded, however small its limit is",
    [Schema.Json, Schema.Literals([0, 1, 8, 64])],
    ([value, limit]) => {
      const written = boundedJson(value, limit)
      JSON.parse(written)
      assert.isBelow(written.length, limit + 20_000)
    }
  )

  it("bounded JSON has its keys in order, also those that an engine moves to the front", () =>
    assert.strictEqual(boundedJson({ b: 1, a: { "10": 1, "9": 2 } }), '{"a":{"10":1,"9":2},"b":1}'))

  it("bounded JSON of a value without an end is bounded", () => {
    const round: { in?: unknown } = {}
    round.in = round
    assert.isBelow(boundedJson(round).length, 1_000)
    assert.isBelow(boundedJson(Array.from({ length: 1_000_000 }, () => "x")).length, 2 * maxContentCharacters)
  })

  it("bounded JSON is null where JSON has no value", () =>
    assert.strictEqual(boundedJson([undefined, () => 1, Number.NaN, Symbol.iterator]), "[null,null,null,null]"))
})

describe("a text that is too long", () => {
  it("a clipped text keeps its beginning and its end, and says how much is left out", () =>
    assert.strictEqual(clipped("abcdefghij", 4), "ab\n… 6 characters left out …\nij"))

  it("a clipped text is well formed, without halves of a character", () =>
    assert.isTrue(clipped(`${"😀".repeat(100)}`, 51).isWellFormed()))
})
