/**
 * A database that is away for longer than a lease: agents go on where no node reaches it, and end where another one does,
 * before that one goes on with their sessions.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import { tmpdir } from "node:os"
import { setTimeout as pause } from "node:timers/promises"
import * as ProcessTable from "../../src/agent/processTable.ts"
import { PostgresProgram } from "../ledger/postgres/PostgresProgram.ts"
import { query, server as postgres } from "../ledger/postgres/schemas.ts"
import { Cluster, until } from "./nodes.ts"
import type { Answer, ClusterNode, Reader } from "./nodes.ts"
import { TcpProxy } from "./TcpProxy.ts"

/** Of its own: it is stopped. */
let program: PostgresProgram | null = null
beforeAll(async () => {
  if (postgres !== null) program = await PostgresProgram.open()
}, 120_000)
afterAll(() => program?.close())

/** Longer than by default, for a machine that has other work: whoever gets no processor time for most of it loses its agents. */
const lease = "6 seconds"
/** More than two leases. */
const awayMillis = 13_000
/** Its agent is at it for longer. */
const long = "slow 500 50"

interface Way {
  readonly start: (name: string) => Promise<ClusterNode>
  /** The node's way to the database, which others have their own of. */
  readonly cut: (name: string) => void
  readonly heal: (name: string) => void
  readonly stop: () => Promise<void>
  readonly startAgain: () => Promise<void>
  /** Who had the session, and what had become of the one before. */
  readonly owners: (session: string) => Promise<ReadonlyArray<readonly [string, string | null]>>
}

const behindProxies = async (test: (way: Way) => Promise<void>) => {
  if (program === null) throw new Error("there is no PostgreSQL")
  const { port, url } = program
  const schema = `away_${randomBytes(6).toString("hex")}`
  await Effect.runPromise(query(url, `CREATE SCHEMA ${schema}`))
  const database = `${url}?options=${encodeURIComponent(`-csearch_path=${schema}`)}`
  const nodes = new Cluster(database)
  const proxies = new Map<string, TcpProxy>()
  const proxyOf = (name: string) => proxies.get(name)!
  try {
    await test({
      start: async (name) => {
        const proxy = proxies.get(name) ?? (await TcpProxy.open())
        proxies.set(name, proxy)
        proxy.target = port
        const node = await nodes.start(name, {
          TROUPE_NODE_LEASE: lease,
          TROUPE_DATABASE_URL: database.replace(`:${port}/`, `:${proxy.port}/`)
        })
        await nodes.knowEachOther()
        return node
      },
      cut: (name) => {
        proxyOf(name).target = 0
        proxyOf(name).reset()
      },
      heal: (name) => void (proxyOf(name).target = port),
      stop: () => program!.stop(),
      startAgain: () => program!.start(),
      owners: async (session) => {
        const text = `SELECT node, owner_before AS before FROM ${schema}.claims WHERE session = '${session}' ORDER BY epoch`
        const { rows } = await Effect.runPromise(query(url, text))
        return rows.map((row) => [String(row["node"]), row["before"] as string | null] as const)
      }
    })
  } finally {
    if (!program.isRunning) await program.start()
    await nodes.cleanUp()
    await Promise.all([...proxies.values()].map((proxy) => proxy.close()))
  }
}

interface AtWork {
  readonly node: ClusterNode
  readonly session: string
  readonly reader: Reader
  readonly pid: number
  readonly marker: string
  readonly answer: Promise<Answer>
}

/** As apps do it: under a key, and again while the database is away. */
const answered = async (node: ClusterNode, session: string, prompt: string): Promise<Answer> => {
  const key = crypto.randomUUID()
  for (;;) {
    const answer = await node.call("POST", `/sessions/${session}/turn`, { prompt }, key)
    if (answer.status !== 503) return answer
    await pause(100)
  }
}

/** A session of the node's, with a turn that its agent is at for longer than the database will be away. */
const atWork = async (node: ClusterNode, readAt: ClusterNode): Promise<AtWork> => {
  const { json } = await node.call("POST", "/sessions", { agent: "demo", cwd: tmpdir() })
  const session = String(json["session_id"])
  const reader = readAt.read(session)
  const answer = answered(node, session, long)
  answer.catch(() => {})
  await until("words", () => reader.text().includes("word"))
  const shown = await node.call("GET", `/sessions/${session}`)
  const { pid } = shown.json["process"] as { readonly pid: number }
  const marker = ProcessTable.markerOf(pid)
  if (marker === null) throw new Error(`the agent ${pid} has no marker`)
  return { node, session, reader, pid, marker, answer }
}

