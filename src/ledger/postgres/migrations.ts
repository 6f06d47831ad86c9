/**
 * The migrations in their order, each a list of statements. They are forward only, and never edited once released.
 *
 * Programs of an earlier version may work on a schema beside this one's, or again after it: a migration adds tables, indexes,
 * and columns that have a default or may be NULL. One that takes away or changes what they use says so itself, in its last
 * statement: `UPDATE schema_use SET usable_from = <its number>` (decision 0033).
 */
import ledger from "./migrations/0001_ledger.ts"
import owners from "./migrations/0002_owners.ts"
import submissions from "./migrations/0003_submissions.ts"
import capsules from "./migrations/0004_capsules.ts"
import placement from "./migrations/0005_placement.ts"
import singletons from "./migrations/0006_singletons.ts"
import claimReasons from "./migrations/0007_claim_reasons.ts"
import deadNodes from "./migrations/0008_dead_nodes.ts"
import eventRows from "./migrations/0009_event_rows.ts"
import webhooks from "./migrations/0010_webhooks.ts"
import openTurns from "./migrations/0011_open_turns.ts"
import lastOutcomes from "./migrations/0012_last_outcomes.ts"
import fleet from "./migrations/0013_fleet.ts"
import openings from "./migrations/0014_openings.ts"
import sessionPieces from "./migrations/0015_session_pieces.ts"

export const migrations: ReadonlyArray<ReadonlyArray<string>> = [
  ledger,
  owners,
  submissions,
  capsules,
  placement,
  singletons,
  claimReasons,
  deadNodes,
  eventRows,
  webhooks,
  openTurns,
  lastOutcomes,
  fleet,
  openings,
  sessionPieces
]

export const migrationsTable = "troupe_migrations"

/** The newest version of the schema that this Troupe knows. */
export const latestVersion = migrations.length
