/** An Idempotency-Key at two nodes at once: one effect, and both have the same answer. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { server as postgres } from "../ledger/postgres/schemas.ts"
import { onCluster, until } from "./nodes.ts"
import type { ClusterNode } from "./nodes.ts"

const create = (node: ClusterNode, key?: string, body: object = {}) =>
  node.call("POST", "/sessions", { agent: "demo", ...body }, key)

/** A `claude` that notes each of its runs in a file and answers after so many seconds. */
const claudeIn = (directory: string, seconds: number) => {
  const runs = join(directory, "runs")
  writeFileSync(runs, "")
  writeFileSync(
    join(directory, "claude"),
    `#!/bin/sh
cat > /dev/null
echo run >> ${runs}
sleep ${seconds}
echo '{"type":"result","subtype":"success","is_error":false,"result":"done","session_id":"s"}'
`
  )
  chmodSync(join(directory, "claude"), 0o755)
  return {
    env: { PATH: `${directory}:${dirname(process.execPath)}:/usr/bin:/bin` },
    begun: () => readFileSync(runs, "utf8").split("\n").length - 1
  }
}

const inDirectory = async (test: (directory: string) => Promise<void>) => {
  const directory = mkdtempSync(join(tmpdir(), "troupe-keys-"))
  try {
    await test(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

describe.skipIf(postgres === null)("two nodes that get a key at once", () => {
  it.live("create one session for it, and give the same answer, thirty times", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first"), await nodes.start("second")]
      const made = new Set<unknown>()
      for (let n = 0; n < 30; n++) {
        const answers = await Promise.all([first, second, first].map((node) => create(node, `key-${n}`)))
        assert.deepStrictEqual(
          answers.map(({ status }) => status),
          [200, 200, 200],
          JSON.stringify(answers)
        )
        for (const { json } of answers) assert.deepStrictEqual(json, answers[0]!.json)
        made.add(answers[0]!.json["session_id"])
      }
      assert.strictEqual(made.size, 30)
      const { json } = await first.call("GET", "/sessions?limit=100")
      assert.strictEqual(json["count"], 30)
      // Another request under a key that the other node has used.
      const other = await create(second, "key-0", { meta: { another: true } })
      assert.strictEqual(other.status, 422, JSON.stringify(other.json))
      assert.isFalse(/could not/.test(first.program.stderr() + second.program.stderr()))
    })
  )

  it.live("open no more sessions than there are places", () =>
    onCluster(async (nodes) => {
      const env = { TROUPE_MAX_SESSIONS: "10" }
      const both = [await nodes.start("first", env), await nodes.start("second", env)]
      const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => create(both[n % 2]!)))
      const statuses = answers.map(({ status }) => status)
      assert.strictEqual(statuses.filter((status) => status === 200).length, 10, statuses.join())
      assert.strictEqual(statuses.filter((status) => status === 429 || status === 503).length, 30, statuses.join())
      // The last place is found taken by the other's request with the same key.
      const freed = answers.find(({ status }) => status === 200)!.json["session_id"]
      for (let n = 0; n < 10; n++) {
        const session = n === 0 ? freed : undefined
        if (session !== undefined)
          assert.strictEqual((await both[0]!.call("DELETE", `/sessions/${session}`)).status, 200)
        const same = await Promise.all(both.map((node) => create(node, `last-${n}`)))
        assert.deepStrictEqual(
          same.map(({ status }) => status),
          [200, 200],
          JSON.stringify(same)
        )
        assert.deepStrictEqual(same[0]!.json, same[1]!.json)
        await both[1]!.call("DELETE", `/sessions/${same[0]!.json["session_id"]}`)
      }
    })
  )

  it.live("run once, and wait for the answer of the one that runs", () =>
    Effect.promise(() =>
      inDirectory((directory) =>
        onCluster(async (nodes) => {
          const { begun, env } = claudeIn(directory, 2)
          const both = [await nodes.start("first", env), await nodes.start("second", env)]
          for (let n = 1; n <= 3; n++) {
            const answers = await Promise.all(
              both.map((node) => node.call("POST", "/run", { prompt: "hello" }, `run-${n}`))
            )
            assert.deepInclude(answers[0]!.json, { ok: true }, JSON.stringify(answers))
            assert.deepStrictEqual(answers[0], answers[1])
            assert.strictEqual(begun(), n)
          }
        }).pipe(Effect.runPromise)
      )
    )
  )

  it.live("and one dies in the run: the other says that what came of it is not known", () =>
    Effect.promise(() =>
      inDirectory((directory) =>
        onCluster(async (nodes) => {
          const { begun, env } = claudeIn(directory, 100)
          const [first, second] = [await nodes.start("first", env), await nodes.start("second", env)]
          const lost = first.call("POST", "/run", { prompt: "hello" }, "run").catch(() => null)
          await until("the run", () => begun() === 1)
          const waits = second.call("POST", "/run", { prompt: "hello" }, "run")
          await first.kill("SIGKILL")
          await lost
          const answer = await waits
          assert.strictEqual(answer.status, 502)
          assert.match(String(answer.json["error"]), /outcome_unknown/)
          // Its next life, too.
          const back = await nodes.start("first", env)
          assert.deepStrictEqual(await back.call("POST", "/run", { prompt: "hello" }, "run"), answer)
          assert.strictEqual(begun(), 1)
        }).pipe(Effect.runPromise)
      )
    )
  )
})
