/**
 * The webhooks that a session's commit has to look for, in memory: where there is none, a turn pays a lookup in a map. Who
 * sends (`services/WebhookSender.ts`) keeps them; without a sender there are none.
 */
import { Context } from "effect"
import type { AppName } from "../domain/Ids.ts"
import type { WebhookEvent } from "../domain/Webhook.ts"

export interface WebhookTarget {
  readonly id: string
  readonly events: ReadonlySet<WebhookEvent>
}

export const WebhookTargets = Context.Reference<{
  readonly of: (app: AppName) => ReadonlyArray<WebhookTarget>
  /** Whether any app's webhook wants events of this type. */
  readonly wants: (type: WebhookEvent) => boolean
  /** To be called when what is owed to these is stored, so that it is sent at once. */
  readonly owed: (webhooks: ReadonlyArray<string>) => void
}>("troupe/runtime/WebhookTargets", {
  defaultValue: () => ({ of: () => none, wants: () => false, owed: () => undefined })
})

const none: ReadonlyArray<WebhookTarget> = []
