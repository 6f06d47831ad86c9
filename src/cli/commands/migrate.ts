/** `troupe migrate`: brings the ledger's schema up to date without starting anything, as `serve` does when it starts. */
import { Effect } from "effect"
import { Command } from "effect/cli"
import * as DataDir from "../../dataDir.ts"
import { migrateLedger } from "../../wiring.ts"
import { configuration, dataDirFlags, jsonFlag } from "../options.ts"
import { print, printJson } from "../terminal.ts"

export const migrateCommand = Command.make(
  "migrate",
  { json: jsonFlag, ...dataDirFlags },
  Effect.fn(function* ({ json, ...flags }) {
    const { databaseUrl, settings } = yield* configuration(flags)
    const { ledger } = yield* DataDir.open(settings.dataDir)
    const { location, version } = yield* migrateLedger(ledger, databaseUrl)
    yield* json
      ? printJson({ ok: true, ledger: location, version })
      : print(`The ledger ${location} has schema version ${version}.`)
  }, Effect.scoped)
).pipe(
  Command.withDescription("Bring the ledger's schema up to date"),
  Command.withExamples([
    {
      command: "TROUPE_DATABASE_URL=postgres://owner@db/troupe troupe migrate",
      description: "With a user who may create tables, before a server starts with one who may not"
    }
  ])
)
