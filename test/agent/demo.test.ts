/** The demo agent over its real stdio: it keeps to the protocol and remembers its sessions. */
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Queue, Stream } from "effect"
import { Processes } from "../../src/agent/Processes.ts"
import { spawn, specOf } from "./child.ts"
import { open, start, textOf } from "./demo.ts"
import type { Update } from "./demo.ts"

const main = new URL("../../src/agent/demo/main.ts", import.meta.url).pathname

const stateDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "troupe-demo-test-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

layer(Processes.layer, { excludeTestServices: true })("the demo agent", (it) => {
  it.effect("the demo agent shakes hands in version 1, whatever version it is offered", () =>
    Effect.gen(function* () {
      const agent = yield* start()
      const hello = yield* agent.request("initialize", { protocolVersion: 99, clientCapabilities: {} })
      assert.deepStrictEqual(hello, {
        protocolVersion: 1,
        agentCapabilities: {
          loadSession: true,
          promptCapabilities: { image: true, audio: false, embeddedContext: true },
          mcpCapabilities: { http: true, sse: true },
          sessionCapabilities: {
            additionalDirectories: {},
            close: {},
            fork: {},
            list: {},
            resume: {},
            systemPrompt: {}
          }
        },
        agentInfo: { name: "troupe-demo", title: "Demo", version: "1.0.0" },
        authMethods: [],
        _meta: { steering: { supported: true } }
      })
    })
  )

  it.effect("the demo agent echoes with the turn's number, counts words, and recalls earlier prompts", () =>
    Effect.gen(function* () {
      const agent = yield* open()
      const first = yield* agent.say("hello")
      assert.strictEqual(first.text, "You said: hello (turn 1)")
      assert.deepStrictEqual(first.end, {
        stopReason: "end_turn",
        usage: { inputTokens: 1, outputTokens: 5, cachedReadTokens: 0, cachedWriteTokens: 0, totalTokens: 6 }
      } as unknown as typeof first.end)
      assert.strictEqual((yield* agent.say("good\nday")).text, "You said: good\nday (turn 2)")
      assert.strictEqual((yield* agent.say("recall")).text, '["hello","good\\nday"]')
      assert.strictEqual((yield* agent.say("")).text, "You said nothing (turn 4)")
    })
  )

  it.effect("the sessions of one process are separate", () =>
    Effect.gen(function* () {
      const agent = yield* open()
      yield* agent.say("of the first")
      const other = (yield* agent.request("session/new", { cwd: "/", mcpServers: [] })) as {
        readonly sessionId: string
      }
      const prompt = [{ type: "text", text: "recall" }]
      yield* agent.request("session/prompt", { sessionId: other.sessionId, prompt })
      assert.strictEqual(textOf(yield* agent.updates), "[]")
    })
  )

  it.effect("a session can be resumed after a SIGKILL, with the interrupted prompt", () =>
    Effect.gen(function* () {
      const state = join(yield* stateDirectory, "made", "by", "the agent")
      const env = { TROUPE_DEMO_STATE: state }
      const before = yield* open({ env })
      yield* before.say("remember pear")
      yield* before.request("session/set_mode", { sessionId: before.sessionId, modeId: "ask" })
      const turn = yield* Effect.forkChild(before.prompt("hang\nand plum"))
      yield* before.nextUpdate
      yield* before.nextUpdate
      yield* (yield* Processes).signal(before.lease, "SIGKILL")
      assert.strictEqual((yield* before.child.exit).signal, "SIGKILL")
      yield* Fiber.interrupt(turn)

      const after = yield* open({ env, resume: before.sessionId })
      assert.deepStrictEqual(yield* after.updates, [])
      assert.strictEqual((yield* after.say("recall")).text, '["remember pear","hang\\nand plum"]')
      assert.strictEqual((yield* after.say("hello")).text, "You said: hello (turn 4)")
      const modes = yield* after.request("session/resume", { sessionId: after.sessionId, cwd: "/", mcpServers: [] })
      assert.strictEqual((modes as { modes: { currentModeId: string } }).modes.currentModeId, "ask")
      assert.strictEqual(statSync(state).mode & 0o777, 0o700)
    })
  )

  it.effect("a load plays the session back before its reply", () =>
    Effect.gen(function* () {
      const env = { TROUPE_DEMO_STATE: yield* stateDirectory }
      const before = yield* open({ env })
      yield* before.say("hello")
      const after = yield* start({ env })
      yield* after.initialize()
      yield* after.request("session/load", { sessionId: before.sessionId, cwd: "/", mcpServers: [] })
      const replayed = (yield* Queue.clear(after.notifications)).map(({ params }) => params["update"] as Update)
      assert.deepStrictEqual(
        replayed.map(({ content, sessionUpdate }) => [sessionUpdate, content?.text]),
        [
          ["user_message_chunk", "hello"],
          ["agent_message_chunk", "You said: hello (turn 1)"]
        ]
      )
    })
  )

  it.effect("a journal with a torn line is read as far as it goes, and old journals are deleted", () =>
    Effect.gen(function* () {
      const state = yield* stateDirectory
      const id = "0123abcd-0000-4000-8000-000000000000"
      writeFileSync(join(state, `${id}.ndjson`), '{"cwd":"/"}\n{"user":"whole"}\n{"user":"to')
      writeFileSync(join(state, "old.ndjson"), '{"cwd":"/"}\n')
      utimesSync(join(state, "old.ndjson"), 0, 0)
      const agent = yield* open({ env: { TROUPE_DEMO_STATE: state }, resume: id })
      assert.strictEqual((yield* agent.say("recall")).text, '["whole"]')
      assert.include(readdirSync(state), "old.ndjson")
      yield* agent.request("session/new", { cwd: "/", mcpServers: [] })
      assert.notInclude(readdirSync(state), "old.ndjson")
    })
  )

  it.effect("an invalid request is refused with the protocol's code", () =>
    Effect.gen(function* () {
      const agent = yield* start({ env: { TROUPE_DEMO_STATE: yield* stateDirectory } })
      const codeOf = (method: string, params: unknown) =>
        Effect.map(Effect.flip(agent.request(method, params)), (error) =>
          error._tag === "RpcError" ? error.code : error.reason
        )
      const where = { cwd: "/", mcpServers: [] }
      assert.strictEqual(yield* codeOf("session/new", where), -32600)
      assert.strictEqual(yield* codeOf("initialize", { protocolVersion: "1" }), -32602)
      yield* agent.initialize()
      assert.strictEqual(yield* codeOf("initialize", { protocolVersion: 1 }), -32600)
      assert.strictEqual(yield* codeOf("no/such", {}), -32601)
      assert.strictEqual(yield* codeOf("toString", {}), -32601)
      assert.strictEqual(yield* codeOf("session/new", { ...where, cwd: "relative" }), -32602)
      assert.strictEqual(yield* codeOf("session/new", { cwd: "/" }), -32602)
      assert.strictEqual(yield* codeOf("session/prompt", { sessionId: "none", prompt: [] }), -32002)
      assert.strictEqual(yield* codeOf("session/resume", { ...where, sessionId: "../../etc/passwd" }), -32002)
      const { sessionId } = (yield* agent.request("session/new", where)) as { readonly sessionId: string }
      assert.strictEqual(yield* codeOf("session/prompt", { sessionId, prompt: "text" }), -32602)
      assert.strictEqual(yield* codeOf("session/set_mode", { sessionId, modeId: "yolo" }), -32602)
      yield* Effect.forkChild(agent.request("session/prompt", { sessionId, prompt: [{ type: "text", text: "hang" }] }))
      yield* Queue.take(agent.notifications)
      assert.strictEqual(yield* codeOf("session/prompt", { sessionId, prompt: [] }), -32600)
      yield* agent.request("session/close", { sessionId })
      assert.strictEqual(yield* codeOf("session/set_mode", { sessionId, modeId: "ask" }), -32002)
    })
  )

  it.effect("a line that is no message is answered with an error without an id, and the agent goes on", () =>
    Effect.gen(function* () {
      const child = yield* spawn({ ...specOf("wire"), command: [process.execPath, main] })
      yield* child.write('no json\n[1]\n{"id":1,"method":"initialize"}\n\n')
      yield* child.write('{"jsonrpc":"2.0","id":7,"result":{}}\n{"jsonrpc":"2.0","method":"what/ever"}\n')
      yield* child.write('{"jsonrpc":"2.0","method":"session/cancel","params":{"sessionId":"none"}}\n')
      yield* child.write('{"jsonrpc":"2.0","id":"a","method":"initialize","params":{"protocolVersion":1}}\n')
      yield* child.end
      const lines = yield* child.stdout.pipe(Stream.decodeText(), Stream.splitLines, Stream.runCollect)
      const answers = lines.map(
        (line) => JSON.parse(line) as { readonly id: unknown; readonly error?: { code: number } }
      )
      assert.deepStrictEqual(
        answers.map(({ error, id }) => [id, error?.code]),
        [
          [null, -32700],
          [null, -32600],
          [null, -32600],
          ["a", undefined]
        ]
      )
      assert.deepStrictEqual(yield* child.exit, { code: 0, signal: null })
    })
  )

  it.effect("SIGTERM ends the demo agent in order", () =>
    Effect.gen(function* () {
      const agent = yield* open()
      yield* (yield* Processes).signal(agent.lease, "SIGTERM")
      assert.deepStrictEqual(yield* agent.child.exit, { code: 0, signal: null })
    })
  )

  it.effect("`--version` prints the version without a handshake", () =>
    Effect.gen(function* () {
      const child = yield* spawn({ ...specOf("wire"), command: [process.execPath, main, "--version"], stdin: false })
      assert.strictEqual(yield* child.stdout.pipe(Stream.decodeText(), Stream.mkString), "troupe-demo 1.0.0\n")
    })
  )

  it.effect("TROUPE_DEMO_START makes the start fail as it says", () =>
    Effect.gen(function* () {
      const crash = yield* start({ env: { TROUPE_DEMO_START: "crash" } })
      assert.deepStrictEqual(yield* crash.child.exit, { code: 1, signal: null })
      assert.include(yield* crash.child.stderr, "crashes at its start")

      const auth = yield* start({ env: { TROUPE_DEMO_START: "auth" } })
      yield* auth.initialize()
      const authError = yield* Effect.flip(auth.request("session/new", { cwd: "/", mcpServers: [] }))
      assert.deepInclude(authError, { _tag: "RpcError", code: -32000, message: "Authentication required" })

      const env = { TROUPE_DEMO_STATE: yield* stateDirectory }
      const { sessionId } = yield* open({ env })
      const forget = yield* start({ env: { ...env, TROUPE_DEMO_START: "forget" } })
      yield* forget.initialize()
      const resumeError = yield* Effect.flip(forget.request("session/resume", { sessionId, cwd: "/", mcpServers: [] }))
      assert.deepInclude(resumeError, { _tag: "RpcError", code: -32002 })

      const hang = yield* start({ env: { TROUPE_DEMO_START: "hang" } })
      const silent = yield* Effect.flip(hang.peer.request("initialize", { protocolVersion: 1 }, { timeoutMillis: 300 }))
      assert.deepInclude(silent, { _tag: "RpcSilent", reason: "timeout" })

      const slow = yield* start({ env: { TROUPE_DEMO_START: "slow 300" } })
      assert.deepInclude((yield* slow.initialize()) as object, { protocolVersion: 1 })
    })
  )
})
