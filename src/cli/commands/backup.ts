/**
 * `troupe backup`: a copy of the ledger while a Troupe works on it, and what else a restore needs. `troupe doctor --data` looks
 * at what was restored.
 */
import { Effect, Schema } from "effect"
import { Argument, Command } from "effect/cli"
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { adminTokenFile, appTokenFile, ledgerFile } from "../../dataDir.ts"
import { backupLedger } from "../../wiring.ts"
import { BadUsage, CommandFailed } from "../failures.ts"
import { configuration, dataDirFlags, jsonFlag } from "../options.ts"
import { note, print, printJson } from "../terminal.ts"

export const backupCommand = Command.make(
  "backup",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription("Where the copy is to be; nothing may be there"),
      Argument.withSchema(Schema.NonEmptyString)
    ),
    json: jsonFlag,
    ...dataDirFlags
  },
  Effect.fn(function* ({ file, json, ...flags }) {
    const { databaseUrl, settings } = yield* configuration(flags)
    if (databaseUrl !== undefined) return yield* new BadUsage({ problem: ofPostgres })
    const { dataDir } = settings
    const ledger = ledgerFile(dataDir)
    if (dataDir === ":memory:" || !existsSync(ledger)) {
      const problem = `The data dir ${dataDir} has no ledger: nothing can be copied. Name another with --data-dir.`
      return yield* new CommandFailed({ code: "no_ledger", problem })
    }
    const to = resolve(file)
    const { bytes, openSessions, sessions, version } = yield* backupLedger(ledger, to)
    const also = beside.map((name) => join(dataDir, name)).filter((path) => existsSync(path))
    if (json) {
      const counts = { sessions, open_sessions: openSessions }
      return yield* printJson({ ok: true, file: to, bytes, schema_version: version, ...counts, also })
    }
    yield* print(to)
    yield* note(
      `The whole ledger: ${sessions} sessions, ${openSessions} of them open; schema version ${version}, ${bytes} bytes.`
    )
    if (also.length > 0) yield* note(`A restore also needs, at the same paths: ${also.join(", ")}.`)
    yield* note(
      "The agents' own conversations are in their homes (CODEX_HOME, ~/.claude, …); without them sessions go on, and their agents begin anew."
    )
    yield* note(
      `Restore with Troupe stopped: the copy becomes troupe.sqlite in an empty data dir, beside the rest. troupe doctor --data DIR says what is missing.`
    )
  })
).pipe(
  Command.withDescription(
    "Copy the ledger to a file, also while a server works on it, and say what else a restore needs"
  ),
  Command.withExamples([{ command: "troupe backup /backups/troupe-$(date +%F).sqlite" }])
)

const ofPostgres =
  "The ledger is in PostgreSQL: back it up by pg_dump (pg_dump -Fc --file FILE DATABASE), and files/ and sessions/ of the data dir beside it."

/** Of a data dir, besides the ledger: uploads, directories of sessions, the demo agent's conversations, tokens. */
const beside = ["files", "sessions", "demo", adminTokenFile, appTokenFile]
