/** The effect of the request of an Idempotency-Key, and the response; a row without one was accepted and not answered yet. */
import { Effect, Option } from "effect"
import type { AppName, LeaseId, SessionId } from "../../../domain/Ids.ts"
import type { Database, Write } from "../Database.ts"
import type { Dialect } from "../Dialect.ts"
import type { ForgottenReceipt, KeyedRequest, ReceiptEffect, ReceiptRecord } from "../../LedgerWrite.ts"
import { insertInto } from "./columns.ts"

const columns = ["app", "key", "fingerprint", "created_at", "status", "body", "session", "turn", "lease"]
/** Another node's request with the key may have been quicker. */
const insertReceipt = `${insertInto("receipts", columns)} ON CONFLICT (app, key) DO NOTHING RETURNING 1`

export const opened = (
  { lock }: Dialect,
  { app, createdAt, effect, fingerprint, key, response }: ReceiptRecord
): ReadonlyArray<Write> => [
  // The insert would wait for the other's commit.
  { text: lock, params: [`key ${app} ${key}`], failIfNoRow: "another node accepts a request with the key" },
  {
    text: insertReceipt,
    params: [
      app,
      key,
      fingerprint,
      createdAt,
      response?.status ?? null,
      response?.body ?? null,
      effect !== null && "session" in effect ? effect.session : null,
      // Of a turn, in a receipt of an earlier version.
      null,
      effect?._tag === "RunStarted" ? effect.lease : null
    ],
    failIfNoRow: "the key has a receipt already"
  }
]

/** Also of a request whose effect is nothing that the ledger keeps: then the answer is the whole receipt. */
const answerReceipt = `INSERT INTO receipts (app, key, fingerprint, created_at, status, body) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (app, key) DO UPDATE SET status = excluded.status, body = excluded.body WHERE receipts.status IS NULL RETURNING 1`

export const answered = (
  { app, fingerprint, key }: KeyedRequest,
  at: number,
  response: NonNullable<ReceiptRecord["response"]>
): Write => ({
  text: answerReceipt,
  params: [app, key, fingerprint, at, response.status, response.body],
  failIfNoRow: "the receipt is answered already"
})

/** No other: the key may have another request's receipt by now. */
export const forgotten = ({ app, createdAt, effect, key }: ForgottenReceipt): Write => ({
  text: "DELETE FROM receipts WHERE app = ? AND key = ? AND created_at = ? AND coalesce(lease, session, '') = ?",
  params: [app, key, createdAt, effect === null ? "" : effect._tag === "RunStarted" ? effect.lease : effect.session]
})

interface ReceiptRow {
  readonly app: AppName
  readonly key: string
  readonly fingerprint: string
  readonly created_at: number
  readonly status: number | null
  readonly body: string | null
  readonly session: SessionId | null
  readonly turn: number | null
  readonly lease: LeaseId | null
}

const effectOf = ({ lease, session, turn }: ReceiptRow): ReceiptEffect | null => {
  if (lease !== null) return { _tag: "RunStarted", lease }
  // A turn is known by its submission.
  return session === null || turn !== null ? null : { _tag: "SessionCreated", session }
}

const receiptOf = (row: ReceiptRow): ReceiptRecord => ({
  app: row.app,
  key: row.key,
  fingerprint: row.fingerprint,
  createdAt: row.created_at,
  effect: effectOf(row),
  response: row.status === null || row.body === null ? null : { status: row.status, body: row.body }
})

export const reads = (db: Database) => ({
  receipt: (app: AppName, key: string) =>
    db
      .all(
        "read a receipt",
        `SELECT ${columns.join(", ")} FROM receipts WHERE app = ? AND key = ?`,
        [app, key],
        receiptOf
      )
      .pipe(Effect.map(([row]) => Option.fromNullishOr(row))),
  removeReceipts: (createdBefore: number) =>
    db.commit("remove old receipts", [
      { text: "DELETE FROM receipts WHERE created_at < ? RETURNING 1", params: [createdBefore] }
    ])
})
