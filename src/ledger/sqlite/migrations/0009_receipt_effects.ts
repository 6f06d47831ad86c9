/**
 * What the request of an Idempotency-Key brought about: the session that it created, the turn that it submitted, or the
 * lease of its one-shot run. The receipt is inserted in the transaction that accepts the request, so a crash leaves both
 * or neither.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const column of ["session TEXT", "turn INTEGER", "lease TEXT"]) {
    yield* sql.unsafe(`ALTER TABLE receipts ADD COLUMN ${column}`)
  }
})
