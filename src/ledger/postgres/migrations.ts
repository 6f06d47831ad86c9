/** The migrations in their order, each a list of statements. They are forward only, and never edited once released. */
import ledger from "./migrations/0001_ledger.ts"

export const migrations: ReadonlyArray<ReadonlyArray<string>> = [ledger]

export const migrationsTable = "troupe_migrations"

/** The newest version of the schema that this Troupe knows. */
export const latestVersion = migrations.length
