/**
 * Webhooks of apps, and the events that are owed to them. Times of deliveries are the database's: several nodes send, and
 * whoever takes an event sets the time from which another may.
 */
import type { WebhookDelivery, WebhookEvent, WebhookRecord, WebhookState } from "../../../domain/Webhook.ts"
import type { LedgerWrite } from "../../LedgerWrite.ts"
import type { Database, Write } from "../Database.ts"
import type { Dialect } from "../Dialect.ts"
import { columnsOf, insertInto, paramsOf, plain, readableJsonField, recordOf } from "./columns.ts"
import type { Fields, Row } from "./columns.ts"

const fields: Fields<WebhookRecord> = {
  id: plain("id"),
  app: plain("app"),
  url: plain("url"),
  secret: plain("secret"),
  events: readableJsonField<ReadonlyArray<WebhookEvent>>("events", () => []),
  createdAt: plain("created_at"),
  disabledAt: plain("disabled_at")
}
const columns = columnsOf(fields)
const readWebhook = recordOf(fields)

const deliveryFields: Fields<WebhookDelivery> = {
  webhook: plain("webhook"),
  event: plain("event"),
  type: plain("type"),
  session: plain("session"),
  body: plain("body"),
  createdAt: plain("created_at"),
  attempts: plain("attempts"),
  dueAt: plain("due_at"),
  error: plain("error")
}
const deliveryColumns = columnsOf(deliveryFields)

export const added = (webhook: WebhookRecord): Write => ({
  text: insertInto("webhooks", columns),
  params: paramsOf(fields, webhook)
})

/** With all that is owed to it. */
export const removed = (id: string): ReadonlyArray<Write> => [
  { text: "DELETE FROM webhooks WHERE id = ? RETURNING 1", params: [id], failIfNoRow: "no webhook has this id" },
  { text: "DELETE FROM webhook_deliveries WHERE webhook = ?", params: [id] }
]

export const disabled = (id: string, at: number): ReadonlyArray<Write> => [
  { text: "UPDATE webhooks SET disabled_at = ? WHERE id = ?", params: [at, id] },
  { text: "UPDATE webhook_deliveries SET due_at = NULL WHERE webhook = ?", params: [id] }
]

/** Due at once. An event that a webhook was owed before is the same event. */
export const owed = (dialect: Dialect, delivery: Extract<LedgerWrite, { _tag: "WebhookOwed" }>["delivery"]): Write => ({
  text: `INSERT INTO webhook_deliveries (webhook, event, type, session, body, created_at, due_at)
    VALUES (?, ?, ?, ?, ?, ?, ${dialect.now}) ON CONFLICT (webhook, event) DO NOTHING`,
  params: [delivery.webhook, delivery.event, delivery.type, delivery.session, delivery.body, delivery.createdAt]
})

const one = "webhook = ? AND event = ?"

export const delivered = (webhook: string, event: string): Write => ({
  text: `DELETE FROM webhook_deliveries WHERE ${one}`,
  params: [webhook, event]
})

/** `inMillis`: when it is tried again; `null`: it is given up. */
export const failed = (
  dialect: Dialect,
  { error, event, inMillis, webhook }: Extract<LedgerWrite, { _tag: "WebhookFailed" }>
): Write =>
  inMillis === null
    ? { text: `UPDATE webhook_deliveries SET due_at = NULL, error = ? WHERE ${one}`, params: [error, webhook, event] }
    : {
        text: `UPDATE webhook_deliveries SET due_at = ${dialect.now} + CAST(? AS BIGINT), error = ? WHERE ${one}`,
        params: [inMillis, error, webhook, event]
      }

const stateOf = (row: Row): WebhookState => ({
  webhook: readWebhook(row),
  pending: Number(row["pending"]),
  nextDueAt: row["next_due_at"] as number | null,
  givenUp: Number(row["given_up"]),
  lastError: row["last_error"] as string | null,
  at: Number(row["at"])
})

export const reads = (db: Database) => {
  const { now, taken } = db.dialect
  const ofWebhook = "FROM webhook_deliveries WHERE webhook = webhooks.id"
  return {
    webhooks: db.all(
      "read the webhooks",
      `SELECT ${columns.join(", ")},
          (SELECT count(*) ${ofWebhook} AND due_at IS NOT NULL) AS pending,
          (SELECT min(due_at) ${ofWebhook} AND due_at IS NOT NULL) AS next_due_at,
          (SELECT count(*) ${ofWebhook} AND due_at IS NULL) AS given_up,
          (SELECT error ${ofWebhook} AND error IS NOT NULL ORDER BY due_at DESC LIMIT 1) AS last_error,
          ${now} AS at
        FROM webhooks ORDER BY created_at, id`,
      [],
      stateOf
    ),
    dueDeliveries: (webhook: string, limit: number) =>
      db.all(
        "read what is due to a webhook",
        `SELECT ${deliveryColumns.join(", ")} FROM webhook_deliveries
          WHERE webhook = ? AND due_at <= ${now} ORDER BY due_at LIMIT ?`,
        [webhook, limit],
        recordOf(deliveryFields)
      ),
    /** `false`: another node has it, or has done with it. */
    takeDelivery: ({ attempts, event, webhook }: WebhookDelivery, forMillis: number) =>
      db.commit("take an event of a webhook", [
        {
          text: `UPDATE webhook_deliveries SET attempts = attempts + 1, due_at = ${now} + CAST(? AS BIGINT)
            WHERE webhook = ? AND event IN (SELECT event FROM webhook_deliveries
              WHERE ${one} AND attempts = ? AND due_at <= ${now} ${taken}) RETURNING 1`,
          params: [forMillis, webhook, webhook, event, attempts]
        }
      ]),
    /** What was given up before then, and what is owed to webhooks that are gone; how many. */
    removeDeliveries: (before: number) =>
      db.commit("remove old events of webhooks", [
        {
          text: `DELETE FROM webhook_deliveries WHERE (due_at IS NULL AND created_at < ?)
            OR webhook NOT IN (SELECT id FROM webhooks) RETURNING 1`,
          params: [before]
        }
      ])
  }
}
