/** A session whose stored snapshot is damaged: its other rows can be read, and no other session suffers. */
import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { anyText, anyValue, changed, damaged, jsonOf } from "./arbitraries.ts"
import { fuzz } from "./fuzz.ts"
import { assertNoDefect, withServer } from "./server.ts"

it("a damaged snapshot is refused with its session's name, and costs nothing else", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "troupe-fuzz-"))
  try {
    await withServer(
      async ({ run, token, troupe }) => {
        const sound = await run(troupe.create(token))
        const id = await run(troupe.create(token))
        const database = new DatabaseSync(join(dataDir, "troupe.sqlite"))
        const [row] = database.prepare("SELECT snapshot FROM sessions WHERE id = ?").all(id)
        const stored = JSON.parse(String(row?.["snapshot"])) as unknown
        const update = database.prepare("UPDATE sessions SET snapshot = ? WHERE id = ?")
        await fuzz({
          name: "snapshots",
          share: 0.01,
          isSlow: true,
          arbitrary: fc.oneof(
            { weight: 4, arbitrary: changed([stored]).map(jsonOf) },
            { weight: 2, arbitrary: damaged(fc.constant(jsonOf(stored))).map(String) },
            { weight: 1, arbitrary: fc.oneof(anyText, anyValue.map(jsonOf)) }
          ),
          run: async (snapshot) => {
            update.run(snapshot, id)
            for (const [path, method] of [
              [`/sessions/${id}`, "GET"],
              ["/sessions", "GET"],
              [`/sessions/${id}/turns`, "GET"],
              [`/inspect/api/sessions/${id}`, "GET"],
              ["/inspect/api/sessions", "GET"],
              [`/sessions/${id}/interrupt`, "POST"]
            ] as const) {
              const { status, text } = await run(troupe.call(path, { token, method }))
              assert.notStrictEqual(status, 500, `${method} ${path} with ${snapshot}: ${text}`)
            }
            const other = await run(troupe.call(`/sessions/${sound}/interrupt`, { token, method: "POST" }))
            assert.strictEqual(other.status, 200)
            assertNoDefect(troupe)
          }
        })
        database.close()
      },
      { dataDir }
    )
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})
