/** A node that drains: others have its idle sessions and its turns in line at once, and it serves until its turns have ended. */
import { assert, describe, it } from "@effect/vitest"
import { tmpdir } from "node:os"
import { server as postgres } from "../ledger/postgres/schemas.ts"
import { adminToken, onCluster, until } from "./nodes.ts"
import type { Cluster, ClusterNode, Reader } from "./nodes.ts"

/** It belongs to the node that is asked: that has its directory. */
const sessionOf = async (node: ClusterNode) => {
  const { json } = await node.call("POST", "/sessions", { agent: "demo", cwd: tmpdir() })
  return String(json["session_id"])
}

const turn = (node: ClusterNode, session: string, prompt: string, more: object = {}) =>
  node.call("POST", `/sessions/${session}/turn`, { prompt, ...more }, crypto.randomUUID())

/** A command of the program with the admin's token, at this node. */
const admin = async (nodes: Cluster, { url }: ClusterNode, args: ReadonlyArray<string>) => {
  const { code, stderr, stdout } = await nodes.run([...args, "--url", url, "--token", adminToken])
  return { code, said: (stdout + stderr).trim() }
}

const statusOf = async (node: ClusterNode, session: string, index: number) =>
  (await node.call("GET", `/sessions/${session}/turns/${index}`)).json["status"]

const hasNoGap = ({ ids }: Reader) =>
  assert.deepStrictEqual(
    ids,
    ids.map((_, nth) => nth + 1)
  )

describe.skipIf(postgres === null)("a session that is moved by hand", () => {
  it.live("is at the other node, with its turns in line, and not while its agent is at work", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first", { TROUPE_MAX_PROCESSES: "1" }), await nodes.start("second")]
      const session = await sessionOf(first)
      const move = (...args: ReadonlyArray<string>) => admin(nodes, second, ["sessions", "move", session, ...args])
      assert.deepInclude((await turn(first, session, "hello")).json, { ok: true, turn_index: 1 })
      assert.deepStrictEqual(await move("second"), { code: 0, said: `${session} is at second now.` })
      assert.deepStrictEqual(await move("second"), { code: 0, said: `${session} was at second already.` })
      assert.match(
        (await move("third")).said,
        /^troupe: node can't have the session\. No node called "third" works .*: first, second\.$/
      )
      // Its agent began anew there, and goes on with the next turn.
      assert.deepInclude((await turn(first, session, "again")).json, { ok: true, turn_index: 2 })

      const reader = first.read(session)
      const hanging = turn(first, session, "hang")
      hanging.catch(() => {})
      await until("words", () => reader.text().includes("Hanging."))
      const refused = await move()
      assert.strictEqual(refused.code, 1)
      assert.match(refused.said, /^troupe: Turn 3 is running\./)
      const waits = move("--wait", "--json")
      assert.strictEqual(await statusOf(first, session, 3), "running")
      assert.strictEqual((await first.call("POST", `/sessions/${session}/interrupt`)).status, 200)
      assert.deepInclude((await hanging).json, { interrupted: true })
      assert.deepStrictEqual(await waits, { code: 0, said: '{"ok":true,"node":"first","moved":true}' })

      // One that waits for a process has none to lose, and finds one there.
      const inLine = await sessionOf(first)
      assert.deepInclude((await turn(first, session, "hang", { wait: false })).json, { ok: true })
      await until(
        "words",
        async () => (await statusOf(first, session, 4)) === "running" && reader.text().split("Hanging.").length > 2
      )
      const late = turn(first, inLine, "hello")
      await until("its place in line", async () => (await statusOf(first, inLine, 1)) !== undefined)
      assert.deepStrictEqual(await admin(nodes, first, ["sessions", "move", inLine, "second"]), {
        code: 0,
        said: `${inLine} is at second now.`
      })
      assert.deepInclude((await late).json, { ok: true, turn_index: 1 })
      await second.call("DELETE", `/sessions/${session}`)
      assert.match((await move()).said, /^troupe: The session is closed/)
      await until("the end", () => reader.text().includes('"closed"'))
      hasNoGap(reader)
      await reader.stop()
    })
  )
})

