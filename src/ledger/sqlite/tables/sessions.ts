/**
 * Sessions: who they belong to, where they stand, and their machine's snapshot.
 *
 * A page is found by key (`created_at`, `id`), never by offset, so it costs the same wherever it begins and new sessions
 * do not shift it. How many match is read from `session_counts`, which triggers keep.
 */
import { Effect, Option } from "effect"
import type { AppName, SessionId } from "../../../domain/Ids.ts"
import type { Meta, Permissions, SessionRecord, SessionState } from "../../../domain/Session.ts"
import type { Usage } from "../../../domain/Turn.ts"
import { cursorOf, parseCursor } from "../../Cursor.ts"
import type { Database, SqlValue, Write } from "../Database.ts"
import type { Page, SessionPatch, SessionQuery, SweepBounds } from "../../LedgerWrite.ts"
import { LedgerError } from "../../LedgerError.ts"
import { flag, insertInto, json, updateOf } from "./columns.ts"

interface SessionRow {
  readonly id: SessionId
  readonly app: AppName
  readonly agent: string
  readonly state: SessionState
  readonly substate: string
  readonly turn_count: number
  readonly created_at: number
  readonly last_activity_at: number
  readonly last_turn_at: number | null
  readonly closed_at: number | null
  readonly thread_id: string | null
  readonly restarts: number
  readonly usage: string
  readonly cwd: string
  readonly owns_cwd: number
  readonly model: string | null
  readonly system_prompt: string | null
  readonly permissions: string
  readonly meta: string
}

const columns = [
  "id",
  "app",
  "agent",
  "state",
  "substate",
  "turn_count",
  "created_at",
  "last_activity_at",
  "last_turn_at",
  "closed_at",
  "thread_id",
  "restarts",
  "usage"
]

const insertSession = insertInto("sessions", [...columns, "snapshot"])
const insertRequest = insertInto("session_requests", [
  "session",
  "cwd",
  "owns_cwd",
  "model",
  "system_prompt",
  "permissions",
  "meta"
])

export const inserted = (record: SessionRecord, snapshot: unknown): ReadonlyArray<Write> => [
  {
    text: insertSession,
    params: [
      record.id,
      record.app,
      record.agent,
      record.state,
      record.substate,
      record.turnCount,
      record.createdAt,
      record.lastActivityAt,
      record.lastTurnAt,
      record.closedAt,
      record.threadId,
      record.restarts,
      json(record.usage),
      json(snapshot)
    ]
  },
  {
    text: insertRequest,
    params: [
      record.id,
      record.cwd,
      flag(record.ownsCwd),
      record.model,
      record.systemPrompt,
      permissionsText(record.permissions),
      json(record.meta)
    ]
  }
]

export const patched = (session: SessionId, patch: SessionPatch): Write => {
  const set: Array<readonly [string, SqlValue]> = []
  if (patch.state !== undefined) set.push(["state", patch.state])
  if (patch.substate !== undefined) set.push(["substate", patch.substate])
  if (patch.turnCount !== undefined) set.push(["turn_count", patch.turnCount])
  if (patch.lastActivityAt !== undefined) set.push(["last_activity_at", patch.lastActivityAt])
  if (patch.lastTurnAt !== undefined) set.push(["last_turn_at", patch.lastTurnAt])
  if (patch.closedAt !== undefined) set.push(["closed_at", patch.closedAt])
  if (patch.threadId !== undefined) set.push(["thread_id", patch.threadId])
  if (patch.restarts !== undefined) set.push(["restarts", patch.restarts])
  if (patch.usage !== undefined) set.push(["usage", json(patch.usage)])
  if (patch.snapshot !== undefined) set.push(["snapshot", json(patch.snapshot)])
  // A patch of nothing still has to name a session that exists.
  if (set.length === 0) return { text: "SELECT 1 FROM sessions WHERE id = ?", params: [session], must: unknown }
  return { ...updateOf("sessions", set, "id = ?", [session]), must: unknown }
}

const unknown = "no session has this id"

const recordOf = (row: SessionRow): SessionRecord => ({
  id: row.id,
  app: row.app,
  agent: row.agent,
  cwd: row.cwd,
  ownsCwd: row.owns_cwd === 1,
  model: row.model,
  systemPrompt: row.system_prompt,
  permissions: permissionsOf(row.permissions),
  meta: JSON.parse(row.meta) as Meta,
  state: row.state,
  substate: row.substate,
  turnCount: row.turn_count,
  createdAt: row.created_at,
  lastActivityAt: row.last_activity_at,
  lastTurnAt: row.last_turn_at,
  closedAt: row.closed_at,
  threadId: row.thread_id,
  restarts: row.restarts,
  usage: JSON.parse(row.usage) as Usage
})

/** A policy stands there as its word, rules as JSON. */
const permissionsText = (permissions: Permissions): string =>
  typeof permissions === "string" ? permissions : json(permissions)

const permissionsOf = (text: string): Permissions =>
  text.startsWith("{") ? (JSON.parse(text) as Permissions) : (text as Permissions)

const select = `SELECT ${columns.join(", ")}, cwd, owns_cwd, model, system_prompt, permissions, meta
  FROM sessions JOIN session_requests ON session_requests.session = sessions.id`

