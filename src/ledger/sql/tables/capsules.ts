/**
 * Agents' own conversations, in parts: a turn adds what is new as further parts, and a record says how many count. So what
 * was written when a node died counts nothing, and is written over.
 *
 * The parts' text is never logged, counted or shown: no error names it.
 */
import { Effect, Option } from "effect"
import type { AppName, SessionId } from "../../../domain/Ids.ts"
import type { CapsuleRecord, LedgerWrite } from "../../LedgerWrite.ts"
import type { Database, Write } from "../Database.ts"
import { columnsOf, insertInto, paramsOf, plain, recordOf } from "./columns.ts"
import type { Fields } from "./columns.ts"

const fields: Fields<CapsuleRecord> = {
  session: plain("session"),
  thread: plain("thread"),
  turn: plain("turn"),
  node: plain("node"),
  epoch: plain("epoch"),
  path: plain("path"),
  bytes: plain("bytes"),
  hash: plain("hash"),
  series: plain("series"),
  parts: plain("parts"),
  storedAt: plain("stored_at")
}

const columns = columnsOf(fields)
const replaced = columns.filter((column) => column !== "session").map((column) => `${column} = excluded.${column}`)
const insertCapsule = `${insertInto("capsules", columns)} ON CONFLICT (session) DO UPDATE SET ${replaced.join(", ")}`
const insertPart = `${insertInto("capsule_parts", ["session", "series", "nth", "data"])}
  ON CONFLICT (session, series, nth) DO UPDATE SET data = excluded.data`

export const partStored = ({
  data,
  nth,
  series,
  session
}: Extract<LedgerWrite, { readonly _tag: "CapsulePartStored" }>): Write => ({
  text: insertPart,
  params: [session, series, nth, data]
})

export const stored = (capsule: CapsuleRecord): ReadonlyArray<Write> => [
  { text: insertCapsule, params: paramsOf(fields, capsule) },
  {
    text: "DELETE FROM capsule_parts WHERE session = ? AND (series <> ? OR nth >= ?)",
    params: [capsule.session, capsule.series, capsule.parts]
  }
]

export const reads = (db: Database) => ({
  capsules: (app: AppName, thread: string) =>
    db.all(
      "look for a conversation's copy",
      `SELECT ${columns.map((column) => `capsules.${column}`).join(", ")}
        FROM capsules JOIN sessions ON sessions.id = capsules.session
        WHERE capsules.thread = ? AND sessions.app = ? ORDER BY capsules.stored_at DESC, capsules.session`,
      [thread, app],
      recordOf(fields)
    ),
  capsulePart: (session: SessionId, series: number, nth: number) =>
    db
      .all(
        "read a part of a conversation's copy",
        "SELECT data FROM capsule_parts WHERE session = ? AND series = ? AND nth = ?",
        [session, series, nth],
        ({ data }: { readonly data: string }) => data
      )
      .pipe(Effect.map(([part]) => Option.fromNullishOr(part)))
})
