/**
 * Sessions: the app each belongs to, its state, and its machine's snapshot.
 *
 * A page is found by key (`created_at`, `id`), never by offset: it costs the same wherever it begins, and new sessions
 * do not shift it. The number of matching sessions is that of `counts.ts`.
 */
import { Effect, Option } from "effect"
import type { AppName, SessionId } from "../../../domain/Ids.ts"
import type { Permissions } from "../../../domain/Permissions.ts"
import type {
  AuditRecord,
  Meta,
  SessionRecord,
  SessionSettings,
  SessionSetup,
  SessionState
} from "../../../domain/Session.ts"
import { noUsage } from "../../../domain/Turn.ts"
import { openingOf } from "../../../domain/sessionName.ts"
import { cursorOf, parseCursor } from "../../Cursor.ts"
import type { Database, Write } from "../Database.ts"
import type { Dialect } from "../Dialect.ts"
import { lastLine } from "./audit.ts"
import * as Counts from "./counts.ts"
import { atWork } from "./counts.ts"
import type { Page, SessionQuery, SweepBounds } from "../../LedgerQuery.ts"
import type { Claim, LedgerWrite, SessionPatch } from "../../LedgerWrite.ts"
import { LedgerError } from "../../LedgerError.ts"
import {
  columnsOf,
  flagField,
  insertInto,
  json,
  jsonField,
  jsonOrNullField,
  paramsOf,
  patchOf,
  plain,
  readableJson,
  readableJsonField,
  recordOf
} from "./columns.ts"
import type { Field, Fields } from "./columns.ts"
import { isOwned, whileClaimed } from "./nodes.ts"

/** A policy is stored as its word, rules as JSON. */
const permissionsField: Field<Permissions> = {
  columns: ["permissions"],
  write: (permissions) => [typeof permissions === "string" ? permissions : json(permissions)],
  read: ({ permissions }) => {
    const text = String(permissions)
    return text.startsWith("{") ? readableJson<Permissions>(text, () => "deny") : (text as Permissions)
  }
}

/** In place of a value that can't be shown: says so to whoever reads the list. */
const unreadable = (note: string): Meta => ({ "troupe/unreadable": note })

/** Cleaned as it is read: a migration took those of older sessions from their prompts as they are. */
const openingField: Field<string | null> = {
  columns: ["opening"],
  write: (opening) => [opening],
  read: ({ opening }) => (opening === null ? null : openingOf(String(opening)))
}

/** The fields of the creation request, which seldom change and have a table of their own. */
const requestFields = {
  cwd: plain("cwd"),
  ownsCwd: flagField("owns_cwd"),
  model: plain("model"),
  mode: plain("mode"),
  effort: plain("effort"),
  systemPrompt: plain("system_prompt"),
  permissions: permissionsField,
  setup: readableJsonField<SessionSetup>("setup", () => ({})),
  meta: readableJsonField("meta", unreadable),
  opening: openingField
} satisfies Partial<Fields<SessionRecord>>

const sessionFields: Fields<Omit<SessionRecord, keyof typeof requestFields>> = {
  id: plain("id"),
  app: plain("app"),
  agent: plain("agent"),
  state: plain("state"),
  substate: plain("substate"),
  turnCount: plain("turn_count"),
  createdAt: plain("created_at"),
  lastActivityAt: plain("last_activity_at"),
  lastTurnAt: plain("last_turn_at"),
  closedAt: plain("closed_at"),
  threadId: plain("thread_id"),
  restarts: plain("restarts"),
  usage: readableJsonField("usage", () => noUsage),
  lastOutcome: jsonOrNullField("last_outcome")
}

/** Those of the request that may change. */
const settingFields = {
  permissions: requestFields.permissions,
  model: requestFields.model,
  mode: requestFields.mode,
  effort: requestFields.effort,
  opening: requestFields.opening
} satisfies Fields<Pick<SessionRecord, keyof SessionSettings | "opening">>

const patchFields: Fields<Omit<Required<SessionPatch>, keyof typeof settingFields>> = {
  ...sessionFields,
  snapshot: jsonField("snapshot")
}

const insertSession = insertInto("sessions", [
  ...columnsOf(sessionFields),
  "snapshot",
  "owner",
  "epoch",
  "home",
  "chart_version"
])
const insertRequest = insertInto("session_requests", ["session", ...columnsOf(requestFields)])

