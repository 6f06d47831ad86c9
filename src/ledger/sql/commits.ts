/** The number of a writer's last commit: how a commit whose answer was lost is recognised. */
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import type { Database, Write } from "./Database.ts"
import type { LedgerError } from "../LedgerError.ts"

export interface CommitNumbers {
  /** Part of the transaction that it numbers. Numbers count from 1; the first also removes rows of ended writers. */
  readonly numbered: (nth: number, at: number) => ReadonlyArray<Write>
  /** A numbered transaction is stored. */
  readonly stored: () => void
  /** Whether the commit with this number is stored. */
  readonly isStored: (nth: number) => Effect.Effect<boolean, LedgerError>
}

/** Rows of writers that wrote nothing for so long are removed: far longer than any of them lives without writing. */
const keptMillis = 365 * 86_400_000

export const forWriter = (db: Database): CommitNumbers => {
  const writer = randomUUID()
  let hasRow = false
  return {
    numbered: (nth, at) => {
      // Cheaper than an upsert, and in every commit but the first.
      if (hasRow) return [{ text: "UPDATE commits SET nth = ?, at = ? WHERE writer = ?", params: [nth, at, writer] }]
      return [
        { text: "DELETE FROM commits WHERE at < ?", params: [at - keptMillis] },
        {
          text: `INSERT INTO commits (writer, nth, at) VALUES (?, ?, ?)
          ON CONFLICT (writer) DO UPDATE SET nth = excluded.nth, at = excluded.at`,
          params: [writer, nth, at]
        }
      ]
    },
    stored: () => void (hasRow = true),
    isStored: (nth) =>
      db
        .all(
          "look whether a commit is stored",
          "SELECT 1 FROM commits WHERE writer = ? AND nth >= ?",
          [writer, nth],
          () => true
        )
        .pipe(Effect.map((rows) => rows.length > 0))
  }
}
