/** A disk that fills below a running server: clear refusals, nothing accepted and lost, and it goes on with room again. */
import { assert, describe, it } from "@effect/vitest"
import { execFile, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"

const program = new URL("fullDisk.ts", import.meta.url).pathname

/** In a space of mounts of its own, which nobody else sees, and which is gone with the program. */
const onDisk = (dataDir: string) => [
  "-m",
  "sh",
  "-c",
  `mount -t tmpfs -o size=12m none '${dataDir}' && exec "$@"`,
  "sh"
]

const canMount = spawnSync("unshare", [...onDisk(tmpdir()), "true"]).status === 0

describe.skipIf(!canMount)("a server whose disk of 12 MB fills three times, and once more when it is killed", () => {
  it.each(process.env["RELIABILITY"] === "whole" ? [0, 4, 16, 32, 64, 128, 256, 512] : [0, 32])(
    "refuses clearly, loses nothing and goes on: %i kB are left",
    { timeout: 300_000 },
    async (kilobytes) => {
      const directory = mkdtempSync(join(tmpdir(), "troupe-disk-"))
      const dataDir = join(directory, ".troupe")
      mkdirSync(dataDir)
      try {
        const args = [...onDisk(dataDir), process.execPath, program, directory, String(kilobytes)]
        const { stdout } = await promisify(execFile)("unshare", args)
        console.log(`${kilobytes} kB left: ${stdout.trim()}`)
        const { fullWhileItRan, refusedWhileFull } = JSON.parse(stdout)
        // With room left for some commits it may not come to notice within the time.
        if (kilobytes === 0) assert.isAbove(fullWhileItRan * refusedWhileFull, 0)
      } finally {
        rmSync(directory, { recursive: true, force: true })
      }
    }
  )
})
