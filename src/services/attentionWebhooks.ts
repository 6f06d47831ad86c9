/**
 * Owes webhooks `session.needs_attention`: what the dashboard's home shows of an app's sessions, by the same rules
 * (`domain/attention.ts`).
 *
 * Much of it comes by time and not by a step, so no step's commit can owe it: one node looks for it now and then, and only
 * while some webhook wants it. What was told is known in memory. After a restart it is told again under the same `webhook-id`,
 * by which receivers recognise an event that comes twice.
 */
import { Effect, Layer } from "effect"
import type { Attention, Situation } from "../domain/attention.ts"
import type { WebhookEvent } from "../domain/Webhook.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerWrite } from "../ledger/Ledger.ts"
import { WebhookTargets } from "../runtime/WebhookTargets.ts"
import type { WebhookTarget } from "../runtime/WebhookTargets.ts"
import { Inspection } from "./Inspection.ts"
import * as OldestNode from "./oldestNode.ts"

const type: WebhookEvent = "session.needs_attention"
/** Each look is a few reads of what is at work or has failed. */
const lookEvery = "5 seconds"
const longestReason = 500

type OfSession = Exclude<Situation, { readonly _tag: "CircuitOpen" }>

/** The same as long as it lasts, so that it is one event. No full stop in it, which separates what is signed. */
const eventOf = ({ kind, since }: Attention, { session }: OfSession) => `evt_${session}_${kind}_${since ?? 0}`

const bodyOf = ({ kind, since, what }: Attention, { agent, app, session, turn }: OfSession, at: number) =>
  JSON.stringify({
    type,
    timestamp: new Date(at).toISOString(),
    data: {
      session_id: session,
      app,
      agent,
      turn_index: turn,
      kind,
      since: since === null ? null : since / 1000,
      reason: what.length <= longestReason ? what : `${what.slice(0, longestReason)}…`
    }
  })

/** What is owed of one that is new. */
const entriesOf = (
  attention: Attention,
  situation: OfSession,
  targets: ReadonlyArray<WebhookTarget>,
  at: number
): ReadonlyArray<Extract<LedgerWrite, { readonly _tag: "WebhookOwed" }>> => {
  const event = eventOf(attention, situation)
  const body = bodyOf(attention, situation, at)
  return targets
    .filter(({ events }) => events.has(type))
    .map(({ id: webhook }) => ({
      _tag: "WebhookOwed",
      delivery: { webhook, event, type, session: situation.session, body, createdAt: at }
    }))
}

export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const inspection = yield* Inspection
    const isOldest = yield* OldestNode.make
    const ledger = yield* Ledger
    const webhooks = yield* WebhookTargets
    let told: ReadonlySet<string> = new Set()

    const look = Effect.gen(function* () {
      if (!webhooks.wants(type) || !(yield* isOldest)) return
      const at = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
      const now = new Set<string>()
      const entries: Array<LedgerWrite> = []
      const owed = new Set<string>()
      for (const attention of (yield* inspection.attention({ _tag: "Admin" })).found) {
        const { situation } = attention
        if (situation._tag === "CircuitOpen") continue
        const event = eventOf(attention, situation)
        now.add(event)
        if (told.has(event)) continue
        for (const entry of entriesOf(attention, situation, webhooks.of(situation.app), at)) {
          entries.push(entry)
          owed.add(entry.delivery.webhook)
        }
      }
      if (entries.length > 0) yield* ledger.write(entries)
      told = now
      webhooks.owed([...owed])
    }).pipe(Effect.catch((error) => Effect.logDebug("What needs attention could not be told", error)))
    yield* Effect.forkScoped(Effect.forever(Effect.delay(look, lookEvery)))
  })
)
