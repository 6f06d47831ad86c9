/**
 * Sends what sessions owe to webhooks, and keeps the list that their commits look at (`runtime/WebhookTargets.ts`).
 *
 * Whatever is owed is in the ledger, so it outlives this process. Each attempt is taken there first, for longer than it may
 * last: of several nodes one makes it, and of a node that died another makes it again. Each webhook has a worker of its own,
 * so one that does not answer holds no other up. What fails is tried again, less and less often, and then given up.
 */
import { Cause, Clock, Effect, FiberMap, Latch, Layer } from "effect"
import type { AppName } from "../domain/Ids.ts"
import type { WebhookDelivery, WebhookRecord, WebhookState } from "../domain/Webhook.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerWrite } from "../ledger/Ledger.ts"
import { webhookAttempt } from "../runtime/Metrics.ts"
import { WebhookTargets } from "../runtime/WebhookTargets.ts"
import type { WebhookTarget } from "../runtime/WebhookTargets.ts"
import { answerWithinMillis, postWebhook } from "./postWebhook.ts"
import type { WebhookAnswer } from "./postWebhook.ts"

/** How soon a webhook that was added by another process is known, and what a dead node left is found. */
const lookEveryMillis = 2_000
/** Nobody else takes an event meanwhile: longer than an attempt and the note of it take. */
const holdMillis = answerWithinMillis + 5_000
/** Of one webhook. */
const atOnce = 8
/** More than this waits for a webhook: nothing further is owed to it until its receiver has caught up. */
export const mostPending = 10_000
/** Between attempts; after the last an event is given up, more than a day after the first. A fifth is added by chance. */
export const retryMillis = [2, 10, 60, 300, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200].map(
  (seconds) => seconds * 1000
)
const longestWaitMillis = 86_400_000
/** So long it is shown what was given up. */
const keepMillis = 7 * 86_400_000
const sweepEveryMillis = 3_600_000

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const workers = yield* FiberMap.make<string>()
  const due = yield* Latch.make()
  let known: ReadonlyMap<string, WebhookRecord> = new Map()
  let targets: ReadonlyMap<AppName, ReadonlyArray<WebhookTarget>> = new Map()
  let full: ReadonlySet<string> = new Set()
  /** Those for which something was owed since their worker looked. */
  const owed = new Set<string>()
  let sweptAt = 0

  const keep = Effect.fnUntraced(function* (states: ReadonlyArray<WebhookState>) {
    const active = states.filter(({ webhook }) => webhook.disabledAt === null)
    known = new Map(active.map(({ webhook }) => [webhook.id, webhook]))
    const filled = active.filter(({ pending }) => pending >= mostPending).map(({ webhook }) => webhook.id)
    for (const id of filled) {
      if (!full.has(id)) yield* warn(id, `webhook is ${mostPending} events behind: further ones are left out`)
    }
    full = new Set(filled)
    const open = active.filter(({ webhook }) => !full.has(webhook.id))
    targets = Map.groupBy(open.map(targetOf), ({ app }) => app)
  })

  const warn = (id: string, message: string, fields: Readonly<Record<string, string | number | null>> = {}) => {
    const { app = null, url = null } = known.get(id) ?? {}
    return Effect.annotateLogs(Effect.logWarning(message), { webhook: id, app, url, ...fields })
  }

  const settle = (webhook: WebhookRecord, delivery: WebhookDelivery, answer: WebhookAnswer) =>
    Effect.gen(function* () {
      const { event, session, type } = delivery
      const { error, status } = answer
      const entries: Array<LedgerWrite> = []
      if (error === null) {
        entries.push({ _tag: "WebhookDelivered", webhook: webhook.id, event })
        yield* webhookAttempt("delivered")
      } else {
        const inMillis = status === gone ? null : nextAttempt(delivery.attempts, answer, Math.random())
        entries.push({ _tag: "WebhookFailed", webhook: webhook.id, event, error, inMillis })
        yield* webhookAttempt(inMillis === null ? "given_up" : "failed")
        if (inMillis === null) {
          const attempts = delivery.attempts + 1
          yield* warn(webhook.id, "webhook event given up", { event, type, session, attempts, reason: error })
        }
      }
      if (status === gone) {
        entries.push({ _tag: "WebhookDisabled", id: webhook.id, at: yield* Clock.currentTimeMillis })
        yield* warn(webhook.id, "webhook disabled: its receiver says that it is gone (410)")
      }
      yield* ledger.write(entries)
    })

  const send = Effect.fnUntraced(function* (webhook: WebhookRecord, delivery: WebhookDelivery) {
    if ((yield* ledger.takeDelivery(delivery, holdMillis)) === 0) return
    // What the receiver has taken is noted, whatever ends this process gently meanwhile.
    yield* Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(restore(postWebhook(webhook, delivery)), (answer) => settle(webhook, delivery, answer))
    )
  })

  const work = Effect.fnUntraced(
    function* (id: string) {
      while (true) {
        owed.delete(id)
        const webhook = known.get(id)
        if (webhook === undefined) return
        const deliveries = yield* ledger.dueDeliveries(id, atOnce)
        yield* Effect.forEach(deliveries, (delivery) => send(webhook, delivery), { concurrency: atOnce, discard: true })
        if (deliveries.length === 0 && !owed.has(id)) return
      }
    },
    // The ledger is away: what is owed is in it.
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logWarning("Webhooks could not be sent; later again", cause)
    )
  )

  const begin = (id: string) => Effect.asVoid(FiberMap.run(workers, id, work(id), { onlyIfMissing: true }))

  const look = Effect.gen(function* () {
    const states = yield* ledger.webhooks
    yield* keep(states)
    for (const { at, nextDueAt, webhook } of states) {
      if (webhook.disabledAt === null && nextDueAt !== null && nextDueAt <= at) yield* begin(webhook.id)
    }
    const now = yield* Clock.currentTimeMillis
    if (states.length === 0 || now - sweptAt < sweepEveryMillis) return
    sweptAt = now
    yield* ledger.removeDeliveries(now - keepMillis)
  }).pipe(Effect.catch((error) => Effect.logDebug("The webhooks could not be read", error)))

  yield* look
  yield* Effect.gen(function* () {
    yield* due.await
    yield* due.close
    for (const id of owed) yield* begin(id)
  }).pipe(Effect.forever, Effect.forkScoped)
  yield* Effect.forkScoped(Effect.forever(Effect.delay(look, lookEveryMillis)))

  return WebhookTargets.of({
    of: (app) => targets.get(app) ?? none,
    wants: (type) => targets.values().some((ofApp) => ofApp.some(({ events }) => events.has(type))),
    owed: (webhooks) => {
      for (const id of webhooks) owed.add(id)
      due.openUnsafe()
    }
  })
})

const none: ReadonlyArray<WebhookTarget> = []

/** The receiver wants nothing more, by the standard. */
const gone = 410

const targetOf = ({ webhook: { app, events, id } }: WebhookState) => ({ app, id, events: new Set(events) })

/** `null`: it was the last. `attempts`: those before. */
export const nextAttempt = (
  attempts: number,
  { retryAfterMillis }: Pick<WebhookAnswer, "retryAfterMillis">,
  chance: number
): number | null => {
  const wait = retryMillis[attempts]
  if (wait === undefined) return null
  const wanted = Math.max(wait * (1 + chance / 5), retryAfterMillis ?? 0)
  return Math.round(Math.min(wanted, longestWaitMillis))
}

export const layer = Layer.effect(WebhookTargets, make)