/** What a state means in SQL, said as the partial indexes say it, so that they are used. */
const stateIs: Readonly<Record<SessionState | "open", string>> = {
  open: "closed_at IS NULL",
  idle: "closed_at IS NULL AND state = 'idle'",
  turning: "state IN ('turning', 'retiring') AND state = 'turning'",
  retiring: "state IN ('turning', 'retiring') AND state = 'retiring'",
  closed: "closed_at IS NOT NULL"
}

const openStates = "('idle', 'turning', 'retiring')"

const sumOf = (row: { readonly n: number | null }) => row.n ?? 0

export const reads = (db: Database) => {
  const count = (app: AppName | null, state: SessionQuery["state"]) => {
    const where = [
      ...(app === null ? [] : ["app = ?"]),
      ...(state === null ? [] : [state === "open" ? `state IN ${openStates}` : `state = '${state}'`])
    ]
    return db
      .all(
        "count the sessions",
        `SELECT sum(n) AS n FROM session_counts${where.length === 0 ? "" : ` WHERE ${where.join(" AND ")}`}`,
        app === null ? [] : [app],
        sumOf
      )
      .pipe(Effect.map(([n]) => n ?? 0))
  }

  const page = Effect.fnUntraced(function* (query: SessionQuery) {
    const from = query.cursor === null ? null : parseCursor(query.cursor)
    if (from !== null && Option.isNone(from)) {
      return yield* new LedgerError({ operation: "list the sessions", cause: "the cursor is none of this ledger's" })
    }
    const after = from === null ? null : from.value
    // The busy ones of all apps are fewer than the sessions of one: the plus keeps SQLite from the index by app.
    const busy = query.state === "turning" || query.state === "retiring"
    const where = [
      ...(query.app === null ? [] : [busy ? "+app = ?" : "app = ?"]),
      ...(query.state === null ? [] : [stateIs[query.state]]),
      ...(after === null ? [] : ["(created_at, id) < (?, ?)"])
    ]
    const items = yield* db.all(
      "list the sessions",
      `${select}${where.length === 0 ? "" : ` WHERE ${where.join(" AND ")}`}
        ORDER BY created_at DESC, id DESC LIMIT ?`,
      [
        ...(query.app === null ? [] : [query.app]),
        ...(after === null ? [] : [after.createdAt, after.id]),
        // One more than asked for tells whether another page follows.
        query.limit + 1
      ],
      recordOf
    )
    const shown = items.slice(0, query.limit)
    const last = shown.at(-1)
    const result: Page<SessionRecord> = {
      items: shown,
      count: yield* count(query.app, query.state),
      next: items.length > query.limit && last !== undefined ? cursorOf(last) : null
    }
    return result
  })

  const due = Effect.fnUntraced(function* (bounds: SweepBounds) {
    const oldest = (where: string, by: string, bound: number) =>
      db.all(
        "look for sessions to sweep",
        `${select} WHERE ${where} AND ${by} < ? ORDER BY ${by} LIMIT ?`,
        [bound, bounds.limit],
        recordOf
      )
    const aged =
      bounds.createdBefore === null ? [] : yield* oldest("closed_at IS NULL", "created_at", bounds.createdBefore)
    const quiet =
      bounds.activeBefore === null ? [] : yield* oldest("closed_at IS NULL", "last_activity_at", bounds.activeBefore)
    const close = [...new Map([...aged, ...quiet].map((record) => [record.id, record])).values()]
    return {
      close: close.sort((a, b) => a.createdAt - b.createdAt).slice(0, bounds.limit),
      remove: yield* oldest("closed_at IS NOT NULL", "closed_at", bounds.closedBefore)
    }
  })

  return {
    session: (id: SessionId) =>
      db
        .all("read a session", `${select} WHERE id = ?`, [id], recordOf)
        .pipe(Effect.map(([row]) => Option.fromNullishOr(row))),
    snapshot: (id: SessionId) =>
      db
        .all("read a session's snapshot", "SELECT snapshot FROM sessions WHERE id = ?", [id], snapshotOf)
        .pipe(Effect.map(([snapshot]) => snapshot ?? null)),
    sessions: page,
    openSessions: (app: AppName | null) => count(app, "open"),
    due,
    /** The rest goes by itself: all that belongs to a session refers to it. */
    remove: (ids: ReadonlyArray<SessionId>) =>
      db
        .transaction("remove closed sessions", (run) =>
          run({
            text: "DELETE FROM sessions WHERE id IN (SELECT value FROM json_each(?)) AND closed_at IS NOT NULL",
            params: [json(ids)]
          })
        )
        .pipe(Effect.asVoid),
    restless: db.all(
      "look for sessions with something to do",
      `SELECT id FROM sessions INDEXED BY sessions_open_by_age WHERE closed_at IS NULL AND substate <> 'idle.asleep'
        UNION SELECT session FROM timers
        UNION SELECT session FROM owed
        UNION SELECT session FROM turns WHERE ended_at IS NULL`,
      [],
      (row: { readonly id: SessionId }) => row.id
    )
  }
}

const snapshotOf = (row: { readonly snapshot: string }): unknown => JSON.parse(row.snapshot)
