/**
 * An exclusive lock on a file of SQLite's. The kernel releases it when the process ends, however it ended. So no lock can be
 * stale after a SIGKILL or a power cut, and a reused pid can't be mistaken for the holder.
 */
import { closeSync, openSync } from "node:fs"
import { DatabaseSync } from "./sqlite/nodeSqlite.ts"

export interface HeldLock {
  readonly release: () => void
}

/** Throws where another process, or this one, holds it (`isHeld` of the error), and where it can't be locked. */
export const take = (file: string): HeldLock => {
  makePrivate(file)
  const db = new DatabaseSync(file)
  try {
    db.exec("BEGIN EXCLUSIVE")
  } catch (cause) {
    db.close()
    throw cause
  }
  return { release: () => db.close() }
}

export const isHeld = (cause: unknown): boolean =>
  cause instanceof Error && "errcode" in cause && cause.errcode === sqliteBusy

/** SQLITE_BUSY: another connection has the file locked. */
const sqliteBusy = 5

/**
 * Created before SQLite would, so that only its user can read it. One that is there is not opened here: with the first of its
 * descriptors that a process closes, the kernel releases all locks that the process has on the file.
 */
const makePrivate = (file: string): void => {
  try {
    closeSync(openSync(file, "wx", 0o600))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause
  }
}
