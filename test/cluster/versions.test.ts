/** Two versions of the program on one database, as in a rolling upgrade: the later one knows another chart and schema. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { nodeCallsPath } from "../../src/cluster/nodeCalls.ts"
import { sign, signatureHeader } from "../../src/cluster/signature.ts"
import { emptySchema, server as postgres } from "../ledger/postgres/schemas.ts"
import { Cluster, secret } from "./nodes.ts"
import type { ClusterNode } from "./nodes.ts"
import { buildPlanted } from "./torture/plantedProgram.ts"
import type { PlantedProgram } from "./torture/plantedProgram.ts"

let later: PlantedProgram
beforeAll(async () => {
  if (postgres === null) return
  later = await buildPlanted(
    { file: "machines/session/restore.ts", replace: [["chartVersion = 1\n", "chartVersion = 2\n"]] },
    {
      file: "src/ledger/postgres/migrations.ts",
      replace: [["\n]", ",\n  [\"ALTER TABLE sessions ADD COLUMN mood text NOT NULL DEFAULT 'good'\"]\n]"]]
    }
  )
}, 120_000)
afterAll(() => later?.remove())

const newSession = async (node: ClusterNode) =>
  String((await node.call("POST", "/sessions", { agent: "demo" })).json["session_id"])

const say = (node: ClusterNode, session: string, prompt: string) =>
  node.call("POST", `/sessions/${session}/turn`, { prompt })

const answers = async (node: ClusterNode, session: string, prompt: string) => {
  const { json, status } = await say(node, session, prompt)
  assert.deepStrictEqual([status, json["ok"]], [200, true], JSON.stringify(json))
}

describe.skipIf(postgres === null)("nodes of two versions", () => {
  it.live("work beside each other, and a session that the later one has had is for no earlier one", () =>
    Effect.acquireRelease(
      Effect.map(emptySchema, (url) => new Cluster(url)),
      (nodes) => Effect.promise(() => nodes.cleanUp())
    ).pipe(
      Effect.flatMap((nodes) => Effect.promise(() => upgrade(nodes))),
      Effect.scoped
    )
  )
})

/** As a node of a version to come may ask it. */
const asked = async (node: ClusterNode, tag: string, payload: object) => {
  const body = `${JSON.stringify({ _tag: "Request", id: "1", tag, payload, headers: [] })}\n`
  const response = await fetch(node.url + nodeCallsPath, {
    method: "POST",
    headers: {
      "content-type": "application/ndjson",
      [signatureHeader]: sign(Redacted.make(secret), Date.now(), body)
    },
    body
  })
  return [response.status, await response.text()] as const
}

const upgrade = async (nodes: Cluster) => {
  const old = await nodes.start("old")
  const [kept, asleep] = [await newSession(old), await newSession(old)]
  await answers(old, kept, "before the upgrade")
  // It adds to the schema below the old one, which goes on.
  const next = await nodes.start("next", {}, later.main)
  await answers(old, kept, "beside it")
  await answers(next, kept, "by way of it")
  await answers(next, asleep, "first")

  // It reads over what it does not know in a call, and says so where it knows the call itself not.
  const known = await asked(old, "unpark", { session: kept, by: "default", mood: "good" })
  assert.match(known[1], /"_tag":"Success"/, JSON.stringify(known))
  const unknown = await asked(old, "cheer", { session: kept })
  assert.match(unknown[1], /Unknown request tag: cheer/, JSON.stringify(unknown))

  // The earlier one is led to the later one, and leaves what that has had where it is alone.
  const made = await newSession(next)
  await answers(next, made, "made by the later one")
  await answers(old, made, "by way of the earlier one")
  await next.kill("SIGKILL")
  const left = await say(old, made, "taken back")
  assert.deepStrictEqual([left.status, left.json["error"]], [503, "session_newer"], JSON.stringify(left.json))
  const turns = await old.call("GET", `/sessions/${made}/turns`)
  assert.strictEqual((turns.json["turns"] as ReadonlyArray<unknown>).length, 2)
  await answers(old, kept, "as ever")

  // It is started again, and then has all: an old one that comes back leads to it.
  const again = await nodes.start("next")
  await answers(old, made, "there again")
  await old.kill("SIGTERM")
  await answers(again, kept, "the old one has left")
  const back = await nodes.start("old")
  await answers(back, kept, "led on")
}
