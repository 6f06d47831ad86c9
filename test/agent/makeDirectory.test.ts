/** Directories are made with those above them, or it is said why not. */
import { assert, describe, it } from "@effect/vitest"
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { makeDirectory } from "../../src/agent/makeDirectory.ts"

const inTemporary = (test: (root: string) => void) => {
  const root = mkdtempSync(join(tmpdir(), "troupe-directories-"))
  try {
    test(root)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

describe("a directory", () => {
  it("is made with those above it, for its owner only, and may be there", () =>
    inTemporary((root) => {
      const path = join(root, "a", "b", "c")
      assert.deepStrictEqual([makeDirectory(path), makeDirectory(path)], [true, false])
      assert.deepStrictEqual(
        [join(root, "a"), path].map((made) => statSync(made).mode & 0o777),
        [0o700, 0o700]
      )
    }))

  it("can't be below a file", () =>
    inTemporary((root) => {
      writeFileSync(join(root, "file"), "")
      assert.throws(() => makeDirectory(join(root, "file", "a", "b")), /ENOTDIR/)
    }))

  it.skipIf(process.platform !== "linux")("can't be where the system has none to make, and that is said", () => {
    assert.throws(() => makeDirectory("/proc/nope/at/all"), /ENOENT/)
  })
})
