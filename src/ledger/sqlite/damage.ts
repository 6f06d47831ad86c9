/** Looks for damage in a ledger's file. SQLite itself notices a page only when it reads it, and then answers with an error. */
import { Effect } from "effect"
import { existsSync, statSync } from "node:fs"
import { DatabaseSync } from "./nodeSqlite.ts"

/** The first problem that SQLite's `quick_check` finds, in its words, or why it can't look; `null`: none, or no file. */
export const find = (filename: string): Effect.Effect<string | null> =>
  Effect.sync(() => {
    try {
      return sizeOf(filename) === 0 ? null : check(filename)
    } catch (cause) {
      return cause instanceof Error ? cause.message : String(cause)
    }
  })

/** A check reads the whole file, some hundred megabytes a second; a start waits for no more than this. */
const mostCheckedBytes = 256 * 1024 * 1024

/**
 * The same for a start. A larger file is not checked: `troupe doctor` does that. Where it can't look, whoever opens the
 * file says why.
 */
export const findQuickly = (filename: string): Effect.Effect<string | null> =>
  Effect.sync(() => {
    try {
      const size = sizeOf(filename)
      return size === 0 || size > mostCheckedBytes ? null : check(filename)
    } catch {
      return null
    }
  })

const sizeOf = (filename: string): number =>
  filename === ":memory:" || !existsSync(filename) ? 0 : statSync(filename).size

const check = (filename: string): string | null => {
  const db = new DatabaseSync(filename, { readOnly: true })
  try {
    const { quick_check: answer } = db.prepare("PRAGMA quick_check(1)").get() as { readonly quick_check: string }
    return answer === "ok" ? null : answer.replace(/\s*\n\s*/g, " ")
  } finally {
    db.close()
  }
}
