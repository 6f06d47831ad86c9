/** The README says what is so: its stories go on as they should, its scripts exist, its links lead somewhere. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")
const readme = readFileSync(join(root, "README.md"), "utf8")

describe("README.md", () => {
  it("tells a session that loses its process and carries on", () => {
    const [, story = ""] = /```text\n\$ troupe demo\n([^]*?)```/.exec(readme) ?? []
    assert.match(story, /kill -9 \d+[^]*\["Remember: the answer is 42\."[^]*no process is left/)
  })

  it("shows a conversation in which a person is asked twice, and interrupts", () => {
    const [, story = ""] = /```text\n\$ troupe chat.*\n([^]*?)```/.exec(readme) ?? []
    assert.match(
      story,
      /^\? execute: .*\n.*\n.* › yes, once\n◆ .* ✓\n[^]*^\? execute: .*\n.*\n.* › no\n◆ .* \[declined\]\n/m
    )
    assert.match(story, /\^C [^]*— interrupted\n[^]*No process is left\./)
  })

  it("names scripts that there are, and links to files that there are", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      readonly scripts: Readonly<Record<string, string>>
    }
    const named = [...readme.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name]) => name ?? "")
    assert.deepStrictEqual(
      named.filter((name) => !(name in scripts)),
      []
    )
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, target]) => target ?? "")
    assert.deepStrictEqual(
      links.filter((target) => !existsSync(join(root, target))),
      []
    )
  })
})
