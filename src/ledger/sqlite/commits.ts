/** The number of a writer's last commit: how a commit whose answer was lost is recognised. */
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import type { Database, Write } from "./Database.ts"
import type { LedgerError } from "../LedgerError.ts"

export interface CommitNumbers {
  /** Part of the transaction that it numbers. Numbers count from 1; the first also removes rows of ended writers. */
  readonly numbered: (nth: number, at: number) => ReadonlyArray<Write>
  /** Whether the commit with this number is stored. */
  readonly isStored: (nth: number) => Effect.Effect<boolean, LedgerError>
}

/** Rows of writers that wrote nothing for so long are removed. */
const keptMillis = 7 * 86_400_000

export const forWriter = (db: Database): CommitNumbers => {
  const writer = randomUUID()
  return {
    numbered: (nth, at) => [
      {
        text: "INSERT INTO commits (writer, nth, at) VALUES (?, ?, ?) ON CONFLICT (writer) DO UPDATE SET nth = excluded.nth, at = excluded.at",
        params: [writer, nth, at]
      },
      ...(nth === 1 ? [{ text: "DELETE FROM commits WHERE at < ?", params: [at - keptMillis] }] : [])
    ],
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
