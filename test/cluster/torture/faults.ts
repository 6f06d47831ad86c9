/** What is done to a cluster: each of these begins a fault, and has healed it when it is over. */
import { setTimeout as pause } from "node:timers/promises"
import type { Dice } from "../../simulation/random.ts"
import type { Cluster } from "./Cluster.ts"
import { holdTransaction, rowsOf } from "./sql.ts"
import type { TorturedNode } from "./TorturedNode.ts"

export interface Victims {
  readonly cluster: Cluster
  readonly dice: Dice
  /** Of all apps. */
  readonly sessions: ReadonlyArray<string>
  /** Starts of nodes whose agents nobody ends before the lease is over: the warden was killed, too. */
  readonly unguarded: Set<string>
  /** By how much the clock of a node was ever off: 0, and what faults add. */
  readonly clocks: Set<number>
}

type Fault = (victims: Victims) => Promise<void>

const nodeOf = ({ cluster, dice }: Victims) => dice.pick(cluster.up.length > 0 ? cluster.up : cluster.nodes)

const ownerOf = async (victims: Victims) =>
  (await victims.cluster.ownerOf(victims.dice.pick(victims.sessions))) ?? nodeOf(victims)

/** It comes back at once, or after its lease. */
const kill = async (victims: Victims, node: TorturedNode, signal: NodeJS.Signals = "SIGKILL") => {
  await node.end(signal)
  await pause(victims.dice.pick([0, 1_000, 1.5 * victims.cluster.leaseMillis]))
  await node.up()
}

const stopFor =
  (millisOf: (lease: number) => number): Fault =>
  async (victims) => {
    const { server } = await ownerOf(victims)
    server.signal("SIGSTOP")
    await pause(millisOf(victims.cluster.leaseMillis))
    server.signal("SIGCONT")
  }

const awayFor =
  (millis: number): Fault =>
  async ({ cluster: { postgres } }) => {
    await postgres.stop()
    await pause(millis)
    await postgres.start()
  }

const terminate = ({ cluster }: Victims, which: string) =>
  rowsOf(
    cluster.postgres.url,
    `SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND ${which}`
  )

const damage = async (dice: Dice, proxies: ReadonlyArray<TorturedNode["toNode"]>, leaseMillis: number) => {
  const kind = dice.pick(["cut", "reset", "delay"] as const)
  for (const proxy of proxies) {
    if (kind === "cut") proxy.cut()
    else if (kind === "reset") proxy.reset()
    else proxy.delay = 50
  }
  if (kind !== "reset") await pause(dice.pick([500, leaseMillis / 2, 1.5 * leaseMillis]))
  for (const proxy of proxies) {
    proxy.heal()
    proxy.delay = 0
  }
}

/** One direction only: what is asked arrives and is not answered, or is not even asked. */
const oneWay = async ({ cluster: { leaseMillis }, dice }: Victims, proxy: TorturedNode["toNode"]) => {
  if (dice.chance(0.5)) proxy.muffle()
  else proxy.deafen()
  await pause(dice.pick([500, leaseMillis / 2, 1.5 * leaseMillis]))
  proxy.heal()
}

/** A node whose clock is set, and set right again after a while. */
const clockOffBy =
  (millisOf: (dice: Dice) => number): Fault =>
  async (victims) => {
    const node = await ownerOf(victims)
    const millis = millisOf(victims.dice)
    victims.clocks.add(millis)
    node.clockIsOff(millis)
    await pause(victims.dice.pick([500, 1.5 * victims.cluster.leaseMillis]))
    node.clockIsOff(0)
  }

const lockedTables = ["events", "sessions", "turns", "nodes", "owed"]

