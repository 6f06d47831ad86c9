/** The wire lines that drivers report with their facts, from real processes; and the vitals of these processes. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Clock, Effect, FileSystem, Layer, Stream } from "effect"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Acp from "../../src/agent/acp/driver.ts"
import * as Acpx from "../../src/agent/acpx/driver.ts"
import * as Codex from "../../src/agent/codex/driver.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { exitLine, maxWireLineCharacters, wasCut, wireLine } from "../../src/agent/wireLine.ts"
import { connect } from "./acp.agent.ts"
import { firstLine, fixture, freshLease, spawn, specOf } from "./child.ts"

const path = { PATH: process.env["PATH"] ?? "" }
const demoMain = new URL("../../src/agent/demo/main.ts", import.meta.url).pathname

const codexWith = (script: ReadonlyArray<object>, env: Readonly<Record<string, string>> = {}) =>
  Codex.make({
    name: "codex",
    command: [process.execPath, fixture("codex")],
    env: { ...path, SCRIPT: JSON.stringify(script), ...env }
  })

const into = (msg: object) => ({ dir: "in", msg })
const out = (msg: object) => ({ dir: "out", msg })
const opening = [
  into({ id: 1, method: "initialize" }),
  out({ id: 1, result: { userAgent: "troupe/9.9.9 (x)" } }),
  into({ method: "initialized" }),
  into({ id: 2, method: "thread/start" })
]

describe("a wire line", () => {
  it("a wire line has no secrets, by value and by shape", () => {
    const line = `{"key":"hunter2-hunter2","auth":"Bearer abcdefghijkl"}`
    const clean = wireLine(line, ["hunter2-hunter2"])
    assert.notInclude(clean, "hunter2")
    assert.notInclude(clean, "abcdefghijkl")
    assert.isFalse(wasCut(clean))
  })

  it("a wire line is cut at the limit, and a secret across the cut is removed completely", () => {
    const secret = "s3cr3t-value-of-some-length"
    const line = `${"x".repeat(maxWireLineCharacters - 10)}${secret}${"y".repeat(100_000)}`
    const cut = wireLine(line, [secret])
    assert.isTrue(wasCut(cut))
    assert.strictEqual(cut.length, maxWireLineCharacters + 1)
    assert.isTrue(cut.endsWith("[redacted…") || cut.endsWith("[redacted]…"), cut.slice(-20))
    assert.notInclude(cut, "s3cr3t")
  })

  it("the line of an exit has how the process ended, and its last words", () => {
    assert.strictEqual(exitLine({ code: 3, signal: null }, ""), "exit code 3")
    assert.strictEqual(exitLine({ code: null, signal: "SIGKILL" }, "panic"), "signal SIGKILL\npanic")
  })
})

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("stored wire lines", (it) => {
  it.effect("codex: its lines of the thread, of a request and of the turn's end are stored", () =>
    Effect.gen(function* () {
      const thread = { id: "T", note: "token-of-the-house" }
      const asks = {
        id: 0,
        method: "item/commandExecution/requestApproval",
        params: { threadId: "T", turnId: "U", itemId: "I", command: "ls" }
      }
      const ends = { method: "turn/completed", params: { threadId: "T", turn: { id: "U", status: "completed" } } }
      const driver = yield* codexWith(
        [
          ...opening,
          out({ id: 2, result: { thread: thread } }),
          into({ id: 3, method: "turn/start" }),
          out({ id: 3, result: { turn: { id: "U" } } }),
          out({ method: "turn/started", params: { threadId: "T", turn: { id: "U" } } }),
          out(asks),
          into({ id: 0 }),
          out(ends)
        ],
        { HOUSE_TOKEN: "token-of-the-house" }
      )
      const session = yield* connect(driver)
      const took = JSON.parse(session.connection.wire ?? "")
      assert.deepStrictEqual(took.result, { thread: { id: "T", note: "[redacted]" } })
      const end = yield* session.turn(1, "go")
      assert.deepStrictEqual(JSON.parse(session.approvalRequests[0]?.wire ?? ""), asks)
      assert.deepStrictEqual(JSON.parse(end.wire ?? ""), ends)
    })
  )

  it.effect("codex: its refusal of a start is stored", () =>
    Effect.gen(function* () {
      const refusal = { id: 2, error: { code: -32600, message: "no such model" } }
      const driver = yield* codexWith([...opening, out(refusal)])
      const failed = yield* Effect.flip(connect(driver))
      assert.strictEqual(failed._tag, "AgentFailed")
      assert.deepStrictEqual(JSON.parse(failed.wire ?? "").error, refusal.error)
    })
  )

  it.effect("an ACP agent: its lines of the session, of a request and of the turn's end are stored", () =>
    Effect.gen(function* () {
      const driver = yield* Acp.make({ name: "demo", command: [process.execPath, demoMain], env: path })
      const session = yield* connect(driver)
      assert.strictEqual(JSON.parse(session.connection.wire ?? "").result.sessionId, session.connection.thread)
      const end = yield* session.turn(1, "ask execute")
      const request = JSON.parse(session.approvalRequests[0]?.wire ?? "")
      assert.strictEqual(request.method, "session/request_permission")
      assert.deepStrictEqual(request.params, session.approvalRequests[0]?.raw)
      assert.strictEqual(JSON.parse(end.wire ?? "").result.stopReason, "end_turn")
    })
  )

  it.effect("acpx: its lines of the session and of the turn's end are stored", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped({ prefix: "troupe-wire-" })
      const driver = yield* Acpx.make({
        name: "acpx:claude",
        agent: "claude",
        command: [process.execPath, fixture("acpx")],
        env: { ...path, FAKE_ACPX_HOME: folder }
      })
      const session = yield* connect(driver)
      assert.strictEqual(JSON.parse(session.connection.wire ?? "").acpxRecordId, session.connection.thread)
      const end = yield* session.turn(1, "acpx-claude-prompt-cold")
      assert.strictEqual(JSON.parse(end.wire ?? "").result.stopReason, "end_turn")
    })
  )
})

layer(Processes.layer, { excludeTestServices: true })("the vitals of a lease", (it) => {
  it.effect("the vitals have the last output since the first byte, and end with the last child", () =>
    Effect.gen(function* () {
      const processes = yield* Processes
      const lease = freshLease()
      assert.isNull(yield* processes.vitals(lease))
      const before = yield* Clock.currentTimeMillis
      const script = `process.stdin.once("data", () => { console.error("Bearer abcdefgh1234"); console.log("here") })
        process.stdin.resume()`
      const lastOutputAt = yield* Effect.scoped(
        Effect.gen(function* () {
          const child = yield* spawn({ ...specOf("wire", { lease }), command: [process.execPath, "-e", script] })
          assert.deepInclude(yield* processes.vitals(lease), { lastOutputAt: null, stderr: "" })
          yield* child.write("go\n")
          assert.strictEqual(yield* firstLine(child), "here")
          const [info] = yield* processes.tree(lease)
          assert.isAtLeast(info?.startedAt ?? 0, before - 5_000)
          assert.isAtMost(info?.startedAt ?? Infinity, (yield* Clock.currentTimeMillis) + 5_000)
          yield* child.end
          yield* child.exit
          const vitals = yield* processes.vitals(lease)
          assert.strictEqual(vitals?.stderr.trim(), "Bearer [redacted]")
          return vitals?.lastOutputAt ?? 0
        })
      )
      assert.isAtLeast(lastOutputAt, before)
      assert.isNull(yield* processes.vitals(lease))
    })
  )

  it.effect("the command lines of a lease's processes are redacted", () =>
    Effect.gen(function* () {
      const processes = yield* Processes
      const lease = freshLease()
      const command = [process.execPath, "-e", "setInterval(() => {}, 1e6)", "--", "--pass=hunter2-hunter2"] as const
      yield* spawn({
        ...specOf("wire", { lease }),
        command: [...command],
        env: { ...path, A_TOKEN: "hunter2-hunter2" }
      })
      const [info] = yield* processes.tree(lease)
      assert.include(info?.command ?? "", "--pass=[redacted]")
    })
  )

  it.effect("the vitals of a silent child have no last output", () =>
    Effect.gen(function* () {
      const processes = yield* Processes
      const lease = freshLease()
      const child = yield* spawn({ ...specOf("wire", { lease }), command: [process.execPath, "-e", ""], stdin: false })
      yield* Stream.runDrain(child.stdout)
      assert.isNull((yield* processes.vitals(lease))?.lastOutputAt ?? null)
    })
  )
})
