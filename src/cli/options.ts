/** Flags that several commands share, and the configuration that is loaded with them. */
import { Effect, Option } from "effect"
import { Flag } from "effect/cli"
import * as Configuration from "../configuration/Configuration.ts"

const settingFlag = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)

/** The flags of every command that works on a data dir. */
export const dataDirFlags = {
  dataDir: settingFlag("data-dir", "Where everything is kept; ./.troupe where nothing else is said (TROUPE_DATA_DIR)"),
  config: settingFlag("config", "Configuration file; else troupe.config.json where there is one")
}

export const listenFlags = {
  host: settingFlag("host", "Address to listen on; else 127.0.0.1 (TROUPE_HOST)"),
  port: settingFlag("port", "Port to listen on, 0 for a free one; else 8420 (TROUPE_PORT)"),
  logLevel: settingFlag("log-level", "trace, debug, info, warn, error or none; else info (TROUPE_LOG_LEVEL)"),
  logFormat: settingFlag("log-format", "pretty or json; else pretty on a terminal (TROUPE_LOG_FORMAT)")
}

export const jsonFlag = Flag.Boolean("json").pipe(
  Flag.withDescription("Print JSON on stdout, and on stderr where it fails"),
  Flag.withDefault(false),
  Flag.withoutNegation
)

export const pageFlags = {
  limit: Flag.Int("limit").pipe(
    Flag.withDescription("How many at most, 1 to 200"),
    Flag.filter(
      (limit) => limit >= 1 && limit <= 200,
      () => "a whole number from 1 to 200"
    ),
    Flag.withDefault(50)
  ),
  cursor: Flag.String("cursor").pipe(Flag.withDescription("Where the page before told to go on"), Flag.optional)
}

export const pageQuery = (flags: { readonly limit: number; readonly cursor: Option.Option<string> }) => ({
  limit: flags.limit,
  ...Option.match(flags.cursor, { onNone: () => ({}), onSome: (cursor) => ({ cursor }) })
})

type ConfigurationFlags = { readonly config: Option.Option<string> } & {
  readonly [K in keyof Configuration.Sources["flags"]]?: Option.Option<string>
}

export const configuration = Effect.fnUntraced(function* ({ config, ...flags }: ConfigurationFlags) {
  return yield* Configuration.load({
    flags: Object.fromEntries(Object.entries(flags).map(([name, value]) => [name, Option.getOrUndefined(value)])),
    config,
    env: process.env,
    cwd: process.cwd(),
    isTerminal: process.stderr.isTTY === true
  })
})