export const admitted = (
  { lock }: Dialect,
  { app, atMost, threadId }: Extract<LedgerWrite, { readonly _tag: "SessionAdmitted" }>
): ReadonlyArray<Write> => [
  ...(atMost === null
    ? []
    : [
        { text: lock, params: ["sessions"], failIfNoRow: "another node takes a place" },
        {
          text: "SELECT 1 WHERE (SELECT coalesce(sum(n), 0) FROM session_counts WHERE state = 'open') < ?",
          params: [atMost.all],
          failIfNoRow: "all places for sessions are taken"
        },
        {
          text: "SELECT 1 WHERE (SELECT coalesce(sum(n), 0) FROM session_counts WHERE state = 'open' AND app = ?) < ?",
          params: [app, atMost.ofApp],
          failIfNoRow: "all of the app's places for sessions are taken"
        }
      ]),
  ...(threadId === null
    ? []
    : [
        { text: lock, params: [`thread ${threadId}`], failIfNoRow: "another node takes the conversation" },
        {
          text: `SELECT 1 WHERE NOT EXISTS
            (SELECT 1 FROM sessions WHERE thread_id = ? AND (closed_at IS NULL OR app <> ?))`,
          params: [threadId, app],
          failIfNoRow: "another session has the conversation"
        }
      ])
]

export const inserted = ({
  chart = 1,
  home,
  owner,
  record,
  snapshot
}: Extract<LedgerWrite, { readonly _tag: "SessionInserted" }>): ReadonlyArray<Write> => [
  {
    text: insertSession,
    params: [
      ...paramsOf(sessionFields, record),
      json(snapshot),
      owner ?? null,
      owner === undefined ? 0 : 1,
      home ?? null,
      chart
    ]
  },
  { text: insertRequest, params: [record.id, ...paramsOf(requestFields, record)] }
]

export const housed = (session: SessionId, node: string): Write => ({
  text: "UPDATE sessions SET home = ? WHERE id = ?",
  params: [node, session]
})

/** With a claim it is written only while that is the session's last one. */
export const patched = (session: SessionId, patch: SessionPatch, claim?: Claim): ReadonlyArray<Write> => {
  const failIfNoRow = "no session has this id"
  const row: Write =
    claim === undefined
      ? patchOf("sessions", patchFields, patch, { where: "id = ?", key: [session], failIfNoRow })
      : { ...patchOf("sessions", patchFields, patch, whileClaimed(claim)), isFence: true }
  if (!Object.keys(settingFields).some((key) => patch[key as keyof typeof settingFields] !== undefined)) return [row]
  const where = { where: "session = ?", key: [session], failIfNoRow }
  return [row, patchOf("session_requests", settingFields, patch, where)]
}

const allFields: Fields<SessionRecord> = { ...sessionFields, ...requestFields }

const sessionOf = recordOf(allFields)

const selectBy = (index: string) => `SELECT ${columnsOf(allFields).join(", ")}
  FROM sessions${index} JOIN session_requests ON session_requests.session = sessions.id`
const select = selectBy("")

/** The SQL condition of each state, in the words of the partial indexes: only then SQLite uses them. */
const stateConditions: Readonly<Record<SessionState | "open", string>> = {
  open: "closed_at IS NULL",
  idle: "closed_at IS NULL AND state = 'idle'",
  turning: `${atWork} AND state = 'turning'`,
  retiring: `${atWork} AND state = 'retiring'`,
  closed: "closed_at IS NOT NULL"
}

