/**
 * `troupe doctor`: which agents are installed, whether each answers a handshake, whether the ledger is whole, or what its
 * database is like, and the one thing to do where not. With `--cluster` each node is asked, too.
 */
import { Effect, Layer, Option } from "effect"
import type { Redacted } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { resolve } from "node:path"
import { ledgerFile } from "../../dataDir.ts"
import { examineDatabase, ledgerDamage } from "../../wiring.ts"
import type { DatabaseFacts } from "../../wiring.ts"
import { AgentDirectory } from "../../services/AgentDirectory.ts"
import type { Diagnosis } from "../../services/AgentDirectory.ts"
import { clusterNode } from "../clusterNode.ts"
import type { Check } from "../doctor/checks.ts"
import { dataChecks } from "../doctor/dataChecks.ts"
import { databaseChecks } from "../doctor/databaseChecks.ts"
import { nodeChecks } from "../doctor/nodeChecks.ts"
import { AlreadyReported, BadUsage } from "../failures.ts"
import * as Logging from "../logging.ts"
import { configuration, dataDirFlags, jsonFlag } from "../options.ts"
import { harmless, paint, print, printJson, table } from "../terminal.ts"

const clusterFlag = Flag.Boolean("cluster").pipe(
  Flag.withDescription("Ask each node of the cluster, too, whether it can be reached and is set up as this one"),
  Flag.withDefault(false),
  Flag.withoutNegation
)

export const doctorCommand = Command.make(
  "doctor",
  {
    agent: Argument.String("agent").pipe(
      Argument.withDescription("Only this one; else all that are known"),
      Argument.optional
    ),
    data: Flag.String("data").pipe(
      Flag.withMetavar("DIRECTORY"),
      Flag.withDescription(
        "Look at this data dir alone, or at a ledger's copy: whether all is there that a restore needs"
      ),
      Flag.optional
    ),
    cluster: clusterFlag,
    json: jsonFlag,
    ...dataDirFlags
  },
  Effect.fn(function* ({ agent, cluster, data, json, ...flags }) {
    if (Option.isSome(data)) return yield* reportData(data.value, json)
    const configured = yield* configuration(flags)
    const { databaseUrl, settings } = configured
    const node = cluster ? yield* clusterNode(configured) : null
    const ledger =
      databaseUrl === undefined
        ? examineFile(ledgerFile(settings.dataDir))
        : examineServer(databaseUrl, (facts) =>
            node === null ? Effect.succeed([]) : nodeChecks(facts, settings, node)
          )
    yield* examine(Option.getOrNull(agent), json, ledger).pipe(
      Effect.provide(Layer.provideMerge(AgentDirectory.layerAlone(settings), Logging.quiet))
    )
  })
).pipe(Command.withDescription("Say which agents can be used, whether the ledger is whole, and what to do where not"))

const reportData = Effect.fnUntraced(function* (path: string, json: boolean) {
  const checks = yield* dataChecks(path)
  const ok = checks.every(({ level }) => level !== "fails")
  yield* json ? printJson({ ok, data: resolve(path), checks }) : printChecks(`The data in ${resolve(path)}:`, checks)
  if (!ok) return yield* new AlreadyReported({})
})

/** Of the ledger: what `--json` has of it, what is printed, and whether Troupe can work on it. */
interface LedgerFound {
  readonly ok: boolean
  readonly json: Readonly<Record<string, unknown>>
  readonly print: Effect.Effect<void>
}

const examineFile = (file: string): Effect.Effect<LedgerFound> =>
  Effect.map(ledgerDamage(file), (damage) => ({
    ok: damage === null,
    json: { ledger: { file, ok: damage === null, problem: damage } },
    print:
      damage === null
        ? Effect.void
        : print(`\n${paint("red", "FAILS")}  the ledger ${file}: ${harmless(damage)}. ${mend}`)
  }))

const examineServer = (
  url: Redacted.Redacted<string>,
  more: (facts: DatabaseFacts) => Effect.Effect<ReadonlyArray<Check>>
): Effect.Effect<LedgerFound> =>
  examineDatabase(url).pipe(
    Effect.flatMap((facts) =>
      Effect.map(more(facts), (checks) => found(facts.location, [...databaseChecks(facts), ...checks]))
    ),
    Effect.catchTag("LedgerUnusable", ({ location, problem, remedy }) =>
      Effect.succeed(found(location, [{ what: "database", level: "fails", found: problem, remedy }]))
    )
  )

const found = (location: string, checks: ReadonlyArray<Check>): LedgerFound => {
  const ok = checks.every(({ level }) => level !== "fails")
  return { ok, json: { database: { location, ok, checks } }, print: printChecks(`\nThe database ${location}:`, checks) }
}

const levels = { ok: "ok", warn: "WARN", fails: "FAILS" } as const

const printChecks = Effect.fnUntraced(function* (head: string, checks: ReadonlyArray<Check>) {
  yield* print(paint("dim", harmless(head)))
  yield* print(
    table(
      checks.map(({ found, level, what }) => [levels[level], harmless(what), harmless(found)]),
      (cell, _, column) => (column === 0 ? color(cell) : cell)
    )
  )
  for (const { remedy, what } of checks) {
    if (remedy !== null) yield* print(`\n${paint("red", harmless(what))}: ${harmless(remedy)}`)
  }
})

