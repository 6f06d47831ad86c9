/**
 * `npm run bench`: measures what Troupe costs, as one table of ratios from one run.
 *
 *     npm run bench                          all of it, about ten minutes
 *     npm run bench -- --quick               fewer rounds, about three minutes
 *     npm run bench -- --only turns,streams  these sections alone: peers, turns, streams, strides, sessions, stored, spares,
 *                                            commits, growth
 *     npm run bench -- --profile DIR         writes a CPU profile of the Troupe under test into DIR
 *
 * Rounds of Troupe and its reference alternate, so that a machine that gets slower slows both. Absolute times are those
 * of this machine at this hour; only the ratios can be compared between runs.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { cpus, tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import * as Commits from "./commits.ts"
import * as Creation from "./creation.ts"
import * as Growth from "./growth.ts"
import type { TroupeCalls } from "./troupe.ts"
import { connect } from "./http.ts"
import type { Client } from "./http.ts"
import * as Peers from "./peers.ts"
import type { RawCalls } from "./raw.ts"
import * as Spares from "./spares.ts"
import * as Stored from "./stored.ts"
import * as Strides from "./strides.ts"
import * as Streams from "./streams.ts"
import { printed } from "./table.ts"
import type { Row } from "./table.ts"
import * as Turns from "./turns.ts"
import { start } from "./worker.ts"
import type { Worker } from "./worker.ts"

const sections = ["peers", "turns", "streams", "strides", "sessions", "stored", "spares", "commits", "growth"] as const
type Section = (typeof sections)[number]

const manySessions = 10_000
const fewSessions = 100
const warmUpSessions = 2_000
const awakeSessions = 50
const earlySessions = 10

const full = {
  /** Not counted: a server is measured as it is after minutes, when its code is compiled (some 15,000 turns), not after seconds. */
  warmUp: { sessions: awakeSessions, rounds: 1, each: 80 },
  peers: { rounds: 20, turns: 200, warmUp: 15_000 },
  one: { sessions: 1, rounds: 30, each: 100 },
  fifty: { sessions: awakeSessions, rounds: 15, each: 20 },
  streams: { rounds: 5, chunks: 200_000, updates: 20_000 },
  strides: { rounds: 2, chunks: 200 },
  creation: { rounds: 15, each: 20 },
  stored: { starts: 5, requests: 50 },
  spares: { rounds: 10 },
  commits: { rounds: 10, turns: 250 },
  growth: { rounds: 12, sessions: 10, turns: 50 }
}
const quick: typeof full = {
  warmUp: { sessions: awakeSessions, rounds: 1, each: 40 },
  peers: { rounds: 5, turns: 100, warmUp: 1_000 },
  one: { sessions: 1, rounds: 6, each: 50 },
  fifty: { sessions: awakeSessions, rounds: 3, each: 5 },
  streams: { rounds: 2, chunks: 50_000, updates: 5_000 },
  strides: { rounds: 1, chunks: 100 },
  creation: { rounds: 10, each: 20 },
  stored: { starts: 1, requests: 10 },
  spares: { rounds: 3 },
  commits: { rounds: 4, turns: 100 },
  growth: { rounds: 4, sessions: 10, turns: 20 }
}

interface TroupeSide {
  readonly troupe: Worker<TroupeCalls>
  readonly client: Client
  readonly end: () => Promise<void>
}

