/** How texts are read: changes of files line by line, and Markdown, both of texts that are made to do harm. */
import { assert, describe, it } from "@effect/vitest"
import { lineDiff } from "../../../src/inspect/page/session/model/lineDiff.ts"
import { linkOf, markdownOf } from "../../../src/inspect/page/session/model/markdown.ts"

const lines = (n: number, of = (at: number) => `line ${at}`) =>
  `${Array.from({ length: n }, (_, at) => of(at + 1)).join("\n")}\n`

describe("the change of a file", () => {
  it("has the lines that are gone and new, with their numbers, and a few around them", () => {
    const before = lines(40)
    const { parts, ...rest } = lineDiff({
      path: "/f",
      before,
      after: before.replace("line 20\n", "line twenty\nline 20.5\n")
    })
    assert.deepStrictEqual(rest, { added: 2, removed: 1, omitted: 0, isWhole: false })
    assert.deepStrictEqual(
      parts.map((part) => part.map(({ line, sign, text }) => `${line}${sign}${text}`)),
      [
        [
          "17 line 17",
          "18 line 18",
          "19 line 19",
          "20-line 20",
          "20+line twenty",
          "21+line 20.5",
          "22 line 21",
          "23 line 22",
          "24 line 23"
        ]
      ]
    )
  })

  it("of a new file is all of it, and that of a file that stays the same is nothing", () => {
    const created = lineDiff({ path: "/f", before: null, after: "a\nb" })
    assert.deepStrictEqual([created.added, created.removed, created.isWhole], [2, 0, false])
    assert.deepStrictEqual(lineDiff({ path: "/f", before: "a", after: "a" }).parts, [])
  })

  it("that costs too much to be compared, or has too many lines, is shown in part", () => {
    const before = lines(5_000, (at) => `a ${at * 7}`)
    const after = lines(5_000, (at) => `b ${at * 11}`)
    const different = lineDiff({ path: "/f", before, after })
    assert.deepInclude(different, { added: 5_000, removed: 5_000, isWhole: true, omitted: 9_600 })
    assert.strictEqual(different.parts.flat().length, 400)
    const packed = lineDiff({ path: "/f", before: null, after: "x".repeat(2_000_000) })
    assert.isAtMost(packed.parts.flat()[0]?.text.length ?? 0, 501)
  })
})

describe("Markdown of an agent", () => {
  it("is read into tokens, and HTML in it stays a text", () => {
    const tokens = markdownOf("# Title\n\n<script>x</script>\n\n- [ ] *one*")
    assert.includeMembers(tokens?.map(({ type }) => type) ?? [], ["heading", "html", "list"])
  })

  it("that would stop the page is shown as it is", () => {
    const hostile = {
      long: "a".repeat(20_001),
      quotes: ">".repeat(10_000),
      "spaced quotes": "> ".repeat(9_000),
      lists: `text\n${"1. ".repeat(6_000)}`,
      emphasis: "*a_".repeat(6_000)
    }
    for (const [what, text] of Object.entries(hostile)) assert.isNull(markdownOf(text), what)
    // Brackets, backticks and entities cost what their length does.
    for (const text of ["[".repeat(20_000), "`".repeat(20_000), "&".repeat(20_000), "![".repeat(10_000)])
      assert.isNotNull(markdownOf(text))
  })

  it("has links to the web and to mail only, and says where they lead", () => {
    assert.deepStrictEqual(linkOf("https://example.org/a?b#c"), {
      href: "https://example.org/a?b#c",
      to: "example.org"
    })
    assert.deepStrictEqual(linkOf("mailto:a@example.org"), { href: "mailto:a@example.org", to: "a@example.org" })
    for (const href of [
      "javascript:alert(1)",
      "JaVaScRiPt:alert(1)",
      "\u0001javascript:alert(1)",
      "data:text/html,<script>",
      "vbscript:x",
      "file:///etc/passwd",
      "blob:https://example.org/1",
      "/inspect/",
      "#/sessions/x",
      "//example.org",
      "https://good.example@evil.example/",
      ""
    ])
      assert.isNull(linkOf(href), href)
  })
})
