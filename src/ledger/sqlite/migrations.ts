/**
 * The migrations in their order. They are numbered and forward only, and their SQL is never edited once released.
 *
 * Programs of an earlier version may work on a schema beside this one's, or again after it: a migration adds tables, indexes,
 * and columns that have a default or may be NULL. One that takes away or changes what they use says so itself, in its last
 * statement: `UPDATE schema_use SET usable_from = <its number>` (decision 0033).
 */
import ledger from "./migrations/0001_ledger.ts"
import reviews from "./migrations/0002_reviews.ts"
import approvals from "./migrations/0003_approvals.ts"
import costs from "./migrations/0004_costs.ts"
import wire from "./migrations/0005_wire.ts"
import audit from "./migrations/0006_audit.ts"
import commits from "./migrations/0007_commits.ts"
import leaseSupervisors from "./migrations/0008_lease_supervisors.ts"
import receiptEffects from "./migrations/0009_receipt_effects.ts"
import appBounds from "./migrations/0010_app_bounds.ts"
import sessionSetup from "./migrations/0011_session_setup.ts"
import owedReviews from "./migrations/0012_owed_reviews.ts"
import givenContext from "./migrations/0013_given_context.ts"
import countedStates from "./migrations/0014_counted_states.ts"
import owners from "./migrations/0015_owners.ts"
import submissions from "./migrations/0016_submissions.ts"
import capsules from "./migrations/0017_capsules.ts"
import placement from "./migrations/0018_placement.ts"
import singletons from "./migrations/0019_singletons.ts"
import claimReasons from "./migrations/0020_claim_reasons.ts"
import deadNodes from "./migrations/0021_dead_nodes.ts"
import eventRows from "./migrations/0022_event_rows.ts"
import webhooks from "./migrations/0023_webhooks.ts"
import fewerPages from "./migrations/0024_fewer_pages.ts"
import rowsByNumber from "./migrations/0025_rows_by_number.ts"
import lastOutcomes from "./migrations/0026_last_outcomes.ts"
import fleet from "./migrations/0027_fleet.ts"
import lists from "./migrations/0028_lists.ts"
import turnBounds from "./migrations/0029_turn_bounds.ts"
import sessionPieces from "./migrations/0030_session_pieces.ts"

/** Keys are `<number>_<name>`, as Effect's Migrator reads them. */
export const migrations = {
  "0001_ledger": ledger,
  "0002_reviews": reviews,
  "0003_approvals": approvals,
  "0004_costs": costs,
  "0005_wire": wire,
  "0006_audit": audit,
  "0007_commits": commits,
  "0008_lease_supervisors": leaseSupervisors,
  "0009_receipt_effects": receiptEffects,
  "0010_app_bounds": appBounds,
  "0011_session_setup": sessionSetup,
  "0012_owed_reviews": owedReviews,
  "0013_given_context": givenContext,
  "0014_counted_states": countedStates,
  "0015_owners": owners,
  "0016_submissions": submissions,
  "0017_capsules": capsules,
  "0018_placement": placement,
  "0019_singletons": singletons,
  "0020_claim_reasons": claimReasons,
  "0021_dead_nodes": deadNodes,
  "0022_event_rows": eventRows,
  "0023_webhooks": webhooks,
  "0024_fewer_pages": fewerPages,
  "0025_rows_by_number": rowsByNumber,
  "0026_last_outcomes": lastOutcomes,
  "0027_fleet": fleet,
  "0028_lists": lists,
  "0029_turn_bounds": turnBounds,
  "0030_session_pieces": sessionPieces
}

export const migrationsTable = "troupe_migrations"

/** The newest version of the schema that this Troupe knows. */
export const latestVersion = Math.max(...Object.keys(migrations).map((key) => Number.parseInt(key, 10)))