export const faults = {
  killOwner: async (victims) => kill(victims, await ownerOf(victims)),
  /** One that leads a request to another one. */
  killRouter: async (victims) => {
    const leading = [...victims.cluster.asked]
    for (const [session, node] of leading) {
      if ((await victims.cluster.ownerOf(session)) !== node && node.isUp) return kill(victims, node)
    }
    await kill(victims, nodeOf(victims))
  },
  killAll: async (victims) => void (await Promise.all(victims.cluster.up.map((node) => kill(victims, node)))),
  killSweeper: async (victims) => {
    const node = nodeOf(victims)
    void node.server.asAdmin("POST", "/admin/sweep")
    await pause(victims.dice.below(30))
    await kill(victims, node)
  },
  /** As a crash of its machine; but its agents live on. */
  killWithWarden: async (victims) => {
    const node = await ownerOf(victims)
    victims.unguarded.add(node.writer)
    node.toNode.target = 0
    node.server.killWithWarden()
    await node.server.gone()
    await pause(victims.dice.pick([0, 1.5 * victims.cluster.leaseMillis]))
    await node.up()
  },
  leave: async (victims) => kill(victims, nodeOf(victims), "SIGTERM"),
  stopForASecond: stopFor(() => 1_000),
  stopForLess: stopFor((lease) => 0.93 * lease),
  stopForMore: stopFor((lease) => 1.3 * lease),
  stopForAMinute: stopFor(() => 60_000),
  restartPostgres: awayFor(0),
  killPostgres: async ({ cluster: { postgres } }) => {
    await postgres.kill()
    await postgres.start()
  },
  postgresAwayFor3s: awayFor(3_000),
  postgresAwayFor30s: awayFor(30_000),
  /** Connections end, in the middle of a commit where there is one. */
  cutWriters: async (victims) => {
    for (let times = 0; times < 20; times++) {
      await terminate(victims, "application_name = 'troupe' AND (state = 'active' OR query LIKE 'COMMIT%')")
      await pause(50)
    }
  },
  cutListeners: async (victims) => void (await terminate(victims, "application_name LIKE 'troupe on %'")),
  lockATable: async ({ cluster, dice }) =>
    holdTransaction(
      cluster.postgres.url,
      ["SET lock_timeout = '10s'", `LOCK TABLE ${dice.pick(lockedTables)} IN SHARE ROW EXCLUSIVE MODE`],
      10_000
    ),
  /** A row of one session is somebody else's for more than two leases: its owner's commit waits in the middle. */
  lockASession: async ({ cluster, dice, sessions }) => {
    const rows = await rowsOf(cluster.postgres.url, "SELECT DISTINCT session FROM turns WHERE ended_at IS NULL")
    const session = rows.length > 0 ? String(dice.pick(rows)["session"]) : dice.pick(sessions)
    const lock = `SELECT 1 FROM turns WHERE session = '${session}' FOR UPDATE`
    await holdTransaction(cluster.postgres.url, ["SET lock_timeout = '10s'", lock], 2.5 * cluster.leaseMillis)
  },
  fromOneToPostgres: async (victims) => damage(victims.dice, [nodeOf(victims).toDatabase], victims.cluster.leaseMillis),
  /** What a node sends is done, and it does not learn that: five times, it asks again in another connection. */
  loseAnswers: async (victims) => {
    const { toDatabase } = await ownerOf(victims)
    for (let times = 0; times < 5; times++) {
      toDatabase.muffle()
      await pause(300)
      toDatabase.heal()
      toDatabase.reset()
      await pause(1_000)
    }
  },
  fromAllToPostgres: async ({ cluster, dice }) =>
    damage(
      dice,
      cluster.nodes.map(({ toDatabase }) => toDatabase),
      cluster.leaseMillis
    ),
  betweenNodes: async ({ cluster, dice }) =>
    damage(
      dice,
      cluster.nodes.map(({ toNode }) => toNode),
      cluster.leaseMillis
    ),
  oneWayToPostgres: async (victims) => oneWay(victims, (await ownerOf(victims)).toDatabase),
  oneWayToANode: async (victims) => oneWay(victims, (await ownerOf(victims)).toNode),
  /** As far off as a node may be that starts. */
  clockSomewhatOff: clockOffBy((dice) => dice.pick([-4_500, 4_500])),
  /** Its neighbours refuse its calls, and it refuses theirs. */
  clockFarOff: clockOffBy((dice) => dice.pick([-3_600_000, 3_600_000])),
  joinOne: async ({ cluster }) => {
    const { name } = await cluster.join("guest-1")
    await pause(3_000)
    await leave(cluster, name)
  },
  joinThree: async ({ cluster }) => {
    const names = ["guest-1", "guest-2", "guest-3"]
    await Promise.all(names.map((name) => cluster.join(name)))
    await pause(3_000)
    await Promise.all(names.map((name) => leave(cluster, name)))
  }
} satisfies Record<string, Fault>

export type FaultName = keyof typeof faults

const leave = async (cluster: Cluster, name: string) => {
  const node = cluster.nodes.find((one) => one.name === name)
  if (node === undefined) return
  node.isWanted = false
  await node.end("SIGTERM")
}
