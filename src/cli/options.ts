/** Flags that several commands share, and the configuration that they lead to. */
import { Effect, Option } from "effect"
import { Flag } from "effect/cli"
import * as Configuration from "./configuration/Configuration.ts"

const setting = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)

/** What every command takes that works on a data dir. */
export const dataDirFlags = {
  dataDir: setting("data-dir", "Where everything is kept; ./.troupe where nothing else is said (TROUPE_DATA_DIR)"),
  config: setting("config", "Configuration file; else troupe.config.json where there is one")
}

export const listenFlags = {
  host: setting("host", "Address to listen on; else 127.0.0.1 (TROUPE_HOST)"),
  port: setting("port", "Port to listen on, 0 for a free one; else 8420 (TROUPE_PORT)"),
  logLevel: setting("log-level", "trace, debug, info, warn, error or none; else info (TROUPE_LOG_LEVEL)"),
  logFormat: setting("log-format", "pretty or json; else pretty on a terminal (TROUPE_LOG_FORMAT)")
}

export const jsonFlag = Flag.Boolean("json").pipe(
  Flag.withDescription("Print JSON, also where it fails"),
  Flag.withDefault(false),
  Flag.withoutNegation
)

type Given = { readonly config: Option.Option<string> } & {
  readonly [K in keyof Configuration.Sources["flags"]]?: Option.Option<string>
}

export const configuration = Effect.fnUntraced(function* ({ config, ...flags }: Given) {
  return yield* Configuration.load({
    flags: Object.fromEntries(Object.entries(flags).map(([name, value]) => [name, Option.getOrUndefined(value)])),
    config,
    env: process.env,
    cwd: process.cwd(),
    isTerminal: process.stderr.isTTY === true
  })
})
