import { assert, it } from "@effect/vitest"
import { clipped } from "../../src/domain/boundedJson.ts"
import { cut, cutStart } from "../../src/domain/cut.ts"

it("a text that is cut never has half of a surrogate pair, wherever it is cut", () => {
  const text = "a🙂b🙂🙂c"
  for (let limit = 0; limit <= text.length + 1; limit++) {
    for (const short of [cut(text, limit), cutStart(text, limit)]) {
      assert.isTrue(short.isWellFormed(), `${limit}: ${JSON.stringify(short)}`)
      assert.isAtMost(short.length, limit)
    }
    assert.isTrue(text.startsWith(cut(text, limit)))
    assert.isTrue(text.endsWith(cutStart(text, limit)))
    assert.isTrue(clipped(text, limit).isWellFormed())
  }
  assert.deepStrictEqual([cut("🙂", 1), cut("🙂", 2), cutStart("🙂", 1), cutStart("a🙂", 2)], ["", "🙂", "", "🙂"])
})
