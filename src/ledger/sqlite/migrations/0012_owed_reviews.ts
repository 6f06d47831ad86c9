/**
 * The reviews that are due and have not begun, so that those that wait in line survive Troupe's death. A row is written
 * with the count that makes the review due, and removed with the beginning of the review.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(`CREATE TABLE owed_reviews (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    turn INTEGER NOT NULL,
    review_memory INTEGER NOT NULL,
    review_skills INTEGER NOT NULL,
    PRIMARY KEY (session, turn),
    CHECK (review_memory + review_skills > 0)
  ) STRICT, WITHOUT ROWID`)
})
