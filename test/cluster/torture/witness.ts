/**
 * What the database itself saw, whoever wrote it: triggers note each row of a session with the node that wrote it and the
 * session's owner at that commit. Nothing of Troupe's own checks is used.
 *
 * A node names itself by a setting of its connections (`troupe.node`), one name for each of its starts.
 */
import { rowsOf } from "./sql.ts"

/** In the address that a start of a node is given. */
export const connectionOptions = (writer: string) => `options=${encodeURIComponent(`-ctroupe.node=${writer}`)}`

const writer = "coalesce(nullif(current_setting('troupe.node', true), ''), '?')"
const nowMillis = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"

/** Deferred: it runs when the transaction is about to be committed, and sees what others have committed by then. */
const watches = (table: string, when: string, column: string) =>
  `CREATE CONSTRAINT TRIGGER witness_${table} AFTER ${when} ON ${table} DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION witness.wrote('${column}')`

const statements = [
  "CREATE SCHEMA witness",
  `CREATE TABLE witness.writes (n bigserial PRIMARY KEY, what text, session text, seq bigint, writer text, owner text,
    epoch bigint)`,
  "CREATE TABLE witness.tokens (token text PRIMARY KEY, writer text)",
  `CREATE TABLE witness.owners (n bigserial PRIMARY KEY, session text, writer text, before text, after text,
    epoch_before bigint, epoch_after bigint, lease_left bigint)`,
  "CREATE TABLE witness.leases (lease text PRIMARY KEY, session text, writer text, since bigint)",
  `CREATE FUNCTION witness.wrote() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO witness.writes (what, session, seq, writer, owner, epoch)
      SELECT TG_TABLE_NAME, s.id, (row_to_json(NEW) ->> TG_ARGV[0])::bigint, ${writer}, s.owner, s.epoch
      FROM sessions s WHERE s.id = NEW.session;
    RETURN NULL; END $$`,
  watches("events", "INSERT", "seq"),
  watches("steps", "INSERT", "seq"),
  watches("turns", "INSERT OR UPDATE", "idx"),
  `CREATE FUNCTION witness.joined() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO witness.tokens VALUES (NEW.token, ${writer}) ON CONFLICT DO NOTHING; RETURN NULL; END $$`,
  "CREATE TRIGGER witness_joined AFTER INSERT ON nodes FOR EACH ROW EXECUTE FUNCTION witness.joined()",
  `CREATE FUNCTION witness.moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO witness.owners (session, writer, before, after, epoch_before, epoch_after, lease_left)
      VALUES (NEW.id, ${writer}, OLD.owner, NEW.owner, OLD.epoch, NEW.epoch,
        (SELECT lease_until - ${nowMillis} FROM nodes WHERE token = OLD.owner));
    RETURN NULL; END $$`,
  `CREATE TRIGGER witness_moved AFTER UPDATE OF owner, epoch ON sessions FOR EACH ROW
    WHEN (OLD.owner IS DISTINCT FROM NEW.owner OR OLD.epoch <> NEW.epoch) EXECUTE FUNCTION witness.moved()`,
  `CREATE FUNCTION witness.leased() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO witness.leases VALUES (NEW.id, NEW.session, ${writer}, ${nowMillis}) ON CONFLICT (lease)
      DO UPDATE SET session = EXCLUDED.session, since = EXCLUDED.since WHERE witness.leases.session IS NULL;
    RETURN NULL; END $$`,
  // A spare's becomes a session's when that takes it.
  "CREATE TRIGGER witness_leased AFTER INSERT OR UPDATE OF session ON leases FOR EACH ROW EXECUTE FUNCTION witness.leased()"
]

/** Once the schema is there. */
export const install = async (url: string): Promise<void> => {
  for (const text of statements) await rowsOf(url, text)
}

export interface Witnessed {
  /** In the order of their commits, for rows of one session. */
  readonly writes: ReadonlyArray<{
    readonly what: string
    readonly session: string
    readonly seq: number
    readonly writer: string
    /** The token of the session's owner, and its epoch, when it was committed. */
    readonly owner: string | null
    readonly epoch: number
  }>
  /** The start of a node that each token is of. */
  readonly tokens: ReadonlyMap<string, string>
  readonly owners: ReadonlyArray<{
    readonly session: string
    readonly writer: string
    readonly before: string | null
    readonly after: string | null
    readonly epoch_before: number
    readonly epoch_after: number
    /** Of the lease of the owner before, in milliseconds; `null`: there was no such node. */
    readonly lease_left: number | null
  }>
  readonly leases: ReadonlyArray<{
    readonly lease: string
    readonly session: string | null
    readonly writer: string
    /** When it became its session's, in milliseconds since 1970. */
    readonly since: number
  }>
}

export const read = async (url: string): Promise<Witnessed> => {
  const tokens = (await rowsOf(url, "SELECT token, writer FROM witness.tokens")) as unknown as ReadonlyArray<{
    readonly token: string
    readonly writer: string
  }>
  return {
    writes: (await rowsOf(
      url,
      "SELECT what, session, seq::int, writer, owner, epoch::int FROM witness.writes ORDER BY n"
    )) as unknown as Witnessed["writes"],
    tokens: new Map(tokens.map(({ token, writer: of }) => [token, of])),
    owners: (await rowsOf(
      url,
      `SELECT session, writer, before, after, epoch_before::int, epoch_after::int, lease_left::float8
        FROM witness.owners ORDER BY n`
    )) as unknown as Witnessed["owners"],
    leases: (await rowsOf(
      url,
      "SELECT lease, session, writer, since::float8 FROM witness.leases"
    )) as unknown as Witnessed["leases"]
  }
}
