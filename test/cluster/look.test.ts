/** A session that is looked at where another node has it: the owner lives, is stopped, is dead, or has left. */
import { assert, describe, it } from "@effect/vitest"
import { server as postgres } from "../ledger/postgres/schemas.ts"
import { adminToken, onCluster } from "./nodes.ts"
import type { ClusterNode } from "./nodes.ts"

/** Nobody takes anything over in the time of a test. */
const longLease = { TROUPE_NODE_LEASE: "5 minutes" }

const sessionOf = async (node: ClusterNode) => {
  const { json } = await node.call("POST", "/sessions", { agent: "demo" })
  return String(json["session_id"])
}

const turn = (node: ClusterNode, session: string, prompt: string) =>
  node.call("POST", `/sessions/${session}/turn`, { prompt })

interface ShownProcess {
  readonly pid: number | null
  readonly state: string
  readonly unseen: string | null
}

interface Owner {
  readonly epoch: number
  readonly node: string
  readonly at: number
  readonly before: string | null
}

interface Shown {
  readonly substate: string
  /** The node that has it. */
  readonly node: string | null
}

/** What the dashboard and the API show of its process. */
const shownAt = async (node: ClusterNode, session: string) => {
  const detail = await node.call("GET", `/inspect/api/sessions/${session}`)
  assert.strictEqual(detail.status, 200, JSON.stringify(detail.json))
  const { json } = await node.call("GET", `/sessions/${session}`)
  return {
    session: detail.json["session"] as Shown,
    owners: (detail.json["owners"] as ReadonlyArray<Owner>).map(({ before, epoch, node }) => [epoch, node, before]),
    process: detail.json["process"] as ShownProcess,
    api: json["process"] as {
      readonly state: string
      readonly pid: number | null
      readonly node?: string
      readonly unseen?: { readonly node: string | null; readonly since: number | null }
    }
  }
}

/** Of the sessions that the dashboard's table has of a node. */
const idsOf = async (at: ClusterNode, node: string) => {
  const { json } = await at.call("GET", `/inspect/api/sessions?node=${node}`)
  assert.deepStrictEqual(json["nodes"], ["first", "second"])
  return (json["sessions"] as ReadonlyArray<{ readonly session_id: string }>).map((row) => row.session_id)
}

/** The table as a page has it that is kept open. */
const tableAt = async ({ token, url }: ClusterNode) => {
  const reading = new AbortController()
  const nodes = new Map<string, string | null>()
  const response = await fetch(`${url}/inspect/api/steps`, {
    headers: { authorization: `Bearer ${token}` },
    signal: reading.signal
  })
  let text = ""
  const done = (async () => {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      const lines = text.split("\n")
      text = lines.pop() ?? ""
      for (const line of lines.filter((one) => one.startsWith("data: "))) {
        const { row } = JSON.parse(line.slice("data: ".length)) as { readonly row?: Row }
        if (row !== undefined) nodes.set(row.session_id, row.node)
      }
    }
  })().catch(() => {})
  return {
    nodeOf: (session: string) => nodes.get(session),
    close: () => {
      reading.abort()
      return done
    }
  }
}

interface Row {
  readonly session_id: string
  readonly node: string | null
}

