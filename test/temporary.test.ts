/** Temporary directories are left alone while their process runs, and removed by the next start when it was killed. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { vi } from "vitest"
import * as Temporary from "../src/temporary.ts"

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "troupe-temporary-"))
  for (const name of ["tmp", "cache"]) mkdirSync(join(root, name))
  vi.stubEnv("TMPDIR", join(root, "tmp"))
  vi.stubEnv("XDG_CACHE_HOME", join(root, "cache"))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true, force: true })
})

const holds = new URL("fixtures/temporary/holds.ts", import.meta.url).pathname

describe("temporary directories", () => {
  it.live("of a process that runs are left alone by another, and removed when it was killed", () =>
    Effect.gen(function* () {
      const child = spawn(process.execPath, [holds], { stdio: ["ignore", "pipe", "inherit"] })
      yield* Effect.addFinalizer(() => Effect.sync(() => child.kill("SIGKILL")))
      const [told] = yield* Effect.promise(() => once(child.stdout, "data"))
      const paths = JSON.parse(String(told)) as ReadonlyArray<string>
      assert.strictEqual(paths.filter((path) => path.startsWith(root)).length, 3)
      for (const path of paths) writeFileSync(join(path, "something"), "")
      yield* Temporary.sweep
      assert.isTrue(paths.every((path) => existsSync(join(path, "something"))))
      child.kill("SIGKILL")
      yield* Effect.promise(() => once(child, "exit"))
      yield* Temporary.sweep
      assert.deepStrictEqual(paths.filter(existsSync), [])
    }).pipe(Effect.scoped)
  )

  it.effect("of this process are left alone by it, too, and go with their scope", () =>
    Effect.gen(function* () {
      const path = yield* Effect.scoped(
        Effect.gen(function* () {
          const { launch, work } = yield* Temporary.parents
          assert.strictEqual(launch(), launch())
          assert.notStrictEqual(launch(), work())
          yield* Temporary.sweep
          assert.isTrue(existsSync(launch()) && existsSync(work()))
          return launch()
        })
      )
      assert.isFalse(existsSync(path))
      assert.deepStrictEqual(readdirSync(join(root, "cache", "troupe")), [])
    })
  )

  it.effect("without a lock are removed after a week", () =>
    Effect.gen(function* () {
      const at = (name: string) => join(root, name)
      const left = ["cache/troupe/troupe-agent-abcdef", "tmp/troupe-run-abcdef"].map(at)
      const kept = ["tmp/troupe-abcdef", "tmp/troupe-programs-abcdef", "tmp/other-agent-abcdef"].map(at)
      const young = at("tmp/troupe-run-ghijkl")
      for (const path of [...left, ...kept, young]) mkdirSync(path, { recursive: true })
      const longAgo = Date.now() / 1000 - 8 * 24 * 3600
      for (const path of [...left, ...kept]) utimesSync(path, longAgo, longAgo)
      yield* Temporary.sweep
      assert.deepStrictEqual(left.filter(existsSync), [])
      assert.deepStrictEqual([...kept, young].filter(existsSync), [...kept, young])
    })
  )
})
