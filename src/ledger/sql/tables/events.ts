/** A session's events, numbered without a gap. Each is stored as the text of its message. */
import { Effect } from "effect"
import type { AcpMessage } from "../../../domain/Acp.ts"
import { troupeMessage } from "../../../domain/events/troupeMessage.ts"
import type { SessionId } from "../../../domain/Ids.ts"
import type { StoredEvent } from "../../../domain/Session.ts"
import type { Database, Write } from "../Database.ts"
import type { Dialect } from "../Dialect.ts"
import { insertInto, json, readableJson, rowsOf } from "./columns.ts"

const insertEvent = insertInto("events", ["session", "seq", "turn", "at", "message"])

export const appended = (events: ReadonlyArray<StoredEvent>): Write => ({
  text: rowsOf(insertEvent, events.length),
  params: events.flatMap((event) => [event.session, event.seq, event.turn, event.at, json(event.message)])
})

interface EventRow {
  readonly session: SessionId
  readonly seq: number
  readonly turn: number | null
  readonly at: number
  readonly message: string
}

const eventOf = (row: EventRow): StoredEvent => ({
  session: row.session,
  seq: row.seq,
  turn: row.turn,
  at: row.at,
  message: readableJson<AcpMessage>(row.message, (note) => troupeMessage("unreadable", { note }))
})

const columns = "SELECT session, seq, turn, at, message FROM events"
/** Names its index: SQLite would otherwise scan all of the session's events, because they are in this order already. */
const ofTurn = ({ usingIndex }: Dialect) =>
  `${columns}${usingIndex("events_by_turn")} WHERE session = ? AND turn = ? ORDER BY seq`

export const reads = (db: Database) => ({
  lastEvent: (session: SessionId) =>
    db
      .all(
        "read the last event",
        "SELECT max(seq) AS seq FROM events WHERE session = ?",
        [session],
        (row: { readonly seq: number | null }) => row.seq
      )
      .pipe(Effect.map(([seq]) => seq ?? 0)),
  events: (session: SessionId, after: number, limit: number) =>
    db.all(
      "read the events",
      `${columns} WHERE session = ? AND seq > ? ORDER BY seq LIMIT ?`,
      [session, after, limit],
      eventOf
    ),
  eventsOfTurn: (session: SessionId, turn: number) =>
    db.all("read a turn's events", ofTurn(db.dialect), [session, turn], eventOf)
})
