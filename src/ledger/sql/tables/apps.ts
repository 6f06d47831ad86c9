/** Apps and the hashes of their tokens. A revoked app stays on record; a new app may take its name. */
import { Effect, Option } from "effect"
import { nothingAllowed } from "../../../domain/appBounds.ts"
import type { AppBounds } from "../../../domain/appBounds.ts"
import type { AppName } from "../../../domain/Ids.ts"
import type { Database, Write } from "../Database.ts"
import type { AppRecord, LedgerWrite } from "../../LedgerWrite.ts"
import { insertInto, jsonOrNull, readableJson } from "./columns.ts"

const insertApp = `${insertInto("apps", ["name", "created_at", "token_at", "token_hash", "bounds"])}
  ON CONFLICT (name) DO UPDATE SET
    token_at = excluded.token_at, token_hash = excluded.token_hash, bounds = coalesce(excluded.bounds, apps.bounds),
    revoked_at = NULL
    WHERE apps.revoked_at IS NOT NULL
  RETURNING 1`

/** The tables that say whose their rows are. The audit trail is not among them: it keeps the name that acted. */
const owners = [
  "sessions",
  "session_counts",
  "files",
  "receipts",
  "usage_days",
  "cost_days",
  "memories",
  "skills",
  "webhooks"
] as const

/** Only of a revoked app: otherwise the name is taken, and the insert after these fails. */
const renames = [
  ...owners.map(
    (table) => `UPDATE ${table} SET app = ?1
      WHERE app = ?2 AND EXISTS (SELECT 1 FROM apps WHERE name = ?2 AND revoked_at IS NOT NULL)`
  ),
  "UPDATE apps SET name = ?1 WHERE name = ?2 AND revoked_at IS NOT NULL"
]

export const inserted = ({
  at,
  bounds = null,
  name,
  predecessor,
  tokenHash
}: Extract<LedgerWrite, { readonly _tag: "AppInserted" }>): ReadonlyArray<Write> => [
  ...(predecessor === undefined ? [] : renames.map((text): Write => ({ text, params: [predecessor, name] }))),
  { text: insertApp, params: [name, at, at, tokenHash, jsonOrNull(bounds)], failIfNoRow: "an app of this name exists" }
]

export const tokenReplaced = (name: AppName, at: number, tokenHash: string): Write => ({
  text: "UPDATE apps SET token_at = ?, token_hash = ? WHERE name = ? AND revoked_at IS NULL RETURNING 1",
  params: [at, tokenHash, name],
  failIfNoRow: "no app has this name"
})

export const bounded = (name: AppName, bounds: AppBounds | null): Write => ({
  text: "UPDATE apps SET bounds = ? WHERE name = ? AND revoked_at IS NULL RETURNING 1",
  params: [jsonOrNull(bounds), name],
  failIfNoRow: "no app has this name"
})

export const revoked = (name: AppName, at: number): Write => ({
  text: "UPDATE apps SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL RETURNING 1",
  params: [at, name],
  failIfNoRow: "no app has this name"
})

interface AppRow {
  readonly name: AppName
  readonly created_at: number
  readonly revoked_at: number | null
  readonly open_sessions: number
  readonly bounds: string | null
}

const boundsOf = (text: string | null): AppBounds | null =>
  text === null ? null : readableJson<AppBounds>(text, () => nothingAllowed)

const recordOf = (row: AppRow): AppRecord => ({
  name: row.name,
  createdAt: row.created_at,
  revokedAt: row.revoked_at,
  openSessions: row.open_sessions,
  bounds: boundsOf(row.bounds)
})

export const reads = (db: Database) => ({
  apps: db.all(
    "list the apps",
    `SELECT name, created_at, revoked_at, bounds,
        coalesce((SELECT ${db.dialect.sum("n")} FROM session_counts WHERE app = name AND state <> 'closed'), 0) AS open_sessions
      FROM apps ORDER BY name`,
    [],
    recordOf
  ),
  appBounds: (app: AppName) =>
    db
      .all(
        "look up what an app may ask for",
        "SELECT bounds FROM apps WHERE name = ?",
        [app],
        (row: { readonly bounds: string | null }) => boundsOf(row.bounds)
      )
      .pipe(Effect.map(([bounds]) => bounds ?? null)),
  appByToken: (tokenHash: string) =>
    db
      .all(
        "look an app up by its token",
        "SELECT name, token_hash, created_at FROM apps WHERE token_hash = ? AND revoked_at IS NULL",
        [tokenHash],
        (row: { readonly name: AppName; readonly token_hash: string; readonly created_at: number }) => ({
          app: row.name,
          tokenHash: row.token_hash,
          createdAt: row.created_at
        })
      )
      .pipe(Effect.map(([row]) => Option.fromNullishOr(row)))
})
