/** The ledger's contract names no driver, and one module chooses it: another driver changes `src/wiring.ts` alone. */
import { assert, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "../..")
const importing = (what: RegExp, files: string) =>
  globSync(files, { cwd: root }).filter((file) =>
    [...readFileSync(join(root, file), "utf8").matchAll(/\bfrom "([^"]+)"/g)].some(([, from]) => what.test(from ?? ""))
  )

it("only the SQLite driver of the ledger, and a lock that SQLite has on a file, import SQLite and its own files", () => {
  const files = importing(/sqlite/i, "src/ledger/**/*.ts").filter((file) => !file.startsWith("src/ledger/sqlite/"))
  assert.deepStrictEqual(files, ["src/ledger/SqliteLedger.ts", "src/ledger/lockFile.ts"])
})

it("the statements that databases share import no driver and no client", () => {
  assert.deepStrictEqual(importing(/sqlite|postgres|effect\/sql|@effect\/sql/i, "src/ledger/sql/**/*.ts"), [])
})

it("only the PostgreSQL driver of the ledger imports PostgreSQL's client and its own files", () => {
  const files = importing(/postgres|sql-pg/i, "src/ledger/**/*.ts").filter(
    (file) => !file.startsWith("src/ledger/postgres/")
  )
  assert.deepStrictEqual(files, ["src/ledger/PostgresLedger.ts"])
})

it("PostgreSQL's client is imported as types alone, and loaded when a database is opened", () => {
  for (const file of globSync("src/**/*.ts", { cwd: root })) {
    const values = readFileSync(join(root, file), "utf8").match(/^import (?!type).*"@effect\/sql-pg.*$/gm)
    assert.isNull(values, file)
  }
})

it("only the wiring imports the ledger's drivers", () => {
  const files = importing(/ledger\/(SqliteLedger|sqlite\/|PostgresLedger|postgres\/)/, "{src,machines}/**/*.{ts,tsx}")
  assert.deepStrictEqual(files, ["src/wiring.ts"])
})
