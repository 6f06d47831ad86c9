/** The audit trail: rows are appended and read, never changed, and removed long after their session was deleted. */
import type { AppName, SessionId } from "../../../domain/Ids.ts"
import type { AuditRecord } from "../../../domain/Session.ts"
import type { Database, Write } from "../Database.ts"
import { insertInto, json, readableJson } from "./columns.ts"

const columns = ["at", "session", "app", "action", "actor", "detail"]
const insertAudit = insertInto("audit", columns)

export const audited = (record: AuditRecord): Write => ({
  text: insertAudit,
  params: [record.at, record.session, record.app, record.action, record.actor, json(record.detail)]
})

/** The last line of a session that is deleted in the same transaction: it has one, whoever else deletes sessions. */
export const lastLine = (record: AuditRecord): Write => ({
  text: `INSERT INTO audit (${columns.join(", ")}) SELECT ?, ?, ?, ?, ?, ?
    WHERE NOT EXISTS (SELECT 1 FROM sessions WHERE id = ?)
      AND NOT EXISTS (SELECT 1 FROM audit WHERE session = ? AND action = ?)`,
  params: [...audited(record).params, record.session, record.session, record.action]
})

interface AuditRow {
  readonly at: number
  readonly session: SessionId | null
  readonly app: AppName | null
  readonly action: string
  readonly actor: string
  readonly detail: string
}

const recordOf = (row: AuditRow): AuditRecord => ({
  ...row,
  detail: readableJson<AuditRecord["detail"]>(row.detail, (note) => ({ "troupe/unreadable": note }))
})

export const reads = (db: Database) => ({
  audit: (session: SessionId, limit: number) =>
    db.all(
      "read the audit trail",
      `SELECT ${columns.join(", ")} FROM audit WHERE session = ? ORDER BY id LIMIT ?`,
      [session, limit],
      recordOf
    ),
  deletedSessions: (ids: ReadonlyArray<SessionId>) =>
    db.all(
      "look which sessions were deleted",
      `SELECT DISTINCT session FROM audit WHERE ${db.dialect.inList("session")} AND action = 'sweep_delete'`,
      [json(ids)],
      ({ session }: { readonly session: SessionId }) => session
    ),
  /** Removes the whole trails of at most so many sessions that were deleted before then. Returns the number of rows. */
  removeAudit: (deletedBefore: number, sessions: number) =>
    db.commit("remove old audit trails", [
      {
        text: `DELETE FROM audit WHERE session IN (
            SELECT session FROM audit WHERE action = 'sweep_delete' AND at < ? ORDER BY at LIMIT ?
          ) RETURNING 1`,
        params: [deletedBefore, sessions]
      }
    ])
})
