import { assert, describe, it } from "@effect/vitest"
import { Cause } from "effect"
import { endingOf } from "../../src/cli/failures.ts"
import * as OpenFiles from "../../src/cli/openFiles.ts"

const remedy = "Raise the limit (`ulimit -n`, systemd's LimitNOFILE)."

describe("the limit of open files", () => {
  it("is read from the kernel, and infinite where it can't be", () => {
    assert.isAbove(OpenFiles.limit(), OpenFiles.least - 1)
    assert.strictEqual(OpenFiles.limit("/no/such/file"), Infinity)
    assert.isNull(OpenFiles.tooFew(Infinity))
  })

  it("is what a failure or a defect for want of open files names, with its file, and no other failure", () => {
    const open = "EMFILE: too many open files, open '/data/app-token'"
    const said = `Troupe has as many files open as it may (${open}). ${remedy}`
    const messageOf = (cause: Cause.Cause<unknown>) => endingOf(cause).report?.message
    const failure = new Error(`The data dir /data can't be used: ${open}. Name another with --data-dir.`)
    assert.strictEqual(messageOf(Cause.fail(failure)), said)
    assert.strictEqual(messageOf(Cause.die(new Error(open))), said)
    const locked = new Error(`The ledger /data could not be locked (${open}). Check that the data dir is writable.`)
    assert.strictEqual(messageOf(Cause.fail(locked)), said)
    const other = new Error("The data dir /data can't be used: EACCES: permission denied, open '/data/app-token'.")
    assert.strictEqual(messageOf(Cause.fail(other)), other.message)
  })
})
