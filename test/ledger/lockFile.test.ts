/** A lock that a process holds is held for it and for all others, whoever tries. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import process from "node:process"
import * as LockFile from "../../src/ledger/lockFile.ts"
import { scratchFile } from "./samples.ts"

const module = new URL("../../src/ledger/lockFile.ts", import.meta.url).href
const script = `
  const { isHeld, take } = await import(${JSON.stringify(module)})
  try { take(process.argv[1]).release(); console.log("free") } catch (cause) { console.log(isHeld(cause) ? "held" : cause) }
`
const elsewhere = (file: string) =>
  execFileSync(process.execPath, ["--input-type=module", "-e", script, file], { encoding: "utf8" }).trim()

it.effect("a lock outlives an attempt of its own process to take it again", () =>
  Effect.gen(function* () {
    const file = yield* scratchFile
    const lock = LockFile.take(file)
    let refused: unknown
    try {
      LockFile.take(file)
    } catch (cause) {
      refused = cause
    }
    assert.isTrue(LockFile.isHeld(refused))
    assert.strictEqual(elsewhere(file), "held")
    lock.release()
    assert.strictEqual(elsewhere(file), "free")
  }).pipe(Effect.scoped)
)
