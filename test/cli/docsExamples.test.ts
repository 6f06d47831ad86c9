/** The examples of docs/ run: those in a shell print what the pages say, those of the library and of Effect end well. */
import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { masked, withAnswers, withServer } from "../../scripts/docs/examples.ts"
import { main } from "../builtProgram.ts"

const root = join(import.meta.dirname, "..", "..")
const page = (name: string) => readFileSync(join(root, "docs", name), "utf8")

const sources: Readonly<Record<string, string>> = {
  troupe: "src/index.ts",
  "troupe/promise": "src/promise.ts",
  "troupe/client": "src/http/Client.ts"
}

/** The programs of a page, on the sources of the package that they name. */
const programsOf = (name: string): ReadonlyArray<readonly [file: string, text: string]> =>
  [...page(name).matchAll(/```ts\n([^]*?)```/g)].map(([, code = ""], index) => [
    `${name.replace(".md", "")}-${index}.ts`,
    code.replaceAll(
      /from "(troupe[\w/]*)"/g,
      (_, entry: string) => `from ${JSON.stringify(join(root, sources[entry] ?? entry))}`
    )
  ])

describe("examples of the pages", () => {
  it.each(["quick-start.md", "http.md"])(
    "%s prints what it says: `npm run readme` brings it up to date",
    async (name) => {
      assert.strictEqual(masked(await withAnswers(page(name), main)), masked(page(name)))
    },
    120_000
  )

  it("those of the library and of Effect run, and print something", async () => {
    const directory = mkdtempSync(join(tmpdir(), "troupe-examples-"))
    const programs = ["library.md", "effect.md"].flatMap(programsOf)
    assert.isAbove(programs.length, 5)
    symlinkSync(join(root, "node_modules"), join(directory, "node_modules"))
    writeFileSync(join(directory, "package.json"), '{"type":"module"}')
    for (const [file, text] of programs) writeFileSync(join(directory, file), text)
    // One after the other in one process, because most of the time goes into loading the sources.
    const all = programs.map(([file]) => `console.log("-- ${file}")\nawait import("./${file}")`).join("\n")
    writeFileSync(join(directory, "all.ts"), all)
    try {
      const printed = await withServer(async (url, cwd) => {
        const token = readFileSync(join(cwd, ".troupe", "app-token"), "utf8").trim()
        const env = { ...process.env, TROUPE_URL: url, TROUPE_TOKEN: token }
        const options = { cwd: directory, env, timeout: 100_000 }
        return (await promisify(execFile)(process.execPath, ["all.ts"], options)).stdout
      }, main)
      const silent = printed.split(/^-- /m).filter((part) => part !== "" && part.trim().split("\n").length < 2)
      assert.deepStrictEqual(silent, [], printed)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }, 120_000)
})
