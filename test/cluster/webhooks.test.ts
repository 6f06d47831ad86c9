/** Webhooks of several nodes: each event is sent by one of them, and what a killed node owed by another. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeWorkspace } from "../cli/program.ts"
import { emptySchema, server as postgres } from "../ledger/postgres/schemas.ts"
import { openReceiver } from "../webhooks/receiver.ts"
import { Cluster } from "./nodes.ts"
import type { ClusterNode } from "./nodes.ts"

const turnOn = async (node: ClusterNode) => {
  const { json } = await node.call("POST", "/sessions", { agent: "demo" })
  await node.call("POST", `/sessions/${String(json["session_id"])}/turn`, { prompt: "hello" })
  return String(json["session_id"])
}

describe.skipIf(postgres === null)("webhooks of two nodes", () => {
  it.live("tell of each turn once, and of those that a killed node owed", () =>
    Effect.gen(function* () {
      const url = yield* emptySchema
      const nodes = yield* Effect.acquireRelease(
        Effect.sync(() => new Cluster(url)),
        (cluster) => Effect.promise(() => cluster.cleanUp())
      )
      const workspace = yield* Effect.acquireRelease(Effect.sync(makeWorkspace), ({ cleanUp }) =>
        Effect.promise(cleanUp)
      )
      const receiver = yield* Effect.acquireRelease(
        Effect.promise(() => openReceiver()),
        ({ close }) => Effect.promise(close)
      )
      yield* Effect.promise(async () => {
        const first = await nodes.start("first")
        const added = await workspace.run(
          ["webhook", "add", receiver.url, "--app", "default", "--event", "turn.ended", "--json"],
          { TROUPE_DATABASE_URL: url }
        )
        assert.strictEqual(added.code, 0, added.stderr)
        const second = await nodes.start("second")
        // Known by both: the second has read it at its start, the first looks every two seconds.
        while (receiver.received.length === 0) await turnOn(first)
        const sessions = await Promise.all(
          Array.from({ length: 10 }, (_, nth) => turnOn(nth % 2 === 0 ? first : second))
        )
        const told = () => receiver.received.map(({ json }) => String(json.data["session_id"]))
        await receiver.until(() => sessions.every((session) => told().includes(session)))
        assert.strictEqual(new Set(receiver.received.map(({ id }) => id)).size, receiver.received.length)
        assert.deepStrictEqual(
          sessions.map((session) => told().filter((one) => one === session).length),
          sessions.map(() => 1)
        )

        receiver.answer = 503
        const owed = await turnOn(first)
        await receiver.until(() => told().includes(owed))
        await first.kill("SIGKILL")
        receiver.answer = 204
        await receiver.until((received) =>
          received.some(({ json, status }) => status === 204 && json.data["session_id"] === owed)
        )
        const ids = receiver.received.flatMap(({ id, json }) => (json.data["session_id"] === owed ? [id] : []))
        assert.strictEqual(new Set(ids).size, 1)
      })
    }).pipe(Effect.scoped)
  )
})
