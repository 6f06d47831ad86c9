/** Gives the space of deleted rows back to the file system. SQLite keeps it in the file otherwise, for rows to come. */
import { Effect } from "effect"
import type { Database } from "../sql/Database.ts"

/** Half a megabyte, and some milliseconds in which nothing else is written. */
const pagesAtOnce = 256
/** Some 64 MiB. What is left then is given back by the next call. */
const mostRounds = 128

/**
 * The number of pages that were given back. 0 in a file of 0.1.0, which can't be shrunk in steps: `sqlite3 FILE VACUUM`
 * shrinks it.
 */
export const giveBack = (db: Database) => {
  const free = db
    .all(
      "count the free pages",
      "PRAGMA freelist_count",
      [],
      (row: { readonly freelist_count: number }) => row.freelist_count
    )
    .pipe(Effect.map(([count = 0]) => count))
  // The driver takes one step of a statement that returns no columns, and a step of this one gives back one page.
  const page = { text: "PRAGMA incremental_vacuum(1)", params: [] }
  const round = (pages: number) =>
    db.commit(
      "give back free pages",
      Array.from({ length: pages }, () => page)
    )

  return Effect.gen(function* () {
    const before = yield* free
    let left = before
    for (let rounds = 0; left > 0 && rounds < mostRounds; rounds++) {
      yield* round(Math.min(left, pagesAtOnce))
      yield* Effect.yieldNow
      const now = yield* free
      if (now === left) break
      left = now
    }
    return before - left
  })
}