const color = (cell: string) =>
  cell === "ok" ? paint("green", cell) : cell === "" ? cell : paint(cell === "WARN" ? "yellow" : "red", cell)

const examine = Effect.fnUntraced(function* (
  wanted: string | null,
  json: boolean,
  examineLedger: Effect.Effect<LedgerFound>
) {
  const directory = yield* AgentDirectory
  const fallback = yield* directory.defaultName
  const diagnoses = yield* directory.diagnose(wanted)
  if (diagnoses.length === 0)
    return yield* new BadUsage({ problem: `No agent is called ${wanted}. troupe doctor lists all.` })

  const first = (diagnosis: Diagnosis) => (diagnosis.name === fallback ? 0 : diagnosis.available ? 1 : 2)
  const sorted = diagnoses.toSorted((a, b) => first(a) - first(b) || a.name.localeCompare(b.name))
  const default_ = sorted.find(({ name }) => name === fallback)
  // One agent only was asked for: then nothing else is looked at.
  const ledger = wanted === null ? yield* examineLedger : null
  const agentsOk = wanted === null ? default_ !== undefined && works(default_) : sorted.every(works)
  const ok = agentsOk && (ledger === null || ledger.ok)
  if (json) {
    yield* printJson({ ok, default_agent: fallback, agents: sorted.map(view), ...ledger?.json })
  } else {
    yield* printDiagnoses(sorted, fallback)
    if (ledger !== null) yield* ledger.print
  }
  if (!ok) return yield* new AlreadyReported({})
})

const mend = "Stop Troupe, and restore it from a backup, or try `sqlite3 FILE .recover`."

const works = ({ handshake }: Diagnosis) => handshake !== null && handshake.ok

const view = ({ available, capabilities, handshake, heldBack, hint, name, problem, protocol, version }: Diagnosis) => ({
  name,
  protocol,
  available,
  version,
  capabilities,
  handshake: handshake === null ? null : handshakeDto(handshake),
  hint,
  problem,
  held_back: heldBack
})

const handshakeDto = (handshake: NonNullable<Diagnosis["handshake"]>) =>
  handshake.ok
    ? {
        ok: true,
        millis: handshake.millis,
        malformed_lines: handshake.malformedLines,
        first_malformed_line: handshake.firstMalformedLine
      }
    : handshake

const printDiagnoses = Effect.fnUntraced(function* (sorted: ReadonlyArray<Diagnosis>, fallback: string) {
  const available = sorted.filter(({ available }) => available)
  const rows = available.map((diagnosis) => [
    works(diagnosis) ? "ok" : "FAILS",
    diagnosis.name === fallback ? `${diagnosis.name} (default)` : diagnosis.name,
    diagnosis.protocol,
    diagnosis.version ?? "",
    handshakeText(diagnosis)
  ])
  if (rows.length > 0) {
    yield* print(
      table([["", "AGENT", "PROTOCOL", "VERSION", "HANDSHAKE"], ...rows], (cell, row, column) =>
        row === 0 ? paint("dim", cell) : column === 0 ? color(cell) : cell
      )
    )
  }
  yield* printProblems(available)
  yield* printHeldBack(available)
  const missing = sorted.filter(({ available }) => !available)
  if (missing.length === 0) return
  if (rows.length > 0) yield* print()
  yield* print(paint("dim", "Not on this machine:"))
  yield* print(
    table(
      missing.map(({ hint, name }) => [`  ${name}`, harmless(hint ?? "")]),
      (cell) => paint("dim", cell)
    )
  )
})

const printProblems = Effect.fnUntraced(function* (available: ReadonlyArray<Diagnosis>) {
  for (const { name, problem } of available) {
    if (problem !== null) yield* print(paint("red", `\n${name}: ${harmless(problem)}`))
  }
})

/** More names than this are counted; `--json` has all. */
const maxNames = 12

/** An agent that is "not logged in" often has its key in our environment, under a name that it does not get. */
const printHeldBack = Effect.fnUntraced(function* (available: ReadonlyArray<Diagnosis>) {
  const rows = available
    .filter(({ heldBack }) => heldBack.length > 0)
    .map(({ heldBack, name }) => {
      const more = heldBack.length - maxNames
      return [`  ${name}`, harmless(heldBack.slice(0, maxNames).join(", ")) + (more > 0 ? ` and ${more} more` : "")]
    })
  if (rows.length === 0) return
  yield* print()
  yield* print(paint("dim", 'Set here and held back from the agent, unless its "inheritEnv" names them:'))
  yield* print(table(rows, (cell) => paint("dim", cell)))
})

const handshakeText = ({ handshake, hint }: Diagnosis): string => {
  if (handshake === null) return harmless(hint ?? "not tried")
  if (!handshake.ok) return harmless(handshake.message).replace(/\s*\n\s*/g, " ")
  const { firstMalformedLine, malformedLines, millis } = handshake
  const noise =
    firstMalformedLine === null
      ? ""
      : `; ${malformedLines} ${malformedLines === 1 ? "line was" : "lines were"} no message: "${harmless(firstMalformedLine)}"`
  return `${Math.round(millis)} ms${noise}`
}
