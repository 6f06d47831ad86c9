/** `troupe backup` beside a server that works, and what `troupe doctor --data` says of what was restored. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { makeWorkspace } from "./program.ts"
import type { Workspace } from "./program.ts"
import { openServer, sessionOf, untilSpeaking } from "./server.ts"

let workspace: Workspace
beforeEach(() => {
  workspace = makeWorkspace()
})
afterEach(() => workspace.cleanUp())

const levelsOf = async (path: string) => {
  const { code, stdout } = await workspace.run(["doctor", "--data", path, "--json"])
  const { checks } = JSON.parse(stdout) as {
    readonly checks: ReadonlyArray<{ readonly what: string; readonly level: string }>
  }
  const levels: Readonly<Record<string, unknown>> = {
    code,
    ...Object.fromEntries(checks.map(({ level, what }) => [what, level]))
  }
  return levels
}

describe("troupe backup", () => {
  it("copies the ledger while a turn runs, and a server goes on with what was restored", async () => {
    const dataDir = join(workspace.cwd, ".troupe")
    const copy = join(workspace.cwd, "copy.sqlite")
    const server = await openServer(workspace)
    const id = await sessionOf(server)
    await server.call("POST", `/sessions/${id}/turn`, { prompt: "Remember 42." })
    const form = new FormData()
    form.append("file", new Blob(["a note"]), "note.txt")
    const headers = { authorization: `Bearer ${server.token}` }
    assert.strictEqual((await fetch(`${server.url}/files`, { method: "POST", headers, body: form })).status, 200)
    void server.call("POST", `/sessions/${id}/turn`, { prompt: "slow 5000 5" }).catch(() => "gone")
    await untilSpeaking(server, id, "word1")

    const made = await workspace.run(["backup", "copy.sqlite"])
    assert.deepStrictEqual([made.code, made.stdout], [0, `${copy}\n`])
    assert.match(made.stderr, /^A restore also needs, at the same paths: .*files, .*sessions, .*admin-token/m)
    assert.strictEqual(statSync(copy).mode & 0o777, 0o600)
    assert.deepStrictEqual(await levelsOf("copy.sqlite"), { code: 0, ledger: "ok", schema: "ok" })
    const again = await workspace.run(["backup", "copy.sqlite"])
    assert.deepStrictEqual([again.code, again.stdout], [1, ""])
    assert.match(again.stderr, /^troupe: .*copy\.sqlite is there already\..*\n$/)

    server.program.child.kill("SIGKILL")
    await server.program.ended
    const lost = join(workspace.cwd, "lost")
    renameSync(dataDir, lost)
    mkdirSync(dataDir, { mode: 0o700 })
    renameSync(copy, join(dataDir, "troupe.sqlite"))
    const bare = await levelsOf(".troupe")
    assert.deepInclude(bare, { code: 1, ledger: "ok", place: "ok", files: "fails", directories: "warn" })
    for (const name of ["files", "sessions", "demo", "admin-token", "app-token"]) {
      if (existsSync(join(lost, name))) cpSync(join(lost, name), join(dataDir, name), { recursive: true })
    }
    const whole = { ledger: "ok", schema: "ok", place: "ok", files: "ok", directories: "ok", "admin token": "ok" }
    assert.deepStrictEqual(await levelsOf(".troupe"), { code: 0, ...whole })
    rmSync(lost, { recursive: true })

    const next = await openServer(workspace)
    const { final_text } = await next.call("POST", `/sessions/${id}/turn`, { prompt: "recall" })
    assert.include(String(final_text), '"Remember 42."')
  })

  it("says in one line what to do where the ledger is in PostgreSQL, or there is none", async () => {
    const [postgres, none, nowhere] = await Promise.all([
      workspace.run(["backup", "copy"], { TROUPE_DATABASE_URL: "postgres://user:secret@db/troupe" }),
      workspace.run(["backup", "copy"]),
      levelsOf("nowhere")
    ])
    assert.deepStrictEqual([postgres.code, none.code, nowhere["code"]], [2, 1, 1])
    assert.match(postgres.stderr, /^troupe: The ledger is in PostgreSQL: back it up by pg_dump .*\n$/)
    assert.match(none.stderr, /^troupe: The data dir .* has no ledger: .*\n$/)
    assert.deepStrictEqual(readdirSync(workspace.cwd), [])
  })
})
