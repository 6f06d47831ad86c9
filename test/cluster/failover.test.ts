/** A PostgreSQL server that dies and whose standby takes its place: what was acknowledged is there, and the nodes go on. */
import { assert, describe, it } from "@effect/vitest"
import { tmpdir } from "node:os"
import { PostgresProgram } from "../ledger/postgres/PostgresProgram.ts"
import { server as postgres } from "../ledger/postgres/schemas.ts"
import { Cluster, until } from "./nodes.ts"
import type { Answer, ClusterNode } from "./nodes.ts"
import { rowsOf } from "./torture/sql.ts"
import { TcpProxy } from "./TcpProxy.ts"

interface Asked {
  readonly key: string
  readonly session: string
  readonly answer: Answer
}

const sessionOf = async (node: ClusterNode) => {
  const { json } = await node.call("POST", "/sessions", { agent: "demo", cwd: tmpdir() })
  return String(json["session_id"])
}

/** Turns one after the other, each under its key until it is answered, as apps do it. */
const client = async (node: ClusterNode, session: string, asked: Array<Asked>, isOver: () => boolean) => {
  while (!isOver()) {
    const key = crypto.randomUUID()
    let answer: Answer | null = null
    while (answer === null || answer.status === 503) {
      answer = await node.call("POST", `/sessions/${session}/turn`, { prompt: `say ${key}` }, key).catch(() => null)
      if (answer === null || answer.status === 503) await new Promise((resolve) => setTimeout(resolve, 200))
    }
    asked.push({ key, session, answer })
  }
}

describe.skipIf(postgres === null)("a failover of the database", () => {
  it("to a standby that confirms commits loses no turn that was answered, and repeats none", async () => {
    const primary = await PostgresProgram.open()
    assert.isNotNull(primary)
    const standby = await primary!.standby()
    const proxy = await TcpProxy.open()
    proxy.target = primary!.port
    const url = new URL(primary!.url)
    url.port = String(proxy.port)
    const nodes = new Cluster(String(url))
    try {
      const both = [await nodes.start("first"), await nodes.start("second")]
      const sessions = await Promise.all([...both, ...both].map(sessionOf))
      const asked: Array<Asked> = []
      let isOver = false
      const clients = sessions.map((session, nth) => client(both[(nth + 1) % 2]!, session, asked, () => isOver))
      await until("some turns", () => asked.length >= 12)
      await primary!.kill()
      proxy.target = 0
      proxy.reset()
      assert.deepStrictEqual(await rowsOf(standby.url, "SELECT pg_promote() AS promoted"), [{ promoted: true }])
      proxy.target = standby.port
      const before = asked.length
      await until("turns after it", () => asked.length >= before + 12)
      isOver = true
      await Promise.all(clients)
      for (const { answer, key, session } of asked) {
        const index = Number(answer.json["turn_index"])
        const stored = await both[0]!.call("GET", `/sessions/${session}/turns/${index}`)
        assert.strictEqual(stored.json["final_text"], answer.json["final_text"], JSON.stringify(answer.json))
        const again = await both[1]!.call("POST", `/sessions/${session}/turn`, { prompt: `say ${key}` }, key)
        assert.strictEqual(again.json["turn_index"], index)
      }
      // Each key has one turn, and no turn has none.
      const counts = sessions.map((session) => new Set(asked.filter((one) => one.session === session)).size)
      const views = await Promise.all(sessions.map((session) => both[0]!.call("GET", `/sessions/${session}`)))
      assert.deepStrictEqual(
        views.map(({ json }) => json["turn_count"]),
        counts
      )
    } finally {
      await nodes.cleanUp()
      await proxy.close()
      await standby.stop()
      await primary!.close()
    }
  })
})
