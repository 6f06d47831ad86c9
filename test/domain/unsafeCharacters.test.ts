/** The set of characters that must not reach a terminal, held against Unicode's own properties. */
import { assert, describe, it } from "@effect/vitest"
import { unsafeCharacters } from "../../src/domain/unsafeCharacters.ts"

describe("the unsafe characters", () => {
  it.each(["", "u"])(
    "are Unicode's controls and bidirectional controls, but for those that lay text out: flags '%s'",
    (flags) => {
      const unsafe = new RegExp(`[${unsafeCharacters}]`, flags)
      const expected = /(?![\t\n\r])[\p{Cc}\p{Bidi_Control}]/u
      for (let code = 0; code <= 0xffff; code++) {
        const character = String.fromCharCode(code)
        assert.strictEqual(unsafe.test(character), expected.test(character), `U+${code.toString(16)}`)
      }
    }
  )
})
