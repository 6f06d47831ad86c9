/** The data dir is made where it can be, for its owner only, and what can't be used is said. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import * as DataDir from "../src/dataDir.ts"

const inDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "troupe-dir-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)
const modeOf = (path: string) => statSync(path).mode & 0o777

describe("a data dir", () => {
  it.effect("is made with the directories above it, readable by its owner only, and may be there", () =>
    Effect.gen(function* () {
      const within = yield* inDirectory
      const path = join(within, "a", "b")
      yield* DataDir.open(path)
      yield* DataDir.open(path)
      assert.deepStrictEqual([join(within, "a"), path].map(modeOf), [0o700, 0o700])
    })
  )

  it.effect("can't be below a file", () =>
    Effect.gen(function* () {
      const within = yield* inDirectory
      writeFileSync(join(within, "file"), "")
      for (const path of [join(within, "file"), join(within, "file", "a")]) {
        const { message } = yield* Effect.flip(DataDir.open(path))
        assert.match(message, /can't be used: (EEXIST|ENOTDIR): .*\. Name another with --data-dir\.$/)
      }
    })
  )

  it.effect.skipIf(process.platform !== "linux")("can't be where the system has no directory to make", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(DataDir.open("/proc/nope/at/all"))
      assert.match(
        message,
        /^The data dir \/proc\/nope\/at\/all can't be used: ENOENT: .* Name another with --data-dir\.$/
      )
    })
  )
})
