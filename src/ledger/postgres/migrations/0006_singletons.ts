/**
 * What nodes do beside each other: who runs a review, on whose disk an uploaded file is, and an index of the sessions that
 * need an actor, so that those of dead nodes are found without a look at all others.
 */
export default [
  `ALTER TABLE reviews ADD COLUMN owner text COLLATE "C"`,
  `ALTER TABLE files ADD COLUMN node text COLLATE "C"`,
  "CREATE INDEX sessions_restless ON sessions (id) WHERE closed_at IS NULL AND substate <> 'idle.asleep'"
]
