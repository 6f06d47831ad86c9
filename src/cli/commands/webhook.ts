/** `troupe webhook`: where apps' servers are told of their sessions. Works on the data dir, with a running server or without. */
import { Clock, Config, Effect, Layer, Option, Redacted } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Webhooks } from "../../services/Webhooks.ts"
import * as DataDir from "../../dataDir.ts"
import { ledgerLayer } from "../../wiring.ts"
import { AlreadyReported, BadUsage } from "../failures.ts"
import { configuration, dataDirFlags, jsonFlag } from "../options.ts"
import { ago, note, oneLine, print, printJson, table } from "../terminal.ts"

type ConfigurationFlags = Parameters<typeof configuration>[0]

const withWebhooks = <A, E>(given: ConfigurationFlags, use: (webhooks: Webhooks["Service"]) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const { databaseUrl, settings } = yield* configuration(given)
    if (settings.dataDir === ":memory:" && databaseUrl === undefined) {
      return yield* new BadUsage({ problem: "Webhooks live in a data dir, and :memory: is gone with each command." })
    }
    const dataDir = yield* DataDir.open(settings.dataDir)
    const layer = Webhooks.layer.pipe(Layer.provide(ledgerLayer(dataDir.ledger, { databaseUrl, works: "beside" })))
    return yield* Effect.provide(Effect.flatMap(Webhooks, use), layer)
  }).pipe(Effect.scoped)

const id = Argument.String("id").pipe(Argument.withDescription("As `troupe webhook list` shows it"))

const add = Command.make(
  "add",
  {
    url: Argument.String("url").pipe(Argument.withDescription("Where the events are posted to")),
    app: Flag.String("app").pipe(Flag.withDescription("The app whose sessions it hears of")),
    event: Flag.String("event").pipe(
      Flag.withDescription(
        "turn.ended, approval.asked, session.parked, session.closed or session.needs_attention; may be repeated. Else all"
      ),
      Flag.between(0, 4)
    ),
    secret: Flag.Redacted("secret").pipe(
      Flag.withDescription("The receiver's, where it has one already (TROUPE_WEBHOOK_SECRET); else one is made"),
      Flag.withFallbackConfig(Config.Redacted("TROUPE_WEBHOOK_SECRET")),
      Flag.optional
    ),
    json: jsonFlag,
    ...dataDirFlags
  },
  Effect.fn(function* ({ app, config, dataDir, event, json, secret: given, url }) {
    const { secret, webhook } = yield* withWebhooks({ config, dataDir }, ({ add }) =>
      add({ app, url, events: event, secret: Option.getOrUndefined(given) })
    )
    const text = Redacted.value(secret)
    const { events, id } = webhook
    if (json) return yield* printJson({ ok: true, id, app: webhook.app, url: webhook.url, events, secret: text })
    yield* print(`${id}\n${text}`)
    yield* note(`The second line is the secret that ${webhook.url} verifies with. It is shown this once; keep it.`)
  })
).pipe(
  Command.withDescription("Tell an app's server of its sessions, signed by Standard Webhooks; prints the secret"),
  Command.withExamples([
    { command: "troupe webhook add https://app.example.org/hooks --app web --event turn.ended --event approval.asked" }
  ])
)

const list = Command.make(
  "list",
  { json: jsonFlag, ...dataDirFlags },
  Effect.fn(function* ({ json, ...given }) {
    const states = yield* withWebhooks(given, ({ list }) => list)
    if (json) {
      const seconds = (millis: number | null) => (millis === null ? null : millis / 1000)
      const webhooks = states.map(({ givenUp, lastError, nextDueAt, pending, webhook }) => ({
        id: webhook.id,
        app: webhook.app,
        url: webhook.url,
        events: webhook.events,
        created_at: seconds(webhook.createdAt),
        disabled_at: seconds(webhook.disabledAt),
        pending,
        next_attempt_at: seconds(nextDueAt),
        given_up: givenUp,
        last_error: lastError
      }))
      return yield* printJson({ ok: true, webhooks })
    }
    if (states.length === 0) return yield* note("No webhooks yet. Make one with: troupe webhook add URL --app NAME")
    const now = yield* Clock.currentTimeMillis
    const rows = states.map(({ givenUp, lastError, pending, webhook }) => [
      webhook.id,
      webhook.app,
      webhook.url,
      webhook.events.join(","),
      webhook.disabledAt === null ? String(pending) : `disabled ${ago(webhook.disabledAt, now)}`,
      String(givenUp),
      oneLine(lastError ?? "")
    ])
    yield* print(table([["WEBHOOK", "APP", "URL", "EVENTS", "WAITING", "GIVEN UP", "LAST ERROR"], ...rows]))
  })
).pipe(Command.withAlias("ls"), Command.withDescription("List the webhooks and how far each is behind; never a secret"))

const remove = Command.make(
  "remove",
  { id, json: jsonFlag, ...dataDirFlags },
  Effect.fn(function* ({ id, json, ...given }) {
    yield* withWebhooks(given, ({ remove }) => remove(id))
    yield* json ? printJson({ ok: true, id }) : print(`${id} is gone, with all that waited for it.`)
  })
).pipe(Command.withAlias("rm"), Command.withDescription("Tell it nothing more"))

const test = Command.make(
  "test",
  { id, json: jsonFlag, ...dataDirFlags },
  Effect.fn(function* ({ id, json, ...given }) {
    const { error, status } = yield* withWebhooks(given, ({ test }) => test(id))
    if (json) yield* printJson({ ok: error === null, status, error })
    else if (error === null) yield* print(`It took the event (${status}).`)
    else yield* print(`It did not take the event: ${oneLine(error)}.`)
    if (error !== null) return yield* new AlreadyReported()
  })
).pipe(Command.withDescription("Send it one event of type webhook.test, now and from here"))

export const webhookCommand = Command.make("webhook").pipe(
  Command.withDescription("Where apps' servers are told of their sessions, straight on the data dir"),
  Command.withSubcommands([add, list, remove, test])
)
