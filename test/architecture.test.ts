/** docs/ARCHITECTURE.md names files and folders that exist, and links to pages that exist. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")
const text = readFileSync(join(root, "docs", "ARCHITECTURE.md"), "utf8")

/** A path that begins with none of these folders is below `src/`, as the document says. */
const folders: ReadonlySet<string> = new Set(["machines", "src", "test", "docs", "scripts"])

const pathOf = (name: string): string => (folders.has(name.split("/", 1)[0] ?? "") ? name : join("src", name))

const missing = (paths: ReadonlyArray<string>) => paths.filter((path) => !existsSync(join(root, path)))

describe("docs/ARCHITECTURE.md", () => {
  it("names only files and folders that exist", () => {
    const named = [...text.matchAll(/`((?:[\w.-]+\/)+(?:[\w-]+(?:\.\w+)*\.(?:tsx?|md))?)`/g)].map(
      ([, name]) => name ?? ""
    )
    assert.isAbove(named.length, 80)
    assert.deepStrictEqual(missing(named.map(pathOf)), [])
  })

  it("links only to pages that exist", () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, target]) => join("docs", target ?? ""))
    assert.isAbove(links.length, 10)
    assert.deepStrictEqual(missing(links), [])
  })
})