const agentsOf = ({ marker }: AtWork) => ProcessTable.pids().filter((pid) => ProcessTable.markerOf(pid) === marker)

const goesOn = async (way: Way, work: AtWork) => {
  const { json } = await work.answer
  assert.deepInclude(json, { ok: true, turn_index: 1 }, JSON.stringify(json))
  assert.include(agentsOf(work), work.pid)
  const next = await answered(work.node, work.session, "again")
  // The same process: it counts its turns.
  assert.deepInclude(next.json, { ok: true, final_text: "You said: again (turn 2)" }, JSON.stringify(next.json))
  assert.deepStrictEqual(await way.owners(work.session), [[work.node.name, null]])
  await work.reader.stop()
  const { ids } = work.reader
  assert.deepStrictEqual(
    ids,
    ids.map((_, nth) => nth + 1)
  )
}

/** Another node has settled the turn: by then no agent is left that was at it. */
const isTakenOver = async (way: Way, work: AtWork, by: ClusterNode) => {
  await until("the end of the turn", () => /"phase":"ended","turn_index":1/.test(work.reader.text()))
  assert.deepStrictEqual(agentsOf(work), [])
  const next = await answered(by, work.session, "again")
  assert.deepInclude(next.json, { ok: true, turn_index: 2 }, JSON.stringify(next.json))
  const lost = await by.call("GET", `/sessions/${work.session}/turns/1`)
  assert.match(String(lost.json["error"]), /^outcome_unknown: /)
  assert.deepStrictEqual(await way.owners(work.session), [
    [work.node.name, null],
    [by.name, "silent"]
  ])
  await work.reader.stop()
}

describe.skipIf(postgres === null)("a PostgreSQL that is away for longer than a lease", () => {
  it.live(
    "ends no agent where it is away for all nodes, or the only one: turns go on, and their sessions stay there",
    () =>
      Effect.promise(() =>
        behindProxies((three) =>
          behindProxies(async (alone) => {
            const working = async (way: Way, names: ReadonlyArray<string>) => {
              const nodes: Array<ClusterNode> = []
              for (const name of names) nodes.push(await way.start(name))
              const works = await Promise.all(nodes.map((node) => atWork(node, node)))
              return works.map((work) => ({ way, work }))
            }
            const all = [...(await working(three, ["first", "second", "third"])), ...(await working(alone, ["only"]))]
            await three.stop()
            await pause(awayMillis)
            for (const { work } of all) assert.include(agentsOf(work), work.pid)
            await three.startAgain()
            for (const { way, work } of all) await goesOn(way, work)
          })
        )
      )
  )

  it.live("for one node only: its agents end, and another one goes on with their sessions", () =>
    Effect.promise(() =>
      behindProxies(async (way) => {
        const [first, second] = [await way.start("first"), await way.start("second")]
        const [cut, stays] = [await atWork(first, second), await atWork(second, second)]
        way.cut("first")
        await isTakenOver(way, cut, second)
        way.heal("first")
        await goesOn(way, stays)
        // It works on, with sessions of its own.
        const after = await atWork(first, second)
        assert.include(agentsOf(after), after.pid)
        await first.call("DELETE", `/sessions/${after.session}`)
        await after.reader.stop()
      })
    )
  )

  it.live("for all but one: that one does not hold off, and goes on with the sessions of the others", () =>
    Effect.promise(() =>
      behindProxies(async (way) => {
        const [first, second, third] = [await way.start("first"), await way.start("second"), await way.start("third")]
        const [one, two, stays] = [await atWork(first, third), await atWork(second, third), await atWork(third, third)]
        way.cut("first")
        way.cut("second")
        await Promise.all([isTakenOver(way, one, third), isTakenOver(way, two, third)])
        await goesOn(way, stays)
        way.heal("first")
        way.heal("second")
      })
    )
  )
})
