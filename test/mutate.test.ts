/** Which changes `npm run mutate` makes to a source. */
import { assert, describe, it } from "@effect/vitest"
import { parseSync } from "vite"
import { applied, mutantsOf } from "../scripts/mutate/mutants.ts"

/** The source as it is with each mutant. */
const mutated = (source: string, file = "src/a.ts") => mutantsOf(file, source).map((mutant) => applied(source, mutant))

describe("the mutants of a source", () => {
  it("negate conditions, swap operators, and move bounds", () => {
    assert.deepStrictEqual(mutated("if (a) b"), ["if (!(a)) b"])
    assert.deepStrictEqual(mutated("x = a && b")[1], "x = a || b")
    assert.deepStrictEqual(mutated("f(a < b)").slice(1), ["f(a <= b)", "f(a >= b)"])
    assert.deepStrictEqual(mutated("f(a /* === */ === b)").slice(1), ["f(a /* === */ !== b)"])
    assert.deepStrictEqual(mutated("f(a + b)").slice(1), ["f(a - b)"])
    assert.deepStrictEqual(mutated("const x = a ? b : c"), ["const x = !(a) ? b : c"])
  })

  it("change literals and defaults", () => {
    assert.deepStrictEqual(mutated("const x = [true, 0]"), [
      "const x = []",
      "const x = [false, 0]",
      "const x = [true, 1]"
    ])
    assert.deepStrictEqual(mutated("const x = 1"), ["const x = 0", "const x = 2"])
    assert.deepStrictEqual(mutated("const x = 16"), ["const x = 17"])
    assert.deepStrictEqual(mutated("const x = 60_000"), ["const x = 1"])
    assert.deepStrictEqual(mutated("const x = a ?? b"), ["const x = (a)", "const x = (b)"])
    assert.deepStrictEqual(mutated("const x = a?.b"), ["const x = a.b"])
    assert.deepStrictEqual(mutated("const x = a?.[b]"), ["const x = a[b]"])
    assert.deepStrictEqual(mutated("const x = (a = b) => a"), ["const x = (a) => a"])
  })

  it("leave out statements, blocks and early returns", () => {
    assert.deepStrictEqual(mutated("const f = function* () { yield* a }"), [
      "const f = function* () {}",
      "const f = function* () { {} }"
    ])
    assert.deepStrictEqual(mutated("const f = () => { if (a) return b; c() }"), [
      "const f = () => {}",
      "const f = () => { if (!(a)) return b; c() }",
      "const f = () => { if (a) {} c() }",
      "const f = () => { if (a) return b; {} }"
    ])
  })

  it("leave entries out of a machine's tables, and of nothing else", () => {
    const source = 'export const x = { guard: "a", target: "b" }'
    assert.deepStrictEqual(mutated(source, "machines/a.ts"), [
      'export const x = { target: "b" }',
      'export const x = { guard: "a",  }'
    ])
    assert.deepStrictEqual(mutated(source), [])
  })

  it("are none in comments, types, texts and the log", () => {
    for (const source of [
      "// if (a) return true",
      "type A = { a: true; b: 1 }",
      "interface A { readonly a?: 0 }",
      "const x = y as { a: true }",
      'const x = "true && 1" + `1 < ${a}`',
      "export type * from './a.ts'"
    ])
      assert.deepStrictEqual(mutated(source), [], source)
    assert.deepStrictEqual(mutated("if (a) Effect.logError(`${b + 1}`)"), ["if (!(a)) Effect.logError(`${b + 1}`)"])
  })

  it("all parse, and have their line", () => {
    const source =
      "const f = (a: number, b?: string): boolean => {\n  if (a > 1) throw new Error(b)\n  return a === 0\n}\n"
    const mutants = mutantsOf("src/a.ts", source)
    assert.deepStrictEqual([...new Set(mutants.map(({ line }) => line))], [1, 2, 3])
    for (const mutant of mutants) assert.deepStrictEqual(parseSync("a.ts", applied(source, mutant)).errors, [])
  })
})
