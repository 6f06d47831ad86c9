/** A node that is stopped: its agents end before another one goes on with its sessions, and then it goes on itself. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ProcessTable from "../../src/agent/processTable.ts"
import { emptySchema, server as postgres } from "../ledger/postgres/schemas.ts"
import { Cluster } from "./nodes.ts"
import type { Answer, ClusterNode } from "./nodes.ts"

const cluster = Effect.acquireRelease(
  Effect.map(emptySchema, (url) => new Cluster(url)),
  (nodes) => Effect.promise(() => nodes.cleanUp())
)

/** As apps do it: under a key, and again where the node says that the session has just moved. */
const turn = async (node: ClusterNode, session: string, prompt: string, key = crypto.randomUUID()): Promise<Answer> => {
  const answer = await node.call("POST", `/sessions/${session}/turn`, { prompt }, key)
  return answer.json["error"] === "session_moved" ? turn(node, session, prompt, key) : answer
}

const sessionOf = async (node: ClusterNode) => {
  const { json } = await node.call("POST", "/sessions", { agent: "demo" })
  return String(json["session_id"])
}

const processOf = async (node: ClusterNode, session: string) => {
  const { json } = await node.call("GET", `/sessions/${session}`)
  return (json["process"] as { readonly pid: number | null }).pid
}

/** As long as the test may take. */
const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20))
}

const withMarker = (marker: string) => ProcessTable.pids().filter((pid) => ProcessTable.markerOf(pid) === marker)

/** The turns of which this is said in the stream, in its order. */
const turnsThat = (phase: "started" | "ended", text: string) =>
  [...text.matchAll(new RegExp(`"phase":"${phase}","turn_index":(\\d+)`, "g"))].map(([, index]) => Number(index))

const frozen = async (nodes: Cluster) => {
  const [first, second] = [await nodes.start("first"), await nodes.start("second")]
  const session = await sessionOf(first)
  assert.deepInclude((await turn(first, session, "hello")).json, { ok: true, turn_index: 1 })
  const pid = await processOf(first, session)
  const marker = ProcessTable.markerOf(pid ?? 0)
  if (marker === null) throw new Error(`the agent ${pid} has no marker`)
  const reader = second.read(session)
  const hanging = turn(first, session, "hang hard")
  await until(() => reader.text().includes("Hanging."))

  first.program.child.kill("SIGSTOP")
  // The other node has taken the session over, and starts an agent only with the next turn.
  await until(() => turnsThat("ended", reader.text()).includes(2))
  assert.deepStrictEqual(withMarker(marker), [])
  assert.deepInclude((await turn(second, session, "again")).json, { ok: true, turn_index: 3 })

  first.program.child.kill("SIGCONT")
  assert.deepInclude((await turn(first, session, "once more")).json, { ok: true, turn_index: 4 })
  assert.deepInclude((await hanging).json, { ok: false })
  const own = await processOf(second, session)
  assert.isNotNull(own)
  assert.strictEqual(await processOf(first, session), own)
  const lost = await first.call("GET", `/sessions/${session}/turns/2`)
  assert.match(String(lost.json["error"]), /^outcome_unknown: /)
  // It works on, with a session of its own and an agent of its own.
  assert.deepInclude((await turn(first, await sessionOf(first), "hello")).json, { ok: true })

  await second.call("DELETE", `/sessions/${session}`)
  await until(() => reader.text().includes('"closed"'))
  const text = reader.text()
  await reader.stop()
  assert.deepStrictEqual(
    reader.ids,
    reader.ids.map((_, nth) => nth + 1)
  )
  assert.deepStrictEqual(turnsThat("started", text), [1, 2, 3, 4])
  assert.deepStrictEqual(turnsThat("ended", text), [1, 2, 3, 4])
  // The agents count their prompts: none came twice, nor to both.
  assert.deepStrictEqual(
    [...text.matchAll(/You said: [^"]*|Hanging\./g)].map(([said]) => said),
    ["You said: hello (turn 1)", "Hanging.", "You said: again (turn 1)", "You said: once more (turn 2)"]
  )
}

describe.skipIf(postgres === null)("a node that is stopped", () => {
  it.live("has no agent left when another node goes on with its session, and goes on without that session", () =>
    Effect.flatMap(cluster, (nodes) => Effect.promise(() => frozen(nodes))).pipe(Effect.scoped)
  )
})
