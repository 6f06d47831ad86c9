/**
 * Copies of agents' own conversations, by which they go on with them on another node: `capsules` says what of the file is
 * there, `capsule_parts` has it in pieces. Of a turn, how much of the conversation its agent had on such a node.
 */
export default [
  `CREATE TABLE capsules (
    session text COLLATE "C" PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    thread text COLLATE "C" NOT NULL,
    turn bigint NOT NULL,
    node text COLLATE "C" NOT NULL,
    epoch bigint NOT NULL,
    path text NOT NULL,
    bytes bigint NOT NULL,
    hash text COLLATE "C" NOT NULL,
    series bigint NOT NULL,
    parts bigint NOT NULL,
    stored_at bigint NOT NULL
  )`,
  "CREATE INDEX capsules_by_thread ON capsules (thread)",
  `CREATE TABLE capsule_parts (
    session text COLLATE "C" NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    series bigint NOT NULL,
    nth bigint NOT NULL,
    data text NOT NULL,
    PRIMARY KEY (session, series, nth)
  )`,
  // It is compressed already.
  "ALTER TABLE capsule_parts ALTER COLUMN data SET STORAGE EXTERNAL",
  "ALTER TABLE turns ADD COLUMN context_as_of bigint",
  "ALTER TABLE turns ADD COLUMN workdir_lost bigint NOT NULL DEFAULT 0"
]
