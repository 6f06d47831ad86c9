/** The process that ends all agents of a Troupe that was killed. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { createInterface } from "node:readline"
import { setTimeout as pause } from "node:timers/promises"
import { fixture, isAlive } from "./child.ts"

interface Family {
  readonly child: number
  readonly near: number
  readonly far: number
}

const pidsOf = ({ child, far, near }: Family) => [child, near, far]

/** Waits for the kernel, for at most as long as the test may take. */
const untilGone = async (pids: ReadonlyArray<number>) => {
  while (pids.some(isAlive)) await pause(5)
}

const toEnd = new Set<number>()
afterEach(() => {
  for (const pid of toEnd) if (isAlive(pid)) process.kill(pid, "SIGKILL")
  toEnd.clear()
})

/** For how long the agents of a node may run in these tests after it was stopped. */
const sureMillis = 3_000

/** A supervisor with one family that it holds, and its warden. */
const open = async (works: "alone" | "as a node" = "alone") => {
  const args = works === "alone" ? [] : [String(sureMillis)]
  const supervisor: ChildProcess = spawn(process.execPath, [fixture("supervisor"), ...args], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const lines = createInterface({ input: supervisor.stdout! })[Symbol.asyncIterator]()
  const next = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value))
  const { held, stranger, unswept } = (await next()) as {
    readonly held: Family
    readonly stranger: number
    readonly unswept: Family
  }
  const nextWarden = async () => ((await next()) as { readonly warden: number }).warden
  /** The pid of another child. */
  const spawnAnother = async () => {
    supervisor.kill("SIGUSR2")
    const { spawned } = (await next()) as { readonly spawned: number }
    toEnd.add(spawned)
    return spawned
  }
  const warden = await nextWarden()
  for (const pid of [supervisor.pid!, warden, ...pidsOf(held), unswept.far, stranger]) toEnd.add(pid)
  return { supervisor, held, unswept, stranger, warden, next, nextWarden, spawnAnother }
}

describe("the warden", () => {
  it("ends all that is held when its supervisor is killed, whatever group and session it has, and then itself", async () => {
    const { held, stranger, supervisor, warden } = await open()
    assert.deepStrictEqual(pidsOf(held).filter(isAlive), pidsOf(held))
    supervisor.kill("SIGKILL")
    await untilGone([...pidsOf(held), warden])
    // Its lease has been swept.
    assert.isTrue(isAlive(stranger))
  })

  it("ends what is left of a lease whose child has ended, where the supervisor is killed before it sweeps", async () => {
    const { supervisor, unswept, warden } = await open()
    assert.deepStrictEqual(pidsOf(unswept).map(isAlive), [false, false, true])
    supervisor.kill("SIGKILL")
    await untilGone([unswept.far, warden])
  })

  it("is not ended by the signals that a terminal or a service manager sends to all", async () => {
    const { held, supervisor, warden } = await open()
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(warden, signal)
    supervisor.kill("SIGKILL")
    await untilGone([...pidsOf(held), warden])
  })

  it("is started again where it was killed, and knows then what is held", async () => {
    const { held, nextWarden, supervisor, warden } = await open()
    process.kill(warden, "SIGKILL")
    const again = await nextWarden()
    toEnd.add(again)
    assert.notStrictEqual(again, warden)
    assert.isTrue(pidsOf(held).every(isAlive))
    supervisor.kill("SIGKILL")
    await untilGone([...pidsOf(held), again])
  })

  it("notices a supervisor that works alone and is stopped only when that is killed", async () => {
    const { held, supervisor, warden } = await open()
    supervisor.kill("SIGSTOP")
    await pause(300)
    assert.isTrue(pidsOf(held).every(isAlive))
    supervisor.kill("SIGKILL")
    await untilGone([...pidsOf(held), warden])
  })
})

describe("the warden of a node", () => {
  it("ends all that is held when the node is stopped, and nothing of what it starts when it goes on", async () => {
    const { held, spawnAnother, stranger, supervisor, warden } = await open("as a node")
    assert.deepStrictEqual(pidsOf(held).filter(isAlive), pidsOf(held))
    supervisor.kill("SIGSTOP")
    await untilGone(pidsOf(held))
    assert.isTrue(isAlive(stranger))
    supervisor.kill("SIGCONT")
    const another = await spawnAnother()
    await pause(sureMillis)
    assert.deepStrictEqual([another, warden].filter(isAlive), [another, warden])
    supervisor.kill("SIGKILL")
    await untilGone([another, warden])
  })

  it("ends all that is held when the node runs and doesn't renew its lease, and the node starts nothing then", async () => {
    const { held, next, supervisor } = await open("as a node")
    supervisor.kill("SIGUSR1")
    await untilGone(pidsOf(held))
    supervisor.kill("SIGUSR2")
    const { refused } = (await next()) as { readonly refused: string }
    assert.match(refused, /^This node's lease ran out/)
    assert.isTrue(isAlive(supervisor.pid!))
    supervisor.kill("SIGKILL")
  })

  it("knows the node's lease also where it was killed and started again", async () => {
    const { held, nextWarden, supervisor, warden } = await open("as a node")
    process.kill(warden, "SIGKILL")
    toEnd.add(await nextWarden())
    supervisor.kill("SIGSTOP")
    await untilGone(pidsOf(held))
    supervisor.kill("SIGKILL")
  })

  it("ends what ran before when it was stopped itself, also where the node went on first", async () => {
    const { held, supervisor, warden } = await open("as a node")
    process.kill(warden, "SIGSTOP")
    supervisor.kill("SIGSTOP")
    await pause(sureMillis + 100)
    supervisor.kill("SIGCONT")
    // Its lines wait in the pipe now.
    await pause(300)
    process.kill(warden, "SIGCONT")
    await untilGone(pidsOf(held))
    supervisor.kill("SIGKILL")
  })
})