describe.skipIf(postgres === null)("a node that drains", () => {
  it.live("lets go of what is idle at once, and serves until its turn has ended", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first"), await nodes.start("second")]
      const [awake, busy] = [await sessionOf(first), await sessionOf(first)]
      await turn(first, awake, "hello")
      const readers = [second.read(awake), first.read(busy)]
      const hanging = turn(first, busy, "hang")
      hanging.catch(() => {})
      await until("words", () => readers[1]!.text().includes("Hanging."))
      const inLine = turn(second, busy, "in line", { queue: true })
      await until("the turn in line", () => readers[1]!.text().includes('"troupe/turn_index":2'))
      first.program.child.kill("SIGTERM")
      const signalledAt = Date.now()
      assert.deepInclude((await turn(second, awake, "again")).json, { ok: true, turn_index: 2 })
      const took = Date.now() - signalledAt
      // Also where it is asked itself, which it still is, by whoever has not heard of its drain.
      assert.deepInclude((await turn(first, awake, "once more")).json, { ok: true, turn_index: 3 })
      assert.strictEqual(await statusOf(first, busy, 1), "running")
      assert.deepInclude((await first.call("POST", "/sessions", { agent: "demo" })).json, { error: "draining" })
      assert.strictEqual((await second.call("POST", `/sessions/${busy}/interrupt`)).status, 200)
      assert.deepInclude((await hanging).json, { interrupted: true })
      assert.deepInclude((await inLine).json, { ok: true, final_text: "You said: in line (turn 1)" })
      assert.strictEqual((await first.program.ended).code, 0)
      readers[1] = second.read(busy)
      for (const [nth, session] of [awake, busy].entries()) {
        await second.call("DELETE", `/sessions/${session}`)
        await until("the end", () => readers[nth]!.text().includes('"closed"'))
        hasNoGap(readers[nth]!)
        await readers[nth]!.stop()
      }
      const coldAt = Date.now()
      await turn(second, await sessionOf(second), "hello")
      const cold = Date.now() - coldAt
      console.log(
        `a turn of an idle session was answered ${took} ms after SIGTERM to its node; any first turn takes ${cold} ms`
      )
    })
  )

  it.live("or has no room left: what is new goes to another one, unless its directory is there", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first", { TROUPE_MAX_PROCESSES: "1" }), await nodes.start("second")]
      const busy = await sessionOf(first)
      const reader = first.read(busy)
      const hanging = turn(first, busy, "hang")
      hanging.catch(() => {})
      await until("words", () => reader.text().includes("Hanging."))
      const { json } = await first.call("POST", "/sessions", { agent: "demo" })
      const fresh = String(json["session_id"])
      const { json: done } = await turn(first, fresh, "hello")
      // Its directory was empty, so nothing of it is lost.
      assert.deepInclude(done, { ok: true, turn_index: 1, workdir_lost: false }, JSON.stringify(done))
      const owned = async () => {
        const { stdout } = await nodes.run(["node", "ls", "--json"])
        const listed = JSON.parse(stdout) as { readonly nodes: ReadonlyArray<Readonly<Record<string, unknown>>> }
        return listed.nodes.map(({ name, sessions }) => [name, sessions])
      }
      assert.deepStrictEqual(await owned(), [
        ["first", 1],
        ["second", 1]
      ])
      const bound = await sessionOf(first)
      const inLine = turn(second, bound, "hello")
      await until("its owner", async () => JSON.stringify(await owned()) === '[["first",2],["second",1]]')
      await first.call("POST", `/sessions/${busy}/interrupt`)
      assert.deepInclude((await inLine).json, { ok: true, turn_index: 1 })
      await reader.stop()
    })
  )

  it.live("by an operator's wish has no session any more, stays up, and takes some again when it is asked to", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first"), await nodes.start("second")]
      const [awake, busy] = [await sessionOf(first), await sessionOf(first)]
      await turn(first, awake, "hello")
      const reader = first.read(busy)
      const hanging = turn(first, busy, "hang")
      hanging.catch(() => {})
      await until("words", () => reader.text().includes("Hanging."))
      const said = async (...args: ReadonlyArray<string>) => {
        const { code, stderr, stdout } = await nodes.run(["node", ...args])
        return { code, said: (stdout + stderr).trim() }
      }
      assert.deepStrictEqual(await said("drain", "first"), {
        code: 0,
        said: "first takes no more sessions, and lets go of those that it has."
      })
      assert.match((await said("ls")).said, /^first .* yes +/m)
      assert.deepStrictEqual(await said("drain", "third"), {
        code: 1,
        said: 'troupe: No node called "third" works on the database. Those that do: first, second.'
      })
      assert.match((await said("drain", "second")).said, /^troupe: Node second is the last one that takes sessions/)
      // Its turn goes on, and it leads what is new to the other one.
      assert.strictEqual(await statusOf(second, busy, 1), "running")
      const again = await turn(first, awake, "again")
      assert.deepInclude(again.json, { ok: true, turn_index: 2 }, JSON.stringify(again.json))
      assert.deepInclude((await first.call("POST", "/sessions", { agent: "demo" })).json, { error: "draining" })
      const emptied = said("drain", "first", "--wait", "--json")
      assert.strictEqual((await first.call("POST", `/sessions/${busy}/interrupt`)).status, 200)
      assert.deepInclude((await hanging).json, { interrupted: true })
      assert.deepStrictEqual(await emptied, { code: 0, said: '{"ok":true,"already_draining":true}' })
      assert.match((await said("ls")).said, /^first .* 0$/m)
      assert.deepStrictEqual(await said("undrain", "first"), { code: 0, said: "first takes sessions." })
      assert.deepStrictEqual(await said("undrain", "first"), { code: 0, said: "first takes sessions already." })
      assert.deepInclude((await turn(first, await sessionOf(first), "hello")).json, { ok: true, turn_index: 1 })
      await second.kill("SIGTERM")
      assert.deepInclude((await turn(first, busy, "once more")).json, { ok: true, turn_index: 2 })
      await first.call("DELETE", `/sessions/${busy}`)
      await until("the end", () => reader.text().includes('"closed"'))
      hasNoGap(reader)
      await reader.stop()
    })
  )
})
