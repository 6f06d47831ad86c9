/** Webhooks: what an app's server is told of its sessions, by Standard Webhooks (https://www.standardwebhooks.com). */
import { Schema } from "effect"
import type { AppName } from "./Ids.ts"

export const WebhookEvent = Schema.Literals([
  "turn.ended",
  "approval.asked",
  "session.parked",
  "session.closed",
  "session.needs_attention"
])
export type WebhookEvent = typeof WebhookEvent.Type

export interface WebhookRecord {
  readonly id: string
  /** It hears of the sessions of this app, and of no other. */
  readonly app: AppName
  readonly url: string
  /** `whsec_` and the key in base64. It signs, so it is stored as it is; nothing shows it after the webhook was added. */
  readonly secret: string
  readonly events: ReadonlyArray<WebhookEvent>
  readonly createdAt: number
  /** Its receiver said that it is gone (410): nothing is owed to it from then on. */
  readonly disabledAt: number | null
}

/** An event that is owed to a webhook, as it is sent. */
export interface WebhookDelivery {
  readonly webhook: string
  /** `webhook-id`: the same at each attempt, and for each webhook that the event is sent to. */
  readonly event: string
  readonly type: WebhookEvent
  readonly session: string
  /** JSON; what is signed. */
  readonly body: string
  readonly createdAt: number
  readonly attempts: number
  /** `null`: it was given up. */
  readonly dueAt: number | null
  /** What came of the last attempt, where it failed. */
  readonly error: string | null
}

/** A webhook, and how far it is behind. */
export interface WebhookState {
  readonly webhook: WebhookRecord
  readonly pending: number
  /** The next is due then; `null`: none waits. */
  readonly nextDueAt: number | null
  /** Given up within the last week. */
  readonly givenUp: number
  readonly lastError: string | null
  /** The time of whom all times of deliveries are: the database. */
  readonly at: number
}
