/** Leases: the agent processes that run, or may run. A session has one at a time. */
import { Effect, Option } from "effect"
import type { LeaseId, SessionId } from "../../../domain/Ids.ts"
import type { Database, Write } from "../Database.ts"
import type { LeaseRecord } from "../../LedgerWrite.ts"
import { insertInto } from "./columns.ts"

const columns = [
  "id",
  "session",
  "generation",
  "boot_id",
  "opened_at",
  "pid",
  "start_time",
  "supervisor_pid",
  "supervisor_start_time",
  "pid_namespace",
  "node"
]
const insertLease = insertInto("leases", columns)

export const opened = (lease: LeaseRecord): Write => ({
  text: insertLease,
  params: [
    lease.id,
    lease.session,
    lease.generation,
    lease.bootId,
    lease.openedAt,
    lease.pid,
    lease.startTime,
    lease.supervisor?.pid ?? null,
    lease.supervisor?.startTime ?? null,
    lease.supervisor?.pidNamespace ?? null,
    lease.node
  ]
})

export const spawned = (lease: LeaseId, pid: number, startTime: string | null): Write => ({
  text: "UPDATE leases SET pid = ?, start_time = ? WHERE id = ? RETURNING 1",
  params: [pid, startTime, lease],
  failIfNoRow: "no open lease has this id"
})

export const taken = (lease: LeaseId, session: SessionId, generation: number): Write => ({
  text: "UPDATE leases SET session = ?, generation = ? WHERE id = ? AND session IS NULL RETURNING 1",
  params: [session, generation, lease],
  failIfNoRow: "no open lease without a session has this id"
})

export const closed = (lease: LeaseId): Write => ({ text: "DELETE FROM leases WHERE id = ?", params: [lease] })

interface LeaseRow {
  readonly id: LeaseId
  readonly session: SessionId | null
  readonly generation: number
  readonly boot_id: string
  readonly opened_at: number
  readonly pid: number | null
  readonly start_time: string | null
  readonly supervisor_pid: number | null
  readonly supervisor_start_time: string | null
  readonly pid_namespace: string | null
  readonly node: string | null
}

const leaseOf = (row: LeaseRow): LeaseRecord => ({
  id: row.id,
  session: row.session,
  generation: row.generation,
  bootId: row.boot_id,
  openedAt: row.opened_at,
  pid: row.pid,
  startTime: row.start_time,
  node: row.node,
  supervisor:
    row.supervisor_pid === null
      ? null
      : { pid: row.supervisor_pid, startTime: row.supervisor_start_time, pidNamespace: row.pid_namespace }
})

export const reads = (db: Database) => ({
  leases: db.all("read the leases", `SELECT ${columns.join(", ")} FROM leases ORDER BY opened_at, id`, [], leaseOf),
  lease: (id: LeaseId) =>
    db
      .all("read a lease", `SELECT ${columns.join(", ")} FROM leases WHERE id = ?`, [id], leaseOf)
      .pipe(Effect.map(([lease]) => Option.fromNullishOr(lease)))
})
