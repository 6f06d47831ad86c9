/** Webhooks, and what is owed to them: each event once, taken by one at a time, until it is delivered or given up. */
import { assert, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { AppName } from "../../../src/domain/Ids.ts"
import type { WebhookRecord } from "../../../src/domain/Webhook.ts"
import { app, id } from "../samples.ts"
import type { LedgerUnderTest } from "./ledgerSuite.ts"

const webhook: WebhookRecord = {
  id: "whk_1",
  app,
  url: "https://app.example.org/hooks",
  secret: "whsec_c2VjcmV0",
  events: ["turn.ended", "session.closed"],
  createdAt: 1_700_000_000_000,
  disabledAt: null
}

const owed = (event: string, to = webhook.id) =>
  ({
    _tag: "WebhookOwed",
    delivery: { webhook: to, event, type: "turn.ended", session: id, body: "{}", createdAt: 1_700_000_001_000 }
  }) as const

export const webhooks = ({ onLedger }: LedgerUnderTest) => {
  it.effect("an event is due at once and once, taken by one, and gone when it is delivered", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([{ _tag: "WebhookAdded", webhook }, owed("evt_1"), owed("evt_1"), owed("evt_2")])
        const [state] = yield* ledger.webhooks
        assert.deepStrictEqual(state?.webhook, webhook)
        assert.deepInclude(state, { pending: 2, givenUp: 0, lastError: null })
        assert.isAtMost(state!.nextDueAt!, state!.at)
        const due = yield* ledger.dueDeliveries(webhook.id, 10)
        assert.sameMembers(
          due.map(({ event }) => event),
          ["evt_1", "evt_2"]
        )
        const [first] = due
        assert.deepInclude(first, { type: "turn.ended", session: id, body: "{}", attempts: 0, error: null })
        assert.strictEqual(yield* ledger.takeDelivery(first!, 60_000), 1)
        assert.strictEqual(yield* ledger.takeDelivery(first!, 60_000), 0)
        assert.lengthOf(yield* ledger.dueDeliveries(webhook.id, 10), 1)
        yield* ledger.write([{ _tag: "WebhookDelivered", webhook: webhook.id, event: first!.event }])
        assert.strictEqual((yield* ledger.webhooks)[0]?.pending, 1)
      })
    )
  )

  it.effect("an attempt that failed is due later, and what is given up is shown until it is removed", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([{ _tag: "WebhookAdded", webhook }, owed("evt_1"), owed("evt_2")])
        const failed = (event: string, inMillis: number | null) =>
          ({ _tag: "WebhookFailed", webhook: webhook.id, event, error: "it answered 500", inMillis }) as const
        yield* ledger.write([failed("evt_1", 60_000), failed("evt_2", null)])
        assert.deepStrictEqual(yield* ledger.dueDeliveries(webhook.id, 10), [])
        const [state] = yield* ledger.webhooks
        assert.deepInclude(state, { pending: 1, givenUp: 1, lastError: "it answered 500" })
        assert.isAbove(state!.nextDueAt!, state!.at + 50_000)
        assert.strictEqual(yield* ledger.removeDeliveries(1_700_000_002_000), 1)
        assert.deepInclude((yield* ledger.webhooks)[0], { pending: 1, givenUp: 0 })
      })
    )
  )

  it.effect("one that is disabled has nothing due, and one that is removed leaves nothing", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([{ _tag: "WebhookAdded", webhook }, owed("evt_1")])
        yield* ledger.write([{ _tag: "WebhookDisabled", id: webhook.id, at: 1_700_000_003_000 }])
        assert.deepInclude((yield* ledger.webhooks)[0], { pending: 0, nextDueAt: null })
        assert.strictEqual((yield* ledger.webhooks)[0]?.webhook.disabledAt, 1_700_000_003_000)
        yield* ledger.write([{ _tag: "WebhookRemoved", id: webhook.id }])
        assert.deepStrictEqual(yield* ledger.webhooks, [])
        // A commit that was under way may owe it something all the same, and does not fail for it.
        yield* ledger.write([owed("evt_2")])
        assert.strictEqual(yield* ledger.removeDeliveries(0), 1)
        const again = yield* Effect.exit(ledger.write([{ _tag: "WebhookRemoved", id: webhook.id }]))
        assert.isTrue(Exit.isFailure(again))
      })
    )
  )

  it.effect("those of a revoked app go on with its sessions, and not with the new app of its name", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const inserted = { _tag: "AppInserted", name: app, at: 1, tokenHash: "0".repeat(64) } as const
        yield* ledger.write([inserted, { _tag: "WebhookAdded", webhook }])
        yield* ledger.write([{ _tag: "AppRevoked", name: app, at: 2 }])
        const former = AppName.make("former")
        yield* ledger.write([{ ...inserted, at: 3, tokenHash: "1".repeat(64), predecessor: former }])
        assert.strictEqual((yield* ledger.webhooks)[0]?.webhook.app, former)
      })
    )
  )
}