const until = async <A>(read: () => Promise<A>, isIt: (value: A) => boolean): Promise<A> => {
  // As long as the test may take.
  while (true) {
    const value = await read()
    if (isIt(value)) return value
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const unseenOf = (name: string) =>
  new RegExp(`^Its node, ${name}, does not answer \\(last sign of life (\\d+) s ago\\): what runs`)

describe.skipIf(postgres === null)("a look at a session of another node", () => {
  it.live("shows its process, what is below it and what it wrote as at its own node, in lists too", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first"), await nodes.start("second")]
      const [its, own] = [await sessionOf(first), await sessionOf(second)]
      await turn(first, its, "hello")
      await turn(second, own, "hello")
      const { process } = await shownAt(second, its)
      assert.deepInclude(process, { state: "up", unseen: null })
      assert.deepStrictEqual(await shownAt(first, its), await shownAt(second, its))
      // A pid says nothing without its machine.
      const { api } = await shownAt(second, its)
      assert.deepInclude(api, { pid: process.pid, node: "first" })
      assert.notProperty(api, "unseen")
      const treeAt = async (node: ClusterNode) => {
        const { json } = await node.call("GET", `/inspect/api/sessions/${its}/processes`)
        return (json["tree"] as ReadonlyArray<{ readonly pid: number; readonly command: string }>).map(
          ({ command, pid }) => ({ command, pid })
        )
      }
      const tree = await treeAt(second)
      assert.include(
        tree.map(({ pid }) => pid),
        process.pid
      )
      assert.deepStrictEqual(await treeAt(first), tree)
      // One page has sessions of both, and each node asks the other for its own.
      const pages = await Promise.all([first, second].map((node) => node.call("GET", "/sessions")))
      const pids = pages.map(({ json }) =>
        (json["sessions"] as ReadonlyArray<{ readonly process: { readonly pid: number | null } }>).map(
          (session) => session.process.pid
        )
      )
      assert.deepStrictEqual(pids[0], pids[1])
      assert.lengthOf(new Set(pids[0]), 2)
      assert.isTrue(
        pids[0]?.every((pid) => typeof pid === "number"),
        JSON.stringify(pids)
      )
    })
  )

  it.live("has the node that it is at in an open table, also where no step says so", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first"), await nodes.start("second")]
      const session = await sessionOf(first)
      await turn(first, session, "hello")
      const tables = [await tableAt(first), await tableAt(second)]
      // It sleeps: a move ends its agent, and what follows is no step.
      const hibernate = await nodes.run([
        "sessions",
        "move",
        session,
        "second",
        "--url",
        first.url,
        "--token",
        adminToken
      ])
      assert.strictEqual(hibernate.code, 0, hibernate.stderr)
      for (const table of tables)
        await until(
          async () => table.nodeOf(session),
          (node) => node === "second"
        )
      const drained = await nodes.run(["node", "drain", "second", "--wait"])
      assert.strictEqual(drained.code, 0, drained.stderr)
      for (const table of tables)
        await until(
          async () => table.nodeOf(session),
          (node) => node === null
        )
      await Promise.all(tables.map((table) => table.close()))
    })
  )

  it.live("says that its node does not answer, and since when, while that is stopped, and nothing of it after", () =>
    onCluster(async (nodes) => {
      const startedAt = performance.now()
      const [first, second] = [await nodes.start("first", longLease), await nodes.start("second", longLease)]
      const session = await sessionOf(first)
      await turn(first, session, "hello")
      const { process: before } = await shownAt(second, session)
      assert.isNumber(before.pid)
      first.program.child.kill("SIGSTOP")
      const { api, process } = await shownAt(second, session)
      assert.deepInclude(process, { pid: null, state: "up" })
      const [, seconds = ""] = unseenOf("first").exec(process.unseen ?? "") ?? []
      // Its last sign of life was its joining, or a renewal after it.
      assert.notStrictEqual(seconds, "", process.unseen ?? "")
      assert.isAtMost(Number(seconds), (performance.now() - startedAt) / 1000)
      assert.deepInclude(api, { state: "up", pid: null })
      assert.notProperty(api, "node")
      assert.strictEqual(api.unseen?.node, "first")
      assert.isAtMost(api.unseen?.since ?? Infinity, Date.now() / 1000)
      // What nobody at another node can know is not made up; what is stored is there.
      const { json } = await second.call("GET", `/inspect/api/sessions/${session}/processes`)
      assert.deepInclude(json, { tree: [], stderr: "" })
      const { json: turns } = await second.call("GET", `/sessions/${session}/turns`)
      assert.strictEqual(turns["count"], 1)

      first.program.child.kill("SIGCONT")
      const { process: after } = await until(
        () => shownAt(second, session),
        ({ process }) => process.unseen === null
      )
      assert.deepStrictEqual(after, before)
    })
  )

  it.live("says the same of one that is dead until its session is another's, and then shows it there", () =>
    onCluster(async (nodes) => {
      const env = { TROUPE_HIBERNATE_AFTER: "1 second" }
      const [first, second] = [await nodes.start("first", env), await nodes.start("second", env)]
      const [asleep, works] = [await sessionOf(first), await sessionOf(first)]
      await turn(first, asleep, "hello")
      await until(
        () => shownAt(second, asleep),
        ({ process }) => process.state === "none" && process.unseen === null
      )
      const lost = turn(first, works, "hang")
      lost.catch(() => {})
      await until(
        () => shownAt(second, works),
        ({ session }) => session.substate === "turning.running"
      )
      await first.kill("SIGKILL")
      const { process } = await shownAt(second, works)
      if (process.unseen !== null) {
        assert.match(process.unseen, unseenOf("first"))
        assert.isNull(process.pid)
      }
      // Its turn makes the second one look for it.
      const taken = await until(
        () => shownAt(second, works),
        ({ process, session }) => process.unseen === null && session.substate === "idle.asleep"
      )
      assert.deepInclude(taken.process, { pid: null, state: "none" })
      assert.strictEqual(taken.session.node, "second")
      const owners = [
        [1, "first", null],
        [2, "second", "silent"]
      ]
      assert.deepStrictEqual(taken.owners, owners)
      // Nobody looks for one that sleeps: the next who asks it something gets it.
      const sleeping = await shownAt(second, asleep)
      assert.match(sleeping.process.unseen ?? "", unseenOf("first"))
      assert.deepStrictEqual([sleeping.session.node, sleeping.owners], ["first", owners.slice(0, 1)])
      assert.deepStrictEqual(await idsOf(second, "first"), [asleep])
      assert.deepStrictEqual(await idsOf(second, "second"), [works])
      await turn(second, asleep, "again")
      const again = await shownAt(second, asleep)
      assert.deepStrictEqual([again.process.unseen, again.owners], [null, owners])
      assert.sameMembers(await idsOf(second, "second"), [asleep, works])
    })
  )

  it.live("takes a node that has left for none: nothing of it runs any more", () =>
    onCluster(async (nodes) => {
      const [first, second] = [await nodes.start("first", longLease), await nodes.start("second", longLease)]
      const session = await sessionOf(first)
      await turn(first, session, "hello")
      await first.kill("SIGTERM")
      const left = await shownAt(second, session)
      assert.deepInclude(left.process, { pid: null, unseen: null })
      assert.deepStrictEqual(left.owners[0], [1, "first", null])
      await turn(second, session, "again")
      const taken = await shownAt(second, session)
      assert.deepStrictEqual([taken.session.node, taken.owners.at(-1)], ["second", [2, "second", "left"]])
    })
  )
})
