/** Three nodes are restarted one after the other, each by SIGTERM, while apps send turns to all of them and read all sessions. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { setTimeout as sleep } from "node:timers/promises"
import { emptySchema, server as postgres } from "../ledger/postgres/schemas.ts"
import { Cluster } from "./nodes.ts"
import type { Answer, ClusterNode, Reader } from "./nodes.ts"

const cluster = Effect.acquireRelease(
  Effect.map(emptySchema, (url) => new Cluster(url)),
  (nodes) => Effect.promise(() => nodes.cleanUp())
)

const names = ["first", "second", "third"]
const clients = 6
/** How many turns each client has behind it before the next node is restarted. */
const turnsBetween = 2

/** What an app is told that may send its request again, to any node, under its key. */
const passes = new Set(["draining", "session_moved", "idempotency_pending"])

/** One app at one session: turn after turn, each under its key until it has an answer, at one node after the other. */
class Client {
  readonly session: string
  readonly answers: Array<Answer> = []
  readonly retried: Array<string> = []
  readonly #nodes: ReadonlyMap<string, ClusterNode>
  #at: number
  #isOver = false

  constructor(nodes: ReadonlyMap<string, ClusterNode>, session: string, at: number) {
    this.#nodes = nodes
    this.session = session
    this.#at = at
  }

  stop(): void {
    this.#isOver = true
  }

  async run(): Promise<void> {
    while (!this.#isOver) {
      const nth = this.answers.length + 1
      // Some take long enough to be at work when their node is told to end.
      const prompt = nth % 2 === 0 ? "slow 60 20" : `number ${nth}`
      this.answers.push(await this.#answered(prompt, `${this.session}-${nth}`))
    }
  }

  async #answered(prompt: string, key: string): Promise<Answer> {
    while (true) {
      const node = this.#nodes.get(names[this.#at++ % names.length]!)
      if (node === undefined) continue
      const answer = await node.call("POST", `/sessions/${this.session}/turn`, { prompt }, key).catch(() => null)
      if (answer !== null && !passes.has(String(answer.json["error"]))) return answer
      this.retried.push(answer === null ? "unanswered" : String(answer.json["error"]))
      await sleep(50)
    }
  }
}

const until = async (what: string, condition: () => boolean) => {
  const deadline = Date.now() + 110_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`${what} did not come`)
    await sleep(20)
  }
}

const turnsThat = (phase: "started" | "ended", text: string) =>
  [...text.matchAll(new RegExp(`"phase":"${phase}","turn_index":(\\d+)`, "g"))].map(([, index]) => Number(index))

const rolling = async (cluster: Cluster) => {
  const env = { TROUPE_MAX_PROCESSES: "4" }
  const nodes = new Map<string, ClusterNode>()
  for (const name of names) nodes.set(name, await cluster.start(name, env))
  const made = await Promise.all(
    Array.from({ length: clients }, async (_, nth) => {
      const { json } = await nodes.get(names[nth % names.length]!)!.call("POST", "/sessions", { agent: "demo" })
      return new Client(nodes, String(json["session_id"]), nth)
    })
  )
  // Each reads from one node, and goes on at another one when that ends, behind the last that it has.
  const readers: Array<ReadonlyArray<Reader>> = made.map(({ session }) => [nodes.get("first")!.read(session)])
  const running = made.map((client) => client.run())
  const drains: Array<number> = []
  for (const [nth, name] of names.entries()) {
    const behind = made.map(({ answers }) => answers.length + turnsBetween)
    await until(`turns before ${name}`, () => made.every(({ answers }, at) => answers.length >= behind[at]!))
    const next = nodes.get(names[(nth + 1) % names.length]!)!
    for (const [at, { session }] of made.entries()) readers[at] = [...readers[at]!, next.read(session)]
    const old = nodes.get(name)!
    const began = Date.now()
    await old.kill("SIGTERM")
    drains.push(Date.now() - began)
    nodes.set(name, await cluster.start(name, env))
  }
  const behind = made.map(({ answers }) => answers.length + turnsBetween)
  await until("turns after all", () => made.every(({ answers }, at) => answers.length >= behind[at]!))
  for (const client of made) client.stop()
  await Promise.all(running)

  const last = nodes.get("second")!
  for (const [at, { answers, session }] of made.entries()) {
    for (const [nth, { json }] of answers.entries()) {
      assert.deepInclude(json, { ok: true, turn_index: nth + 1, interrupted: false }, JSON.stringify(json))
    }
    const whole = last.read(session)
    readers[at] = [...readers[at]!, whole]
    await last.call("DELETE", `/sessions/${session}`)
    await until("the end", () => whole.text().includes('"closed"'))
    for (const reader of readers[at]!) {
      assert.deepStrictEqual(
        reader.ids,
        reader.ids.map((_, id) => id + 1)
      )
      await reader.stop()
    }
    const all = answers.map((_, nth) => nth + 1)
    assert.deepStrictEqual(turnsThat("started", whole.text()), all)
    assert.deepStrictEqual(turnsThat("ended", whole.text()), all)
  }
  const turns = made.reduce((sum, { answers }) => sum + answers.length, 0)
  const again = made.flatMap(({ retried }) => retried)
  console.log(
    `${turns} turns of ${clients} sessions, nodes ended in ${drains.join(", ")} ms, requests sent again: ${again.length} ${JSON.stringify(
      again.reduce<Record<string, number>>((sum, why) => ({ ...sum, [why]: (sum[why] ?? 0) + 1 }), {})
    )}`
  )
}

describe.skipIf(postgres === null)("three nodes that are restarted one after the other", () => {
  it.live("lose no turn, repeat none, and fail none, and whoever reads misses nothing", () =>
    Effect.flatMap(cluster, (nodes) => Effect.promise(() => rolling(nodes))).pipe(Effect.scoped)
  )
})
