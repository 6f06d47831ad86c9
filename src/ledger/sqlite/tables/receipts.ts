/** The response to the request of an Idempotency-Key; a row without one belongs to a request that is being handled. */
import { Effect, Option } from "effect"
import type { AppName } from "../../../domain/Ids.ts"
import type { Database, Write } from "../Database.ts"
import type { ReceiptRecord } from "../../LedgerWrite.ts"
import { insertInto } from "./columns.ts"

const columns = ["app", "key", "fingerprint", "created_at", "status", "body"]
const insertReceipt = insertInto("receipts", columns)

export const opened = ({ app, createdAt, fingerprint, key, response }: ReceiptRecord): Write => ({
  text: insertReceipt,
  params: [app, key, fingerprint, createdAt, response?.status ?? null, response?.body ?? null]
})

export const answered = (app: AppName, key: string, response: NonNullable<ReceiptRecord["response"]>): Write => ({
  text: "UPDATE receipts SET status = ?, body = ? WHERE app = ? AND key = ? AND status IS NULL RETURNING 1",
  params: [response.status, response.body, app, key],
  failIfNoRow: "the receipt is not open"
})

export const forgotten = (app: AppName, key: string): Write => ({
  text: "DELETE FROM receipts WHERE app = ? AND key = ?",
  params: [app, key]
})

interface ReceiptRow {
  readonly app: AppName
  readonly key: string
  readonly fingerprint: string
  readonly created_at: number
  readonly status: number | null
  readonly body: string | null
}

const receiptOf = ({ app, body, created_at, fingerprint, key, status }: ReceiptRow): ReceiptRecord => ({
  app,
  key,
  fingerprint,
  createdAt: created_at,
  response: status === null || body === null ? null : { status, body }
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
    db
      .transaction("remove old receipts", (run) =>
        run({ text: "DELETE FROM receipts WHERE created_at < ? RETURNING 1", params: [createdBefore] })
      )
      .pipe(Effect.map((removed) => removed.length))
})
