/**
 * Measures a turn over HTTP against others that take turns with Troupe: a bare pipe to the same agent, sandbox-agent, which
 * relays and stores nothing, and the floor, which stores as many rows and asks no agent.
 */
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import type { FloorCalls } from "./floor.ts"
import { connect } from "./http.ts"
import type { Client } from "./http.ts"
import { SandboxAgent } from "./peers/SandboxAgent.ts"
import type { RawCalls } from "./raw.ts"
import { block, sampleOf } from "./sample.ts"
import type { Block, Sample } from "./sample.ts"
import { millis, rate, times } from "./table.ts"
import type { Row } from "./table.ts"
import type { TroupeCalls } from "./troupe.ts"
import { start } from "./worker.ts"
import type { Worker } from "./worker.ts"

export interface PeersPlan {
  /** Of each number of sessions at once: a round is one block of each peer. */
  readonly rounds: number
  /** Turns of a block, whatever the number of sessions. */
  readonly turns: number
  /** Turns of each peer before anything is counted. */
  readonly warmUp: number
}

interface Troupe {
  readonly troupe: Worker<TroupeCalls>
  readonly client: Client
}

const atOnce = [1, 10] as const
const mostAtOnce = 10
/** Of the time of a turn through sandbox-agent. */
const goals = { 1: 1.3, 10: 1.2 } as const
const spreadGoal = 5

/** One of those that take turns: a block of turns of so many sessions at once, with the server's processor time. */
type Peer = (sessions: number, turns: number) => Promise<Block>

export const measure = async (
  dir: string,
  { client, troupe }: Troupe,
  plan: PeersPlan
): Promise<ReadonlyArray<Row>> => {
  const raw = start<RawCalls>("raw.ts", [])
  const floor = start<FloorCalls>("floor.ts", [dir])
  const sandboxAgent = await startedSandboxAgent(dir)
  try {
    await raw.call("open", { agents: mostAtOnce })
    const { ids } = await troupe.call("create", { count: mostAtOnce })
    await troupe.call("turns", { ids, each: 2 })
    const bodies = await troupe.call("rowsOfTurn", { id: ids[0] ?? "" })
    const floorClient = connect((await floor.call("listen", { bodies })).url, "none", mostAtOnce)
    const peers: Record<string, Peer> = {
      raw: (sessions, turns) => raw.call("turns", { agents: sessions, each: turns / sessions }),
      troupe: served(
        () => troupe.call("cpu").then(({ millis }) => millis),
        (session) => client.post(`/sessions/${ids[session]}/turn`, { prompt: "hello" })
      ),
      floor: served(
        () => floor.call("cpu").then(({ millis }) => millis),
        (session) => floorClient.post(`/sessions/${session}/turn`, { prompt: "hello" })
      ),
      ...(sandboxAgent instanceof SandboxAgent
        ? {
            sandboxAgent: served(
              async () => sandboxAgent.cpuMillis(),
              (session) => sandboxAgent.turn(session)
            )
          }
        : {})
    }
    for (const peer of Object.values(peers)) await peer(mostAtOnce, plan.warmUp)
    const rows: Array<Row> = []
    for (const sessions of atOnce) rows.push(...rowsOf(sessions, await measured(peers, sessions, plan), sandboxAgent))
    floorClient.close()
    return rows
  } finally {
    await Promise.all([raw.end(), floor.end(), sandboxAgent instanceof SandboxAgent ? sandboxAgent.end() : null])
  }
}

/** The server, or in a word why there is none. */
const startedSandboxAgent = async (dir: string): Promise<SandboxAgent | string> => {
  const home = join(dir, "sandbox-agent")
  await mkdir(home)
  return SandboxAgent.start(home, mostAtOnce).catch((error: Error) => error.message.split("\n")[0] ?? "no reason")
}

const served =
  (cpuMillis: () => Promise<number>, turn: (session: number) => Promise<string>): Peer =>
  async (sessions, turns) => {
    const before = await cpuMillis()
    const taken = await block([...Array(sessions).keys()], turns / sessions, turn)
    return { ...taken, cpuMillis: (await cpuMillis()) - before }
  }

const measured = async (peers: Record<string, Peer>, sessions: number, { rounds, turns }: PeersPlan) => {
  const blocks = new Map<string, Array<Block>>(Object.keys(peers).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, peer] of Object.entries(peers)) blocks.get(name)?.push(await peer(sessions, turns))
  }
  return Object.fromEntries([...blocks].map(([name, blocks]) => [name, sampleOf(blocks)])) as Record<
    "raw" | "troupe" | "floor" | "sandboxAgent",
    Sample
  >
}

const rowsOf = (
  sessions: (typeof atOnce)[number],
  { floor, raw, sandboxAgent, troupe }: Awaited<ReturnType<typeof measured>>,
  had: SandboxAgent | string
): ReadonlyArray<Row> => {
  const name = `turn over HTTP, ${sessions === 1 ? "1 session" : `${sessions} sessions`}`
  const beside = (what: string, ours: number, theirs: (sample: Sample) => number): ReadonlyArray<Row> => [
    row(`${name}: ${what}`, millis(ours), `${millis(theirs(raw))} raw pipe`, times(ours / theirs(raw))),
    typeof had === "string"
      ? row(`${name}: ${what}`, millis(ours), `no sandbox-agent (${had})`, "-")
      : row(
          `${name}: ${what}`,
          millis(ours),
          `${millis(theirs(sandboxAgent))} sandbox-agent`,
          times(ours / theirs(sandboxAgent)),
          what === "p50" ? goalOf(goals[sessions], ours / theirs(sandboxAgent)) : undefined
        )
  ]
  const spread = troupe.p99 / troupe.p50
  return [
    ...beside("p50", troupe.p50, ({ p50 }) => p50),
    ...beside("p99", troupe.p99, ({ p99 }) => p99),
    row(`${name}: p99 over p50`, times(spread), `${times(raw.p99 / raw.p50)} raw pipe`, "", goalOf(spreadGoal, spread)),
    row(
      `${name}: throughput`,
      rate(troupe.perSecond, "turns"),
      `${rate(floor.perSecond)} floor`,
      times(troupe.perSecond / floor.perSecond)
    ),
    row(
      `${name}: processor time a turn`,
      millis(troupe.cpuMillisEach),
      `${millis(floor.cpuMillisEach)} floor`,
      times(troupe.cpuMillisEach / floor.cpuMillisEach)
    )
  ]
}

const goalOf = (most: number, ratio: number) => ({ text: `<= x${most.toFixed(1)}`, met: ratio <= most })

const row = (what: string, troupe: string, reference: string, comparison: string, goal?: Row["goal"]): Row => ({
  what,
  troupe,
  reference,
  comparison,
  ...(goal === undefined ? {} : { goal })
})
