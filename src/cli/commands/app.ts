/** `troupe app`: apps and their tokens. Works on the data dir itself, with a running server or without one. */
import { Clock, Effect, Layer, Option, Redacted } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Apps } from "../../services/Apps.ts"
import * as DataDir from "../../dataDir.ts"
import { ledgerLayer } from "../../wiring.ts"
import { boundsDto, boundsFlags, boundsOf, boundsText } from "../appBounds.ts"
import { BadUsage } from "../failures.ts"
import { configuration, dataDirFlags, jsonFlag } from "../options.ts"
import { ago, note, print, printJson, table } from "../terminal.ts"

const name = Argument.String("name").pipe(
  Argument.withDescription("1 to 63 characters of a-z, 0-9, '.', '_' or '-', beginning with a letter or digit")
)

const adoptFlag = Flag.Boolean("adopt").pipe(
  Flag.withDescription("Of a revoked name: take over the sessions and files that the revoked app left"),
  Flag.withDefault(false),
  Flag.withoutNegation
)

type ConfigurationFlags = Parameters<typeof configuration>[0]

/** The apps of the configured data dir. A running server applies a change from the next request on. */
const appsOf = (given: ConfigurationFlags) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { adminToken, databaseUrl, settings } = yield* configuration(given)
      if (settings.dataDir === ":memory:" && databaseUrl === undefined) {
        return yield* new BadUsage({ problem: "Apps live in a data dir, and :memory: is gone with each command." })
      }
      const dataDir = yield* DataDir.open(settings.dataDir)
      const token = Option.isSome(adminToken) ? adminToken.value : yield* DataDir.adminToken(dataDir)
      return Apps.layer({ adminToken: token }).pipe(
        Layer.provide(ledgerLayer(dataDir.ledger, { databaseUrl, works: "beside" }))
      )
    })
  )

interface Minted {
  readonly name: string
  readonly token: Redacted.Redacted<string>
}

const show = ({ name, token }: Minted, json: boolean) =>
  json
    ? printJson({ ok: true, name, token: Redacted.value(token) })
    : Effect.andThen(print(Redacted.value(token)), note(`The token of ${name}. It is shown this once; keep it.`))

const create = Command.make(
  "create",
  { name, adopt: adoptFlag, ...boundsFlags, json: jsonFlag, ...dataDirFlags },
  Effect.fn(function* ({ adopt, config, dataDir, json, name, ...flags }) {
    const minted = yield* Effect.flatMap(Apps, (service) =>
      service.mint(name, { adopt, bounds: boundsOf(flags) })
    ).pipe(Effect.provide(appsOf({ config, dataDir })))
    yield* show(minted, json)
  })
).pipe(
  Command.withDescription("Let a new app in, and print its token"),
  Command.withExamples([
    { command: "troupe app create web --allow-cwd /srv/repos --allow-agent codex --max-permissions ask --no-network" }
  ])
)

const limit = Command.make(
  "limit",
  {
    name,
    ...boundsFlags,
    none: Flag.Boolean("none").pipe(
      Flag.withDescription("Lift all bounds"),
      Flag.withDefault(false),
      Flag.withoutNegation
    ),
    json: jsonFlag,
    ...dataDirFlags
  },
  Effect.fn(function* ({ config, dataDir, json, name, none, ...flags }) {
    const wanted = boundsOf(flags)
    const isEmpty = Object.keys(wanted).length === 0
    // Without flags it would lift all bounds, which nobody should do by forgetting them.
    if (isEmpty !== none) {
      const problem = none
        ? "--none goes with no other bound."
        : "Say what the app may ask for, or --none to lift all bounds."
      return yield* new BadUsage({ problem })
    }
    const bounds = yield* Effect.flatMap(Apps, (service) => service.limit(name, wanted)).pipe(
      Effect.provide(appsOf({ config, dataDir }))
    )
    yield* json
      ? printJson({ ok: true, name, bounds: boundsDto(bounds) })
      : print(
          `${name} may now ask for: ${boundsText(bounds)}. A session that is beyond that starts no further process.`
        )
  })
).pipe(Command.withDescription("Bound what an app may ask for, in place of its bounds before"))

const rotate = Command.make(
  "rotate",
  { name, json: jsonFlag, ...dataDirFlags },
  Effect.fn(function* ({ config, dataDir, json, name }) {
    const minted = yield* Effect.flatMap(Apps, (service) => service.rotate(name)).pipe(
      Effect.provide(appsOf({ config, dataDir }))
    )
    yield* show(minted, json)
  })
).pipe(Command.withDescription("Give an app a new token; the old one is refused at once"))

const revoke = Command.make(
  "revoke",
  { name, json: jsonFlag, ...dataDirFlags },
  Effect.fn(function* ({ config, dataDir, json, name }) {
    yield* Effect.flatMap(Apps, (service) => service.revoke(name)).pipe(Effect.provide(appsOf({ config, dataDir })))
    yield* json ? printJson({ ok: true, name }) : print(`${name} is out: its token is refused from now on.`)
  })
).pipe(Command.withDescription("Let an app in no more; its sessions stay until they are swept"))

const list = Command.make(
  "list",
  { json: jsonFlag, ...dataDirFlags },
  Effect.fn(function* ({ config, dataDir, json }) {
    const apps = yield* Effect.flatMap(Apps, (service) => service.list).pipe(
      Effect.provide(appsOf({ config, dataDir }))
    )
    if (json) {
      const seconds = (millis: number | null) => (millis === null ? null : millis / 1000)
      const views = apps.map(({ bounds, createdAt, name, revokedAt }) => ({
        name,
        created_at: seconds(createdAt),
        revoked_at: seconds(revokedAt),
        bounds: boundsDto(bounds)
      }))
      return yield* printJson({ ok: true, apps: views })
    }
    if (apps.length === 0) return yield* note("No apps yet. Make one with: troupe app create NAME")
    const now = yield* Clock.currentTimeMillis
    const rows = apps.map(({ bounds, createdAt, name, revokedAt }) => [
      name,
      ago(createdAt, now),
      revokedAt === null ? "" : ago(revokedAt, now),
      boundsText(bounds)
    ])
    yield* print(table([["APP", "CREATED", "REVOKED", "MAY ASK FOR"], ...rows]))
  })
).pipe(Command.withAlias("ls"), Command.withDescription("List the apps and their bounds; never a token"))

export const appCommand = Command.make("app").pipe(
  Command.withDescription("Apps and their tokens, straight on the data dir"),
  Command.withSubcommands([create, limit, list, revoke, rotate])
)
