/**
 * Webhooks, for whoever operates Troupe: an app can't add one, since the server would call whatever address it names, from
 * inside its network. Works beside running servers, which know of a change within two seconds.
 */
import { Clock, Context, Effect, Layer, Redacted } from "effect"
import { newWebhookId } from "../domain/Ids.ts"
import { AppNotFound, InvalidRequest } from "../domain/Refusal.ts"
import type { Unavailable } from "../domain/Refusal.ts"
import { WebhookEvent } from "../domain/Webhook.ts"
import type { WebhookRecord, WebhookState } from "../domain/Webhook.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerWrite } from "../ledger/Ledger.ts"
import { unavailable } from "../runtime/errors.ts"
import { keyOf, newSecret, postWebhook } from "./postWebhook.ts"
import type { WebhookAnswer } from "./postWebhook.ts"

/** Each commit of the app's sessions stores an event for each. */
const mostOfApp = 16
const longestUrl = 2_048

export interface AddWebhook {
  readonly app: string
  readonly url: string
  /** None: all. */
  readonly events: ReadonlyArray<string>
  /** As another webhook of the same receiver has it; absent: a new one. */
  readonly secret: Redacted.Redacted<string> | undefined
}

/** Without its secret. */
export type ShownWebhook = Omit<WebhookRecord, "secret">
export type ShownState = Omit<WebhookState, "webhook" | "at"> & { readonly webhook: ShownWebhook }

export class Webhooks extends Context.Service<
  Webhooks,
  {
    /** The secret is shown here and never again. */
    readonly add: (
      webhook: AddWebhook
    ) => Effect.Effect<
      { readonly webhook: ShownWebhook; readonly secret: Redacted.Redacted<string> },
      AppNotFound | InvalidRequest | Unavailable
    >
    readonly list: Effect.Effect<ReadonlyArray<ShownState>, Unavailable>
    /** With all that is owed to it. */
    readonly remove: (id: string) => Effect.Effect<void, InvalidRequest | Unavailable>
    /** Sends one event of its own (`webhook.test`) now, from here, once. */
    readonly test: (id: string) => Effect.Effect<WebhookAnswer, InvalidRequest | Unavailable>
  }
>()("troupe/services/Webhooks") {
  static readonly layer = Layer.effect(
    Webhooks,
    Effect.gen(function* () {
      const ledger = yield* Ledger

      const find = Effect.fnUntraced(function* (id: string) {
        const found = (yield* ledger.webhooks).find(({ webhook }) => webhook.id === id)
        if (found === undefined) {
          return yield* new InvalidRequest({
            field: "id",
            problem: "is of no webhook; `troupe webhook list` has them."
          })
        }
        return found.webhook
      })

      const write = (entry: LedgerWrite, { app, id, url }: WebhookRecord, action: string, at: number) =>
        ledger.write([
          entry,
          { _tag: "Audited", record: { at, session: null, app, action, actor: "admin", detail: { webhook: id, url } } }
        ])

      return Webhooks.of({
        add: Effect.fn("Webhooks.add")(function* ({
          app,
          events,
          secret = Redacted.make(newSecret()),
          url
        }: AddWebhook) {
          const active = (yield* ledger.apps).find(({ name, revokedAt }) => name === app && revokedAt === null)
          if (active === undefined) return yield* new AppNotFound({ name: app })
          if (keyOf(Redacted.value(secret)) === null) {
            const problem = "must be whsec_ and 24 to 64 bytes in base64; leave it out to have one made."
            return yield* new InvalidRequest({ field: "secret", problem })
          }
          const at = yield* Clock.currentTimeMillis
          const webhook: WebhookRecord = {
            id: newWebhookId(),
            app: active.name,
            url: yield* checkedUrl(url),
            secret: Redacted.value(secret),
            events: yield* checkedEvents(events),
            createdAt: at,
            disabledAt: null
          }
          const others = (yield* ledger.webhooks).filter((state) => state.webhook.app === active.name).length
          if (others >= mostOfApp) {
            const problem = `has ${mostOfApp} webhooks already, which is the most; remove one first.`
            return yield* new InvalidRequest({ field: "app", problem })
          }
          yield* write({ _tag: "WebhookAdded", webhook }, webhook, "webhook_add", at)
          return { webhook: shown(webhook), secret }
        }, unavailable),
        list: unavailable(
          Effect.map(ledger.webhooks, (states) =>
            states.map(({ at: _, webhook, ...state }) => ({ ...state, webhook: shown(webhook) }))
          )
        ),
        remove: Effect.fn("Webhooks.remove")(function* (id: string) {
          const webhook = yield* find(id)
          const at = yield* Clock.currentTimeMillis
          yield* write({ _tag: "WebhookRemoved", id }, webhook, "webhook_remove", at)
        }, unavailable),
        test: Effect.fn("Webhooks.test")(function* (id: string) {
          const webhook = yield* find(id)
          const timestamp = new Date(yield* Clock.currentTimeMillis).toISOString()
          const body = JSON.stringify({ type: "webhook.test", timestamp, data: { webhook: id, app: webhook.app } })
          return yield* postWebhook(webhook, { event: `evt_test_${crypto.randomUUID()}`, body })
        }, unavailable)
      })
    })
  )
}

const shown = ({ secret: _, ...webhook }: WebhookRecord): ShownWebhook => webhook

const checkedUrl = (text: string): Effect.Effect<string, InvalidRequest> => {
  const url = URL.canParse(text) ? new URL(text) : null
  const problem =
    url === null || !/^https?:$/.test(url.protocol) || text.length > longestUrl
      ? "must be an http or https address, such as https://app.example.org/hooks."
      : url.username !== "" || url.password !== ""
        ? "must have no user and password in it: each event is signed, and addresses are shown and logged."
        : null
  return problem === null && url !== null
    ? Effect.succeed(url.href)
    : Effect.fail(new InvalidRequest({ field: "url", problem: problem ?? "" }))
}

const checkedEvents = (events: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<WebhookEvent>, InvalidRequest> => {
  const all = WebhookEvent.literals
  const known = all.filter((event) => events.length === 0 || events.includes(event))
  const unknown = events.find((event) => !(all as ReadonlyArray<string>).includes(event))
  return unknown === undefined
    ? Effect.succeed(known)
    : Effect.fail(
        new InvalidRequest({ field: "event", problem: `must be one of ${all.join(", ")}; ${unknown} is none.` })
      )
}