const openTroupe = async (dir: string, name: string, profileDir: string | undefined): Promise<TroupeSide> => {
  const dataDir = join(dir, name)
  await mkdir(dataDir)
  const profiling = profileDir === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDir}`]
  const troupe = start<TroupeCalls>("troupe.ts", [dataDir], ["--expose-gc", "--no-flush-bytecode", ...profiling])
  const { token, url } = await troupe.call("info")
  const client = connect(url, token, awakeSessions)
  const end = async () => {
    client.close()
    await troupe.end()
  }
  return { troupe, client, end }
}

const progress = (what: string) => process.stderr.write(`${what}…\n`)

/** Measures turns and streams on one Troupe, against the reference's pipes. */
const measureAtWork = async (dir: string, plan: typeof full, wanted: ReadonlySet<Section>, profileDir?: string) => {
  const rows: Array<Row> = []
  const raw = start<RawCalls>("raw.ts", [])
  const { client, end, troupe } = await openTroupe(dir, "busy", profileDir)
  try {
    if (wanted.has("turns")) {
      progress(`waking ${awakeSessions} sessions`)
      await raw.call("open", { agents: awakeSessions })
      // What the first turns of a program compile, and keep once, is not what a session keeps.
      const early = await troupe.call("create", { count: earlySessions })
      await troupe.call("turns", { ...early, each: 40 })
      const before = await troupe.call("memory")
      const { ids } = await troupe.call("create", { count: awakeSessions })
      await troupe.call("turns", { ids, each: 1 })
      const after = await troupe.call("memory")
      progress("warming up")
      await Turns.measure({ raw, troupe, client, ids }, plan.warmUp)
      for (const turns of [plan.one, plan.fifty]) {
        progress(`turns, sessions at once: ${turns.sessions}`)
        rows.push(...(await Turns.measure({ raw, troupe, client, ids }, turns)))
      }
      rows.push(Creation.awakeRow(awakeSessions, before, after))
      await troupe.call("close", { ids: [...early.ids, ...ids] })
    }
    if (wanted.has("streams")) {
      progress("streams of events")
      await raw.call("open", { agents: 1 })
      const relay = connect((await raw.call("listen")).url, "none", 1)
      const newSession = async () => Creation.idIn(await client.post("/sessions", {}))
      rows.push(...(await Streams.measure({ relay, client, newSession }, plan.streams)))
      relay.close()
    }
  } finally {
    await Promise.all([raw.end(), end()])
  }
  return rows
}

const measurePeers = async (dir: string, plan: typeof full, profileDir?: string) => {
  progress("turns beside those of peers")
  const { client, end, troupe } = await openTroupe(dir, "beside", profileDir)
  try {
    return await Peers.measure(dir, { client, troupe }, plan.peers)
  } finally {
    await end()
  }
}

const measureStrides = async (dir: string, plan: typeof full) => {
  progress("a slow stream, read and not")
  const { client, end, troupe } = await openTroupe(dir, "slow", undefined)
  const newSession = async () => Creation.idIn(await client.post("/sessions", {}))
  try {
    return await Strides.measure({ client, newSession, troupe }, plan.strides)
  } finally {
    await end()
  }
}

const measureGrowth = async (dir: string, plan: typeof full) => {
  progress("turns of sessions that are closed")
  const { end, troupe } = await openTroupe(dir, "growing", undefined)
  try {
    return await Growth.measure(troupe, plan.growth)
  } finally {
    await end()
  }
}

/** Measures a Troupe with few sessions and one with many. */
const measureFewAndMany = async (dir: string, plan: typeof full) => {
  progress(`creating ${manySessions} sessions`)
  const few = await openTroupe(dir, "few", undefined)
  const many = await openTroupe(dir, "many", undefined)
  try {
    await few.troupe.call("create", { count: fewSessions })
    // As many creations as the other Troupe will have had: the state of compiled code is not what is compared.
    await few.troupe.call("close", await few.troupe.call("create", { count: warmUpSessions }))
    const empty = await many.troupe.call("memory")
    await many.troupe.call("create", { count: manySessions })
    const asleep = await many.troupe.call("memory")
    const rows = await Creation.measure({ ...few, open: fewSessions }, { ...many, open: manySessions }, plan.creation)
    return [...rows, ...Creation.asleepRows(manySessions, empty, asleep)]
  } finally {
    await Promise.all([few.end(), many.end()])
  }
}

const run = async (plan: typeof full, wanted: ReadonlySet<Section>, profileDir: string | undefined) => {
  const dir = await mkdtemp(join(tmpdir(), "troupe-bench-"))
  try {
    const rows: Array<Row> = []
    if (wanted.has("peers")) rows.push(...(await measurePeers(dir, plan, profileDir)))
    if (wanted.has("turns") || wanted.has("streams")) rows.push(...(await measureAtWork(dir, plan, wanted, profileDir)))
    if (wanted.has("strides")) rows.push(...(await measureStrides(dir, plan)))
    if (wanted.has("sessions")) rows.push(...(await measureFewAndMany(dir, plan)))
    if (wanted.has("stored")) {
      progress("starts with many stored sessions")
      rows.push(...(await Stored.measure(dir, plan.stored)))
    }
    if (wanted.has("spares")) {
      const why = Spares.missing()
      progress(why ?? "first turns, with spares and without")
      if (why === null) rows.push(...(await Spares.measure(plan.spares)))
    }
    if (wanted.has("commits")) {
      progress("commits")
      rows.push(...(await Commits.measure(dir, plan.commits)))
    }
    if (wanted.has("growth")) rows.push(...(await measureGrowth(dir, plan)))
    return rows
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

const options = () => {
  const { values } = parseArgs({
    options: { quick: { type: "boolean", default: false }, only: { type: "string" }, profile: { type: "string" } }
  })
  const { only, profile } = values
  const named = only?.split(",") ?? sections
  const wanted = sections.filter((name) => named.includes(name))
  if (wanted.length !== named.length) {
    throw new Error(`--only is ${JSON.stringify(only)}: it takes ${sections.join(", ")}, or several with commas.`)
  }
  return {
    plan: values.quick ? quick : full,
    wanted: new Set(wanted),
    profileDir: profile === undefined ? undefined : resolve(profile)
  }
}

try {
  const { plan, profileDir, wanted } = options()
  const began = performance.now()
  const rows = await run(plan, wanted, profileDir)
  const [cpu] = cpus()
  console.log(printed(rows))
  console.log(
    `\nNode ${process.versions.node}, ${cpus().length} x ${cpu?.model.trim() ?? "unknown processor"}, ` +
      `${((performance.now() - began) / 1000).toFixed(0)} s. Rounds of Troupe and its reference alternate.`
  )
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
