/** A message that nests deep is read to a depth that every part of the program can go down to. */
import { assert, describe, it } from "@effect/vitest"
import { messagesIn } from "../../src/agent/messagesIn.ts"
import { maxReadDepth } from "../../src/agent/shallow.ts"
import { isDeeperThan } from "../../src/domain/storable.ts"

const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels)

describe("a line that nests deep", () => {
  it("a message with a deep value is read, and what is deeper than the bound is null", () => {
    const line = `{"method":"m","params":{"deep":${nested(100_000)},"text":"kept"}}`
    const { hasNoise, messages } = messagesIn(line)
    assert.isFalse(hasNoise)
    assert.lengthOf(messages, 1)
    const [{ message, raw }] = messages as [(typeof messages)[0]]
    assert.strictEqual(raw, line)
    assert.isTrue(isDeeperThan(message, maxReadDepth - 1))
    assert.isFalse(isDeeperThan(message, maxReadDepth))
    assert.include(JSON.stringify(message), '"text":"kept"')
    assert.include(JSON.stringify(message), "[null]")
  })

  it("a message at the bound is read as it is", () => {
    // Two levels are around it.
    const line = `{"method":"m","params":{"deep":${nested(maxReadDepth - 2)}}}`
    assert.strictEqual(JSON.stringify(messagesIn(line).messages[0]?.message), line)
  })

  it("a batch, and a message behind a deep one, are read as well", () => {
    const deep = `{"method":"a","params":{"deep":${nested(5_000)}}}`
    const methods = (line: string) => messagesIn(line).messages.map(({ message }) => message["method"])
    assert.deepStrictEqual(methods(`[${deep},{"method":"b"}]`), ["a", "b"])
    assert.deepStrictEqual(methods(`${deep}{"method":"b"}`), ["a", "b"])
  })
})
