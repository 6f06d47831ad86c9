/**
 * The temporary directory of one run of tests, in which all others are made: removed at its end, and where the run is killed by
 * the next one. Vitest calls it before it starts its workers, which inherit the variable.
 */
import { chmodSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { Effect } from "effect"
import * as Temporary from "../src/temporary.ts"

export default function setup(): () => void {
  Effect.runSync(Temporary.sweep)
  const own = Temporary.make(tmpdir())
  // PostgreSQL does not run as root, and is to find its own directory in it.
  chmodSync(own.path, 0o711)
  process.env["TMPDIR"] = own.path
  // A scripted agent begins a thousand times: from here in a third of the processor time, as its types are taken out once.
  process.env["NODE_COMPILE_CACHE"] = join(own.path, "compiled")
  return own.remove
}
