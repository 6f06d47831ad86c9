/** Spares below a whole runtime, as real processes: who gets one, who must not, and what becomes of it. */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { appendFileSync, readFileSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import { isAlive } from "../agent/child.ts"
import { untilTrue } from "./hostileAgent.ts"
import { withSpares } from "./spareAgent.ts"

const promptsOf = (scene: { readonly happened: () => ReadonlyArray<{ readonly what: string }> }) =>
  scene.happened().filter(({ what }) => what === "prompt").length

describe.concurrent("a spare", { timeout: 180_000 }, () => {
  it("serves the next new session, in that one's own directory, and another one takes its place", () =>
    withSpares({}, async (scene) => {
      const first = await scene.turn(await scene.create())
      const spare = await scene.warm()
      assert.notStrictEqual(spare, first.pid)
      const before = await scene.leases()
      const second = await scene.create({ cwd: scene.directory("second") })
      const answer = await scene.turn(second)
      assert.deepStrictEqual(answer, { pid: spare, directory: scene.directory("second") })
      // With its lease, which is the session's now.
      const lease = before.find(({ pid }) => pid === spare)
      const after = (await scene.leases()).find(({ id }) => id === lease?.id)
      assert.deepStrictEqual([lease?.session, after?.session, after?.pid], [null, second, spare])
      assert.notStrictEqual(await scene.warm(), spare)
      assert.strictEqual(await scene.metric("troupe_spare_hits_total"), 1)
      assert.strictEqual(await scene.metric("troupe_spare_idle_seconds_count"), 1)
      assert.deepStrictEqual(scene.slots.counts(), { held: 2, size: 8, waiting: 0 })
    }))

  it("resumes the conversation of a session that wakes", () =>
    withSpares({ limits: { hibernateAfterMillis: 50 } }, async (scene) => {
      const session = await scene.create()
      const first = await scene.turn(session)
      const spare = await scene.warm()
      await untilTrue("its sleep", () => !isAlive(first.pid ?? 0))
      assert.strictEqual((await scene.turn(session)).pid, spare)
      const resumed = scene.happened().filter(({ pid, what }) => pid === spare && what === "session/resume")
      assert.strictEqual(resumed.length, 1)
    }))

  it("serves one of two sessions that want it at once", () =>
    withSpares({}, async (scene) => {
      await scene.turn(await scene.create())
      const spare = await scene.warm()
      const answers = await Promise.all([scene.create(), scene.create()].map(async (id) => scene.turn(await id)))
      const pids = answers.map(({ pid }) => pid)
      assert.strictEqual(pids.filter((pid) => pid === spare).length, 1)
      assert.strictEqual(new Set(pids).size, 2)
    }))

  it("gets no session with variables of its own, and knows none of them", () =>
    withSpares({ agent: { sessionEnv: ["SECRET"] } }, async (scene) => {
      await scene.turn(await scene.create({ env: { SECRET: "of-one-app-only" } }))
      await pause(1_500)
      assert.deepStrictEqual(scene.waiting(), [], "started with what is one session's")
      await scene.turn(await scene.create())
      const spare = await scene.warm()
      const own = await scene.turn(await scene.create({ env: { SECRET: "of-another-app" } }))
      assert.notStrictEqual(own.pid, spare)
      assert.deepStrictEqual(
        scene.starts().map(({ pid, secret }) => [pid === own.pid, secret]),
        [
          [false, "of-one-app-only"],
          [false, null],
          [false, null],
          [true, "of-another-app"]
        ]
      )
      assert.strictEqual(await scene.metric("troupe_spare_misses_total", 'reason="own"'), 2)
    }))

  it("gets no session of another permission where that decides how the agent is started", () =>
    withSpares({}, async (scene) => {
      await scene.turn(await scene.create({ permissions: "deny" }))
      const spare = await scene.warm()
      // Another environment for git; and with somebody to ask another handshake.
      for (const permissions of ["approve_all", "ask"] as const) {
        assert.notStrictEqual((await scene.turn(await scene.create({ permissions }))).pid, spare)
      }
      assert.strictEqual((await scene.turn(await scene.create({ permissions: "approve_reads" }))).pid, spare)
    }))

  it("gets no session whose repository names what git would run, and any other repository's", () =>
    withSpares({}, async (scene) => {
      const make = (name: string, ...more: ReadonlyArray<ReadonlyArray<string>>) => {
        const cwd = scene.directory(name)
        for (const args of [["init", "-q"], ...more]) execFileSync("git", ["-C", cwd, ...args])
        return cwd
      }
      await scene.turn(await scene.create())
      const spare = await scene.warm()
      const hostile = make("hostile", ["config", "diff.external", "/bin/false"])
      assert.notStrictEqual((await scene.turn(await scene.create({ cwd: hostile }))).pid, spare)
      assert.strictEqual(await scene.metric("troupe_spare_misses_total", 'reason="repository"'), 1)
      assert.strictEqual((await scene.turn(await scene.create({ cwd: make("plain") }))).pid, spare)
    }))

  it("gets no session in a directory that its operator trusts", () =>
    withSpares({ agent: { trustedRoots: ["/"] } }, async (scene) => {
      await scene.turn(await scene.create())
      await pause(1_500)
      assert.deepStrictEqual(scene.spares.views(), [])
    }))

  it("serves only its own directory where its agent may look at that, and never one that is a session's own", () =>
    withSpares({ program: "unknown.mjs" }, async (scene) => {
      await scene.turn(await scene.create())
      await pause(1_500)
      assert.deepStrictEqual(scene.spares.views(), [])
      const [here, elsewhere] = [scene.directory("here"), scene.directory("elsewhere")]
      for (let twice = 0; twice < 2; twice++) await scene.turn(await scene.create({ cwd: here }))
      const spare = await scene.warm()
      assert.notStrictEqual((await scene.turn(await scene.create({ cwd: elsewhere }))).pid, spare)
      assert.strictEqual((await scene.turn(await scene.create({ cwd: here }))).pid, spare)
      assert.deepStrictEqual(
        scene.starts().flatMap(({ cwd, pid }) => (pid === spare ? cwd : [])),
        [here]
      )
    }))

  it("gives up its place at once where the pool is full", () =>
    withSpares({ limits: { maxProcesses: 2 } }, async (scene) => {
      const first = await scene.create({ permissions: "deny" })
      await scene.turn(first)
      const spare = await scene.warm()
      // It can't be served by the spare.
      const second = await scene.turn(await scene.create({ permissions: "approve_all" }))
      assert.notStrictEqual(second.pid, spare)
      await untilTrue("its end", () => !isAlive(spare))
      assert.deepStrictEqual([scene.slots.counts().held, scene.slots.spares()], [2, 0])
      await pause(1_500)
      assert.deepStrictEqual(scene.spares.views(), [], "there is no place for another")
      await scene.close(first)
      await scene.warm()
      assert.deepStrictEqual([scene.slots.counts().held, scene.slots.spares()], [1, 1])
    }))

  it("is the one process of a pool of one, when a session comes that it can serve", () =>
    withSpares({ limits: { maxProcesses: 1, hibernateAfterMillis: 50 } }, async (scene) => {
      const session = await scene.create()
      const first = await scene.turn(session)
      await untilTrue("its sleep", () => !isAlive(first.pid ?? 0))
      const spare = await scene.warm()
      assert.strictEqual((await scene.turn(session)).pid, spare)
    }))

  it("that dies while it waits is noticed, and replaced", () =>
    withSpares({}, async (scene) => {
      await scene.turn(await scene.create())
      const spare = await scene.warm()
      process.kill(spare, "SIGKILL")
      await untilTrue("another", () => scene.waiting().length === 1 && scene.waiting()[0] !== spare)
      assert.strictEqual((await scene.leases()).filter(({ session }) => session === null).length, 1)
      assert.strictEqual((await scene.turn(await scene.create())).pid, scene.starts().at(2)?.pid)
    }))

  it("that dies in the handing over costs its session a start, and no prompt", () =>
    withSpares({}, async (scene) => {
      await scene.turn(await scene.create())
      const spare = await scene.warm()
      scene.order("die")
      const session = await scene.create()
      const answer = await scene.turn(session)
      assert.notStrictEqual(answer.pid, spare)
      assert.isNotNull(answer.pid)
      assert.strictEqual(promptsOf(scene), 2)
      assert.strictEqual(await scene.metric("troupe_spare_misses_total", 'reason="failed"'), 1)
      const leases = (await scene.leases()).filter((lease) => lease.session === session)
      assert.deepStrictEqual(
        leases.map(({ pid }) => pid),
        [answer.pid]
      )
    }))

  it("that was handed a prompt and dies is a process that died: the prompt is handed to no other", () =>
    withSpares({}, async (scene) => {
      await scene.turn(await scene.create())
      await scene.warm()
      const answer = await scene.turn(await scene.create(), "die")
      assert.deepStrictEqual(answer, { pid: null, directory: "crash" })
      assert.strictEqual(scene.happened().filter(({ text }) => text === "die").length, 1)
    }))

  it("is given up where its agent was upgraded", () =>
    withSpares({}, async (scene) => {
      await scene.turn(await scene.create())
      const spare = await scene.warm()
      appendFileSync(scene.copy, "\n")
      // Also before anybody has looked.
      assert.notStrictEqual((await scene.turn(await scene.create())).pid, spare)
      await untilTrue("its end", () => !isAlive(spare))
      await scene.warm()
    }))

  it("that does not start is counted against its agent once, and is not tried again at once", () =>
    withSpares({}, async (scene) => {
      scene.order("always fail")
      await scene.turn(await scene.create())
      await untilTrue("its end", () => scene.starts().length === 2 && scene.spares.views().length === 0)
      assert.deepStrictEqual(scene.breaker.open(Date.now()), [])
      assert.deepStrictEqual([scene.slots.counts().held, scene.slots.spares()], [1, 0])
    }))

  it("that uses more than a session may is ended", () =>
    withSpares({ limits: { maxSessionDescendants: 0 } }, async (scene) => {
      await scene.turn(await scene.create())
      await untilTrue("its start", () => scene.starts().length >= 2)
      const spare = scene.starts()[1]?.pid ?? 0
      await untilTrue("its end", () => !isAlive(spare))
      await untilTrue("its lease's end", () => scene.spares.views().length === 0)
    }))

  it("is ended by a drain, and none is started then", () =>
    withSpares({}, async (scene) => {
      await scene.turn(await scene.create())
      const spare = await scene.warm()
      await scene.drain()
      await untilTrue("its end", () => !isAlive(spare))
      await pause(1_500)
      assert.deepStrictEqual([scene.spares.views(), scene.slots.spares()], [[], 0])
    }))

  it("is not there where none is wanted", () =>
    withSpares({ limits: { warmSpares: 0 } }, async (scene) => {
      await scene.turn(await scene.create())
      await pause(1_500)
      assert.deepStrictEqual(scene.spares.views(), [])
      assert.strictEqual(scene.starts().length, 1)
      assert.strictEqual(await scene.metric("troupe_spare_misses_total"), 0)
    }))

  it("has the mark of its lease, by which all that it starts is found", () =>
    withSpares({}, async (scene) => {
      await scene.turn(await scene.create())
      const spare = await scene.warm()
      const [view] = scene.spares.views()
      assert.include(readFileSync(`/proc/${spare}/environ`, "latin1"), `TROUPE_LEASE=${view?.lease}`)
    }))
})
