/**
 * The subject of the measurements: a whole Troupe in its own process, with its HTTP server, as `troupe serve` runs it.
 *
 * The library (`Sessions`) is called inside this process; HTTP is called by the process that measures.
 */
import { Context, Effect, Layer, Logger, ManagedRuntime, Option, Redacted, References } from "effect"
import { HttpServer } from "effect/http"
import { statSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { getHeapSpaceStatistics } from "node:v8"
import { ledgerFile } from "../src/dataDir.ts"
import { Apps } from "../src/services/Apps.ts"
import { Sessions } from "../src/services/Sessions.ts"
import type { Caller } from "../src/services/Sessions.ts"
import { AppName } from "../src/domain/Ids.ts"
import { defaultLimits } from "../src/domain/Settings.ts"
import { loopbackNames } from "../src/http/originCheck.ts"
import * as Http from "../src/http/Http.ts"
import * as Runtime from "../src/wiring.ts"
import { block, cpuMillis } from "./sample.ts"
import type { Block } from "./sample.ts"
import { serveCalls } from "./worker.ts"

const app = AppName.make("bench")
const caller: Caller = { _tag: "App", app }
const hourMillis = 3_600_000

const [dataDir = ""] = process.argv.slice(2)

const settings = {
  dataDir,
  limits: {
    ...defaultLimits,
    maxSessions: 100_000,
    maxSessionsPerApp: 100_000,
    maxProcesses: 64,
    hibernateAfterMillis: hourMillis
  },
  agents: {
    null: {
      protocol: "acp",
      command: [process.execPath, new URL("null-agent.ts", import.meta.url).pathname]
    }
  },
  defaultAgent: "null",
  run: {}
} as const

const listening = {
  host: "127.0.0.1",
  port: 0,
  allowedHosts: loopbackNames,
  allowedOrigins: [],
  maxBodyBytes: defaultLimits.maxBodyBytes
}

const adminToken = Option.some(Redacted.make("an-admin-token-for-the-benchmark"))
const runtime = ManagedRuntime.make(
  Http.layer(listening).pipe(
    Layer.provideMerge(Runtime.layer(settings, { adminToken })),
    Layer.provideMerge(
      Layer.merge(
        Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)]),
        Layer.succeed(References.MinimumLogLevel, "Warn")
      )
    )
  )
)

const collect = (globalThis as { readonly gc?: (options?: { readonly type: "minor" }) => void }).gc

/** What V8 keeps until a full collection. */
const oldBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === "old_space")?.space_used_size ?? 0

const ledgerRows = (): ReadonlyArray<string> => {
  const db = new DatabaseSync(ledgerFile(dataDir), { readOnly: true })
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'").all()
  const rows = tables.flatMap(({ name }) =>
    db
      .prepare(`SELECT * FROM "${String(name)}"`)
      .all()
      .map((row) => `${String(name)} ${JSON.stringify(Object.values(row))}`)
  )
  db.close()
  return rows
}

const calls = {
  info: async () => {
    const services = await runtime.context()
    const { token } = await runtime.runPromise(Context.get(services, Apps).mint("bench"))
    const { address } = Context.get(services, HttpServer.HttpServer)
    return { url: HttpServer.formatAddress(address), token: Redacted.value(token) }
  },
  create: async ({ count }: { readonly count: number }): Promise<Block & { readonly ids: ReadonlyArray<string> }> => {
    const sessions = Context.get(await runtime.context(), Sessions)
    const ids: Array<string> = []
    const creations = await block([null], count, async () => {
      ids.push((await runtime.runPromise(sessions.create(app, {}))).id)
    })
    return { ...creations, ids }
  },
  /** Every session takes `each` turns, one after the other; all sessions at once. */
  turns: async ({ each, ids }: { readonly ids: ReadonlyArray<string>; readonly each: number }): Promise<Block> => {
    const sessions = Context.get(await runtime.context(), Sessions)
    const turn = (id: string) =>
      Effect.flatMap(sessions.submit(caller, id, { prompt: "hello" }), ({ result }) => result).pipe(
        Effect.filterOrFail(
          ({ turn }) => turn.status === "completed",
          ({ turn }) => new Error(`a turn ${turn.status}: ${turn.failure?.message}`)
        )
      )
    return block(ids, each, (id) => runtime.runPromise(turn(id)))
  },
  close: async ({ ids }: { readonly ids: ReadonlyArray<string> }): Promise<void> => {
    const sessions = Context.get(await runtime.context(), Sessions)
    await runtime.runPromise(Effect.forEach(ids, (id) => sessions.close(caller, id), { discard: true }))
  },
  /** Each row that a turn adds to the ledger or changes in it, as JSON. */
  rowsOfTurn: async ({ id }: { readonly id: string }): Promise<ReadonlyArray<string>> => {
    const before = new Set(ledgerRows())
    await calls.turns({ ids: [id], each: 1 })
    return ledgerRows().filter((row) => !before.has(row))
  },
  /** What the ledger has of a session, all commits of this Troupe, and the bytes of its log since that was last emptied. */
  stored: async ({ id }: { readonly id: string }) => {
    const file = ledgerFile(dataDir)
    const db = new DatabaseSync(file, { readOnly: true })
    const number = (text: string, ...params: ReadonlyArray<string>) => Number(db.prepare(text).get(...params)?.["n"])
    const stored = {
      commits: number("SELECT max(nth) AS n FROM commits"),
      events: number("SELECT sum(coalesce(last, seq) - seq + 1) AS n FROM events WHERE session = ?", id),
      eventBytes: number(
        "SELECT sum(length(message) + coalesce(length(more), 0)) AS n FROM events WHERE session = ?",
        id
      ),
      /** As SQLite keeps them, with their keys and their indexes. */
      rowBytes: number(
        "SELECT sum(payload) AS n FROM dbstat WHERE name IN ('events', 'events_by_turn', 'sqlite_autoindex_events_1')"
      ),
      logBytes: statSync(`${file}-wal`).size
    }
    db.close()
    return stored
  },
  cpu: async () => ({ millis: cpuMillis() }),
  /** What turns leave that is of no use any more, and that only a full collection finds. */
  lingering: async (turns: { readonly ids: ReadonlyArray<string>; readonly each: number }) => {
    collect?.()
    const before = oldBytes()
    await calls.turns(turns)
    for (let pass = 0; pass < 3; pass++) collect?.({ type: "minor" })
    return { bytes: oldBytes() - before }
  },
  /** After a forced collection: only memory that is in use is counted. */
  memory: async () => {
    for (let pass = 0; pass < 3; pass++) {
      collect?.()
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const { heapUsed, rss } = process.memoryUsage()
    return { rssBytes: rss, heapBytes: heapUsed, collected: collect !== undefined }
  }
} as const

export type TroupeCalls = typeof calls

serveCalls(calls, () => runtime.dispose())
