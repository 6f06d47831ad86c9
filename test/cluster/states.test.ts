/** What the nodes say of themselves, as the dashboard asks each of them: one that lives, is stopped, is dead, or has left. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { tmpdir } from "node:os"
import { emptySchema, server as postgres } from "../ledger/postgres/schemas.ts"
import { adminToken, Cluster } from "./nodes.ts"
import type { ClusterNode } from "./nodes.ts"

const onCluster = (test: (nodes: Cluster) => Promise<void>) =>
  Effect.acquireRelease(
    Effect.map(
      emptySchema,
      (url) => new Cluster(url, { agents: { broken: { protocol: "acp", command: ["/bin/false"] } } })
    ),
    (nodes) => Effect.promise(() => nodes.cleanUp())
  ).pipe(
    Effect.flatMap((nodes) => Effect.promise(() => test(nodes))),
    Effect.scoped
  )

interface Shown {
  readonly name: string
  readonly is_this: boolean
  readonly url: string | null
  readonly version: string
  readonly draining: boolean
  readonly joined_at: number
  readonly renewed_at: number
  readonly lease_until: number
  readonly sessions: number
  readonly state: {
    readonly processes: number
    readonly processes_limit: number
    readonly waiting: number
    readonly rss_bytes: number
    readonly agents_rss_bytes: number
    readonly circuits: ReadonlyArray<{ readonly agent: string; readonly until: number; readonly reason: string }>
    readonly database_seconds: number | null
  } | null
}

const shownAt = async ({ url }: ClusterNode): Promise<ReadonlyArray<Shown>> => {
  const response = await fetch(`${url}/inspect/api/nodes`, { headers: { authorization: `Bearer ${adminToken}` } })
  const text = await response.text()
  assert.strictEqual(response.status, 200, text)
  return JSON.parse(text).nodes
}

const until = async (node: ClusterNode, isIt: (nodes: ReadonlyArray<Shown>) => boolean) => {
  // As long as the test may take.
  while (true) {
    const nodes = await shownAt(node)
    if (isIt(nodes)) return nodes
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const answering = (nodes: ReadonlyArray<Shown>) => nodes.filter(({ state }) => state !== null).map(({ name }) => name)

/** Nobody takes anything over in the time of a test. */
const env = { TROUPE_NODE_LEASE: "5 minutes", TROUPE_MAX_PROCESSES: "3" }

describe.skipIf(postgres === null)("the nodes", () => {
  it.live("each say how they are, whichever is asked, and one that does not answer is said to", () =>
    onCluster(async (cluster) => {
      const [first, second] = [await cluster.start("first", env), await cluster.start("second", env)]
      // As many failed starts as open a circuit, in sessions of their own, begun before it opens: then others get them.
      const broken = await Promise.all(
        Array.from({ length: 5 }, () => first.call("POST", "/sessions", { agent: "broken", cwd: tmpdir() }))
      )
      const turnOf = ({ json: made }: (typeof broken)[number]) =>
        first.call("POST", `/sessions/${String(made["session_id"])}/turn`, { prompt: "hello" })
      await Promise.all(broken.map(turnOf))
      const { json } = await first.call("POST", "/sessions", { agent: "demo", cwd: tmpdir() })
      await first.call("POST", `/sessions/${String(json["session_id"])}/turn`, { prompt: "hello" })

      const nodes = await until(second, ([its]) => its?.state?.circuits.length === 1 && its.sessions === 6)
      const now = Date.now() / 1000
      assert.deepStrictEqual(
        nodes.map(({ draining, is_this, name, sessions, url }) => ({ draining, is_this, name, sessions, url })),
        [
          { draining: false, is_this: false, name: "first", sessions: 6, url: first.url },
          { draining: false, is_this: true, name: "second", sessions: 0, url: second.url }
        ]
      )
      for (const { joined_at, lease_until, renewed_at, state, version } of nodes) {
        assert.isNotEmpty(version)
        assert.isAtMost(joined_at, renewed_at)
        assert.isAtMost(renewed_at, now)
        assert.closeTo(lease_until - renewed_at, 300, 0.001)
        assert.isAbove(state?.rss_bytes ?? 0, 10_000_000)
        assert.isAbove(state?.database_seconds ?? 0, 0)
        assert.deepInclude(state, { processes_limit: 3, waiting: 0 })
      }
      const [its, own] = nodes.map(({ state }) => state)
      assert.deepInclude(own, { processes: 0, agents_rss_bytes: 0, circuits: [] })
      assert.isAbove(its?.agents_rss_bytes ?? 0, 1_000_000)
      assert.strictEqual(its?.circuits[0]?.agent, "broken")
      assert.isAbove(its?.circuits[0]?.until ?? 0, now - 1)

      // An app's token is not enough: these are of all apps.
      const { json: refused, status } = await second.call("GET", "/inspect/api/nodes")
      assert.deepStrictEqual([status, refused["error"]], [403, "forbidden"])

      first.program.child.kill("SIGSTOP")
      const [stopped] = await until(second, (nodes) => answering(nodes).join(" ") === "second")
      assert.deepInclude(stopped, { name: "first", state: null, sessions: 6 })
      assert.isAtMost(stopped?.renewed_at ?? Infinity, Date.now() / 1000)
      first.program.child.kill("SIGCONT")
      await until(second, (nodes) => answering(nodes).join(" ") === "first second")

      await first.kill("SIGKILL")
      const [dead] = await until(second, (nodes) => answering(nodes).join(" ") === "second")
      assert.deepInclude(dead, { name: "first", state: null, sessions: 6 })
    })
  )

  it.live("that are dead are shown until they are started again, and those that have left are not", () =>
    onCluster(async (cluster) => {
      const [first, second] = [await cluster.start("first"), await cluster.start("second")]
      await first.kill("SIGKILL")
      const [dead] = await until(second, ([its]) => its !== undefined && its.lease_until < Date.now() / 1000)
      assert.deepInclude(dead, { name: "first", state: null })
      const again = await cluster.start("first")
      const nodes = await until(second, (nodes) => answering(nodes).length === 2)
      assert.deepStrictEqual(
        nodes.map(({ name }) => name),
        ["second", "first"]
      )
      await again.kill("SIGTERM")
      const left = await until(second, (nodes) => nodes.length === 1)
      assert.deepStrictEqual(answering(left), ["second"])
    })
  )
})
