/**
 * Of a turn, what its submission is recognised by where it comes again, and the fingerprint of the request. NULL, as of most
 * that are there: it can't come again. Until now receipts of turns had it: what those lead to is moved to its turn, and one
 * that has its answer stays as that.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const statements = [
  "ALTER TABLE turns ADD COLUMN submission TEXT",
  "ALTER TABLE turns ADD COLUMN fingerprint TEXT",
  // A turn that never got a process slot had no key any more.
  `UPDATE turns SET submission = receipts.key, fingerprint = receipts.fingerprint FROM receipts
    WHERE turns.session = receipts.session AND turns.idx = receipts.turn
      AND (turns.failure IS NULL OR turns.failure NOT LIKE '%"class":"pool_full"%')`,
  "DELETE FROM receipts WHERE turn IS NOT NULL AND status IS NULL",
  "CREATE UNIQUE INDEX turns_by_submission ON turns (session, submission) WHERE submission IS NOT NULL"
]

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