export const reads = (db: Database) => {
  const { count } = Counts.reads(db)
  const page = Effect.fnUntraced(function* (query: SessionQuery) {
    const from = query.cursor === null ? null : parseCursor(query.cursor)
    if (from !== null && Option.isNone(from)) {
      return yield* new LedgerError({
        operation: "list the sessions",
        cause: "the cursor is none of this ledger's",
        kind: "refused"
      })
    }
    const after = from === null ? null : from.value
    // All apps together have fewer busy sessions than one app has sessions: so not by the index by app.
    const busy = query.state === "turning" || query.state === "retiring"
    const where = [
      ...(query.app === null ? [] : [busy ? `${db.dialect.withoutIndex("app")} = ?` : "app = ?"]),
      ...(query.state === null ? [] : [stateConditions[query.state]]),
      ...(after === null ? [] : ["(created_at, id) < (?, ?)"])
    ]
    const rows = yield* db.all(
      "list the sessions",
      `${busy ? selectBy(db.dialect.usingIndex("sessions_restless")) : select}${where.length === 0 ? "" : ` WHERE ${where.join(" AND ")}`}
        ORDER BY created_at DESC, id DESC LIMIT ?`,
      [
        ...(query.app === null ? [] : [query.app]),
        ...(after === null ? [] : [after.createdAt, after.id]),
        // One more than the page shows whether another page follows.
        query.limit + 1
      ],
      sessionOf
    )
    const pageItems = rows.slice(0, query.limit)
    const last = pageItems.at(-1)
    const result: Page<SessionRecord> = {
      items: pageItems,
      count: yield* count(query.app, query.state),
      next: rows.length > query.limit && last !== undefined ? cursorOf(last) : null
    }
    return result
  })

  const dueForSweep = Effect.fnUntraced(function* (bounds: SweepBounds) {
    const oldestBefore = (where: string, by: string, bound: number) =>
      db.all(
        "look for sessions to sweep",
        `${select} WHERE ${where} AND ${by} < ? ORDER BY ${by} LIMIT ?`,
        [bound, bounds.limit],
        sessionOf
      )
    const old =
      bounds.createdBefore === null ? [] : yield* oldestBefore("closed_at IS NULL", "created_at", bounds.createdBefore)
    const quiet =
      bounds.activeBefore === null
        ? []
        : yield* oldestBefore("closed_at IS NULL", "last_activity_at", bounds.activeBefore)
    const close = [...new Map([...old, ...quiet].map((record) => [record.id, record])).values()]
    return {
      close: close.sort((a, b) => a.createdAt - b.createdAt).slice(0, bounds.limit),
      remove: yield* oldestBefore("closed_at IS NOT NULL", "closed_at", bounds.closedBefore)
    }
  })

  return {
    session: (id: SessionId) =>
      db
        .all("read a session", `${select} WHERE id = ?`, [id], sessionOf)
        .pipe(Effect.map(([row]) => Option.fromNullishOr(row))),
    snapshot: (id: SessionId) =>
      db
        .all("read a session's snapshot", "SELECT snapshot FROM sessions WHERE id = ?", [id], snapshotOf)
        .pipe(Effect.map(([snapshot]) => snapshot ?? null)),
    sessionsOfThread: (thread: string) =>
      db.all("look for a conversation's sessions", `${select} WHERE thread_id = ?`, [thread], sessionOf),
    sessions: page,
    openSessions: (app: AppName | null) => count(app, "open"),
    dueForSweep,
    /** Foreign keys delete the rows of the session in all other tables. */
    remove: (ids: ReadonlyArray<SessionId>, lines: ReadonlyArray<AuditRecord>) =>
      db
        .commit("remove closed sessions", [
          { text: db.dialect.lock, params: ["sweep"], failIfNoRow: "another node removes some" },
          {
            text: `DELETE FROM sessions WHERE id IN
              (SELECT id FROM sessions WHERE ${db.dialect.inList("id")} AND closed_at IS NOT NULL ${db.dialect.taken})`,
            params: [json(ids)]
          },
          ...lines.map(lastLine)
        ])
        .pipe(Effect.asVoid),
    sessionsToRecover: (chart: number) =>
      db.all(
        "look for sessions with something to do",
        // A subquery for each, and no join, for which PostgreSQL would read all sessions.
        `SELECT id FROM (
          SELECT id FROM sessions${db.dialect.usingIndex("sessions_restless")} WHERE closed_at IS NULL AND substate <> 'idle.asleep'
          UNION SELECT session FROM timers
          UNION SELECT session FROM owed
        ) AS restless
        WHERE (SELECT CASE WHEN chart_version <= ? AND NOT ${isOwned} THEN 1 END
          FROM sessions WHERE sessions.id = restless.id) = 1`,
        [chart],
        (row: { readonly id: SessionId }) => row.id
      )
  }
}

const snapshotOf = (row: { readonly snapshot: string }): unknown => readableJson<unknown>(row.snapshot, () => null)
