/** Two nodes on one database: any of them answers for any session, and one goes on with what a dead one left. */
import { assert, describe, it } from "@effect/vitest"
import { tmpdir } from "node:os"
import { server as postgres } from "../ledger/postgres/schemas.ts"
import { onCluster, until } from "./nodes.ts"
import type { ClusterNode, Reader } from "./nodes.ts"
import { TcpProxy } from "./TcpProxy.ts"

/** It belongs to the node that is asked: that has its directory. */
const sessionOf = async (node: ClusterNode) => {
  const { json } = await node.call("POST", "/sessions", { agent: "demo", cwd: tmpdir() })
  return String(json["session_id"])
}

const turn = (node: ClusterNode, session: string, prompt: string, key?: string) =>
  node.call("POST", `/sessions/${session}/turn`, { prompt }, key)

const hasNoGap = ({ ids }: Reader) =>
  assert.deepStrictEqual(
    ids,
    ids.map((_, nth) => nth + 1)
  )

describe.skipIf(postgres === null)("two nodes", () => {
  it.live("answer for each other's sessions, and readers at both see every event once", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first"), await nodes.start("second")]
      const session = await sessionOf(first)
      assert.deepInclude((await turn(first, session, "hello")).json, { final_text: "You said: hello (turn 1)" })
      const readers = [first.read(session), second.read(session)]
      // The first has its process, and the second asks it.
      assert.deepInclude((await turn(second, session, "again")).json, { final_text: "You said: again (turn 2)" })
      const long = `long ${"\u0001".repeat(120_000)}`
      assert.deepInclude((await turn(second, session, long)).json, { ok: true, turn_index: 3 })
      const running = turn(second, session, "hang")
      running.catch(() => {})
      await until("the third turn", () => readers[0]!.text().includes('"troupe/turn_index":4'))
      const shown = await second.call("GET", `/sessions/${session}`)
      assert.isNumber((shown.json["process"] as { readonly pid: number | null }).pid)
      const interrupted = await second.call("POST", `/sessions/${session}/interrupt`)
      assert.strictEqual(interrupted.status, 200, JSON.stringify(interrupted.json))
      assert.deepInclude((await running).json, { interrupted: true })
      const closed = await second.call("DELETE", `/sessions/${session}`)
      assert.strictEqual(closed.status, 200, JSON.stringify(closed.json))
      await until("the end at both readers", () => readers[0]!.ids.length === readers[1]!.ids.length)
      for (const reader of readers) {
        hasNoGap(reader)
        assert.include(reader.text(), "again")
        await reader.stop()
      }
    })
  )

  it.live("of which one's answer gets lost: the turn is asked for again, and is one, without a key too", () =>
    onCluster(async (nodes) => {
      const proxy = await TcpProxy.open()
      try {
        const first = await nodes.start("first", { TROUPE_NODE_URL: `http://127.0.0.1:${proxy.port}` })
        proxy.target = Number(new URL(first.url).port)
        const second = await nodes.start("second")
        const session = await sessionOf(first)
        await turn(first, session, "hello")
        proxy.muffle()
        const answer = turn(second, session, "again")
        await until(
          "the second turn",
          async () => (await first.call("GET", `/sessions/${session}/turns/2`)).json["status"] === "completed"
        )
        proxy.reset()
        proxy.heal()
        const { json } = await answer
        assert.deepInclude(
          json,
          { ok: true, turn_index: 2, final_text: "You said: again (turn 2)" },
          JSON.stringify(json)
        )
        assert.strictEqual((await first.call("GET", `/sessions/${session}/turns/3`)).status, 404)
      } finally {
        await proxy.close()
      }
    })
  )

  it.live("one of which is killed: the other settles its turn, and the session goes on", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first"), await nodes.start("second")]
      const session = await sessionOf(first)
      await turn(first, session, "hello")
      const reader = second.read(session)
      turn(first, session, "slow 100000 20").catch(() => {})
      await until("words of the second turn", () => reader.text().includes("word"))
      await first.kill("SIGKILL")
      const killedAt = Date.now()
      const next = await turn(second, session, "again", "key-1")
      const took = Date.now() - killedAt
      assert.deepInclude(next.json, { ok: true, turn_index: 3 }, JSON.stringify(next.json))
      // The same key again, to the same and to the next life of the dead one.
      const back = await nodes.start("first")
      for (const node of [second, back]) {
        const again = await turn(node, session, "again", "key-1")
        assert.deepInclude(again.json, { turn_index: 3 })
      }
      const lost = await back.call("GET", `/sessions/${session}/turns/2`)
      assert.match(String(lost.json["error"]), /^outcome_unknown: /)
      await second.call("DELETE", `/sessions/${session}`)
      await until("the end", () => reader.text().includes('"closed"'))
      hasNoGap(reader)
      await reader.stop()
      console.log(`a turn was answered ${took} ms after the death of the session's node`)
    })
  )

  it.live("one of which is ended: its sessions are the other's at once, a turn in line with them", () =>
    onCluster(async (nodes) => {
      const env = { TROUPE_MAX_PROCESSES: "1" }
      const [first, second] = [await nodes.start("first", env), await nodes.start("second")]
      const [asleep, waits] = [await sessionOf(first), await sessionOf(first)]
      await turn(first, asleep, "hello")
      const readers = [second.read(asleep), second.read(waits)]
      const busy = turn(first, asleep, "slow 100000 20")
      busy.catch(() => {})
      await until("words", () => readers[0]!.text().includes("word"))
      const inLine = turn(second, waits, "in line")
      await until("the turn in line", () => readers[1]!.text().includes('"troupe/turn_index":1'))
      first.program.child.kill("SIGTERM")
      await until("the drain", () => /draining/.test(first.program.stderr() + first.program.stdout()))
      // A second one does not wait for the turn that runs.
      await first.kill("SIGTERM")
      const { json } = await inLine
      assert.deepInclude(json, { ok: true, final_text: "You said: in line (turn 1)" }, JSON.stringify(json))
      assert.deepInclude((await turn(second, asleep, "again")).json, { ok: true, turn_index: 3 })
      for (const [nth, session] of [asleep, waits].entries()) {
        await second.call("DELETE", `/sessions/${session}`)
        await until("the end", () => readers[nth]!.text().includes('"closed"'))
        hasNoGap(readers[nth]!)
        await readers[nth]!.stop()
      }
    })
  )

  it.live("are listed by their database, with what each owns", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first"), await nodes.start("second")]
      await turn(first, await sessionOf(first), "hello")
      const { code, stderr, stdout } = await nodes.run(["node", "ls", "--json"])
      assert.strictEqual(code, 0, stderr)
      const listed = JSON.parse(stdout) as { readonly nodes: ReadonlyArray<Readonly<Record<string, unknown>>> }
      assert.deepStrictEqual(
        listed.nodes.map(({ draining, name, sessions, url }) => ({ draining, name, sessions, url })),
        [
          { draining: false, name: "first", sessions: 1, url: first.url },
          { draining: false, name: "second", sessions: 0, url: second.url }
        ]
      )
      for (const { lease_left_s: left } of listed.nodes) {
        assert.isAbove(Number(left), 0)
        assert.isAtMost(Number(left), 4)
      }
      await first.kill("SIGTERM")
      // It may have the session by now.
      const table = (await nodes.run(["node", "ls"])).stdout
      assert.match(table, /^NODE +ADDRESS +VERSION +SINCE +DRAINING +LEASE LEFT +SESSIONS\nsecond +http.+ s +[01]\n$/)
    })
  )

  it.live("that start under one name at once: one works, and the other says that the name is taken", () =>
    onCluster(async (nodes) => {
      const started = await Promise.allSettled(
        ["one", "two"].map((workspace) => nodes.start(workspace, { TROUPE_NODE: "same" }))
      )
      assert.deepStrictEqual(started.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"])
      const { reason } = started.find(({ status }) => status === "rejected") as PromiseRejectedResult
      assert.match(String(reason), /a node named same works on it, and each needs a name of its own \(TROUPE_NODE\)/)
    })
  )

  it.live("call each other with a signature, and answer nothing without it", () =>
    onCluster(async (nodes) => {
      const node = await nodes.start("first")
      for (const signature of [undefined, "", "1.2", `${Date.now()}.${"0".repeat(64)}`]) {
        const response = await fetch(`${node.url}/node/calls`, {
          method: "POST",
          headers: {
            "content-type": "application/ndjson",
            ...(signature === undefined ? {} : { "x-troupe-signature": signature })
          },
          body: '{"_tag":"Request","id":"1","tag":"close","payload":{}}\n'
        })
        assert.strictEqual(response.status, 404)
      }
    })
  )
})
