/** The ledger's contract names no driver, and one module chooses it: another driver changes `src/wiring.ts` alone. */
import { assert, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "../..")
const importing = (what: RegExp, files: string) =>
  globSync(files, { cwd: root }).filter((file) =>
    [...readFileSync(join(root, file), "utf8").matchAll(/\bfrom "([^"]+)"/g)].some(([, from]) => what.test(from ?? ""))
  )

it("only the SQLite driver of the ledger imports SQLite and its own files", () => {
  const files = importing(/sqlite/i, "src/ledger/**/*.ts").filter((file) => !file.startsWith("src/ledger/sqlite/"))
  assert.deepStrictEqual(files, ["src/ledger/SqliteLedger.ts"])
})

it("the statements that databases share import no driver and no client", () => {
  assert.deepStrictEqual(importing(/sqlite|postgres|effect\/sql|@effect\/sql/i, "src/ledger/sql/**/*.ts"), [])
})

it("only the wiring imports the ledger's SQLite driver", () => {
  const files = importing(/ledger\/(SqliteLedger|sqlite\/)/, "{src,machines}/**/*.{ts,tsx}")
  assert.deepStrictEqual(files, ["src/wiring.ts"])
})
