/** The lock of a data dir: one Troupe at a time works on it. A file beside it says for people who holds it. */
import { Clock, Effect } from "effect"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { LedgerUnusable } from "../LedgerError.ts"
import * as LockFile from "../lockFile.ts"

/** Holds the lock until the scope closes. Fails at once where another process, or this one, holds it. */
export const hold = Effect.fn("Lock.hold")(function* (directory: string) {
  const filename = join(directory, "lock")
  const holder = join(directory, "lock.json")
  const since = yield* Clock.currentTimeMillis
  const lock = () => {
    const held = LockFile.take(filename)
    try {
      writeFileSync(holder, JSON.stringify({ pid: process.pid, since: new Date(since).toISOString() }), { mode: 0o600 })
    } catch (cause) {
      held.release()
      throw cause
    }
    return held
  }
  yield* Effect.acquireRelease(
    Effect.try({ try: lock, catch: (cause) => unusable(directory, holder, cause) }),
    (held) =>
      Effect.sync(() => {
        // Before the lock is released: afterwards the file may be another holder's. It only says for people who holds the
        // lock, so that it can't be removed is no failure, and must not take the place of one that the start ended with.
        try {
          rmSync(holder, { force: true })
        } catch {
          // The next holder writes it anew.
        }
        held.release()
      })
  )
})

const unusable = (directory: string, holder: string, cause: unknown): LedgerUnusable =>
  LockFile.isHeld(cause)
    ? new LedgerUnusable({
        location: directory,
        problem: `is held by ${holderOf(holder)}`,
        remedy: "One Troupe works on a data dir at a time: stop that one, or give this one another with --data-dir."
      })
    : new LedgerUnusable({
        location: directory,
        problem: `could not be locked (${cause instanceof Error ? cause.message : String(cause)})`,
        remedy: "Check that the data dir is writable for this user and on a file system that knows locks.",
        cause
      })

const holderOf = (file: string): string => {
  try {
    const { pid, since }: { readonly pid?: unknown; readonly since?: unknown } = JSON.parse(readFileSync(file, "utf8"))
    return `the Troupe with pid ${String(pid)}, since ${String(since)}`
  } catch {
    // The holder is about to write the file, or the disk is full. The lock is held all the same.
    return "another Troupe"
  }
}
