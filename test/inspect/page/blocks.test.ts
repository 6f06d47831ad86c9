/** A long text in pieces: together they are the text, and what is added changes none but the last. */
import { assert, it } from "@effect/vitest"
import { blocksOf } from "../../../src/inspect/page/session/model/blocks.ts"

const words = "the quick brown fox jumps over the lazy dog\n"

it("the pieces of a text are the text, and each but the last ends with a line", () => {
  for (const text of [
    "",
    "a",
    "\n",
    words,
    words.repeat(40),
    `${words.repeat(11)}\n\n\n`,
    "x".repeat(5_000),
    `${"y\r\n".repeat(900)}z`
  ]) {
    const blocks = blocksOf(text)
    assert.strictEqual(blocks.join(""), text)
    for (const block of blocks.slice(0, -1)) assert.isTrue(block.endsWith("\n"), block)
  }
  assert.isAbove(blocksOf(words.repeat(40)).length, 3)
})

it("what is added to a text changes no piece but the last", () => {
  const text = `${words}\n`.repeat(60)
  let before = blocksOf("")
  for (let length = 7; length <= text.length; length += 7) {
    const blocks = blocksOf(text.slice(0, length))
    assert.deepStrictEqual(blocks.slice(0, before.length - 1), before.slice(0, -1))
    before = blocks
  }
})
