/**
 * A session's events, numbered without a gap. A row has the text of one event's message, and may have those that come behind it,
 * of the same turn or of none (`ledger/eventPieces.ts`): `more`, and the number of the last of them.
 */
import { Effect } from "effect"
import type { AcpMessage } from "../../../domain/Acp.ts"
import { troupeMessage } from "../../../domain/events/troupeMessage.ts"
import type { SessionId } from "../../../domain/Ids.ts"
import type { StoredEvent } from "../../../domain/Session.ts"
import { eventsIn } from "../../eventPieces.ts"
import type { PieceEvent } from "../../eventPieces.ts"
import type { LedgerWrite } from "../../LedgerWrite.ts"
import type { Database, SqlValue, Write } from "../Database.ts"
import type { Dialect } from "../Dialect.ts"
import { insertInto, json, readableJson, rowsOf } from "./columns.ts"

const insertEvents = insertInto("events", ["session", "seq", "turn", "at", "message", "more", "last"])

export type Appended = Extract<LedgerWrite, { readonly _tag: "EventAppended" | "EventsAppended" }>
type Together = Extract<LedgerWrite, { readonly _tag: "EventsAppended" }>

/** Of entries that each begin a row. */
export const inserted = (entries: ReadonlyArray<Appended>): Write => ({
  text: rowsOf(insertEvents, entries.length),
  params: entries.flatMap(valuesOf)
})

const valuesOf = (entry: Appended): ReadonlyArray<SqlValue> => {
  if (entry._tag === "EventAppended") {
    const { at, message, seq, session, turn } = entry.event
    return [session, seq, turn, at, json(message), null, null]
  }
  const { events, first, more, row, session } = entry
  const { at, turn } = events[0]!
  const several = events.length > 1
  return [session, row, turn, at, first, several ? more : null, several ? row + events.length - 1 : null]
}

const addEvents = `UPDATE events SET more = coalesce(more, '') || ?, last = ?
  WHERE session = ? AND seq = ? AND coalesce(last, seq) = ? RETURNING 1`

/** To a row that is stored. */
export const added = ({ events, more, row, session }: Together): Write => {
  const before = events[0]!.seq - 1
  return {
    text: addEvents,
    params: [more, before + events.length, session, row, before],
    failIfNoRow: "the row of the events before them has others by now"
  }
}

interface EventRow {
  readonly session: SessionId
  readonly seq: number
  readonly turn: number | null
  readonly at: number
  readonly message: string
  readonly more: string | null
  readonly last: number | null
}

const unreadable = (note: string) => troupeMessage("unreadable", { note })

/**
 * The events of the row, or those behind `after` and up to `to`: no other is parsed. What can't be read has its place all the
 * same.
 */
const eventsOf = (
  { at, last, message, more, seq, session, turn }: EventRow,
  after: number = 0,
  to: number = Infinity
): ReadonlyArray<StoredEvent> => {
  const eventOf = (nth: number, piece: PieceEvent | undefined): StoredEvent => ({
    session,
    seq: seq + nth,
    turn: piece?.ofTurn === false ? null : turn,
    at: piece?.at ?? at,
    message:
      piece === undefined ? unreadable("is missing in the ledger") : readableJson<AcpMessage>(piece.text, unreadable)
  })
  if (more === null || last === null) {
    return seq > after && seq <= to ? [eventOf(0, { at, text: message, ofTurn: true })] : []
  }
  const found = eventsIn(at, message, more)
  const first = Math.max(0, after + 1 - seq)
  const count = Math.max(0, Math.min(last, to) + 1 - seq - first)
  return Array.from({ length: count }, (_, n) => eventOf(first + n, found[first + n]))
}

const columns = "SELECT session, seq, turn, at, message, more, last FROM events"
const bound = (column: string, of: string, instead: number) =>
  `coalesce((SELECT ${column} FROM turns WHERE session = ?1 AND idx = ?2${of}), ${instead})`
/** Between the turn's bounds, others may have some: a turn in line its submission, an earlier one what came late. */
const betweenBounds = ` AND seq > ${bound("after_event", "", 0)}
  AND seq <= ${bound("last_event", " AND ended_at IS NOT NULL", Number.MAX_SAFE_INTEGER)}`
const ofTurn = ({ boundsTurns }: Dialect) =>
  `${columns} WHERE session = ?1 AND turn = ?2${boundsTurns ? betweenBounds : ""} ORDER BY seq`

/** The rows that have events of these numbers: the first may begin before them. */
const range = `${columns} WHERE session = ?1 AND seq <= ?3
  AND seq >= coalesce((SELECT max(seq) FROM events WHERE session = ?1 AND seq <= ?2), 0) ORDER BY seq`

export const reads = (db: Database) => ({
  lastEvent: (session: SessionId) =>
    db
      .all(
        "read the last event",
        "SELECT coalesce(last, seq) AS last FROM events WHERE session = ? ORDER BY seq DESC LIMIT 1",
        [session],
        (row: { readonly last: number }) => row.last
      )
      .pipe(Effect.map(([last]) => last ?? 0)),
  events: (session: SessionId, after: number, limit: number) =>
    db
      .all("read the events", range, [session, after + 1, after + limit], (row: EventRow) =>
        eventsOf(row, after, after + limit)
      )
      .pipe(Effect.map((rows) => rows.flat())),
  eventsOfTurn: (session: SessionId, turn: number) =>
    db
      .all("read a turn's events", ofTurn(db.dialect), [session, turn], (row: EventRow) =>
        eventsOf(row).filter((event) => event.turn === turn)
      )
      .pipe(Effect.map((rows) => rows.flat()))
})
