/**
 * Who writes for a session: the node that owns it, in the epoch of its last claim. `nodes` has those that work on the
 * ledger, `claims` each change of owner.
 */
export default [
  // As `must`, where the row that is not found is another node's.
  `CREATE FUNCTION must_own(owned bigint, reason text) RETURNS bigint LANGUAGE plpgsql AS $$
  BEGIN
    IF owned = 0 THEN RAISE EXCEPTION '%', reason USING ERRCODE = 'TR002'; END IF;
    RETURN owned;
  END $$`,
  `ALTER TABLE sessions ADD COLUMN owner text COLLATE "C"`,
  "ALTER TABLE sessions ADD COLUMN epoch bigint NOT NULL DEFAULT 0",
  `ALTER TABLE leases ADD COLUMN node text COLLATE "C"`,
  // Each node writes its row every second.
  `CREATE TABLE nodes (
    token text COLLATE "C" PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    url text,
    version text NOT NULL,
    joined_at bigint NOT NULL,
    lease_until bigint,
    draining bigint NOT NULL
  ) WITH (fillfactor = 70)`,
  `CREATE TABLE claims (
    session text COLLATE "C" NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    epoch bigint NOT NULL,
    owner text COLLATE "C" NOT NULL,
    node text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    after_step bigint NOT NULL,
    PRIMARY KEY (session, epoch)
  )`
]
