/** The demo agent does what its table says. `demo.tools.test.ts` has the directives that ask or run a command. */
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { table } from "../../src/agent/demo/directives.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { isAlive } from "./child.ts"
import { open, textOf } from "./demo.ts"

const typed = {
  session: { notices: {} },
  _meta: { jetbrains: { air: { version: 1, capabilities: ["sessionFailure"] } } }
}

layer(Processes.layer, { excludeTestServices: true })("a directive of the demo agent", (it) => {
  it.effect("a directive is a whole line: a line that only begins like one is echoed", () =>
    Effect.gen(function* () {
      const agent = yield* open()
      assert.strictEqual(
        (yield* agent.say("think about it\nfail me not\nask him\nhang on")).text,
        "You said: think about it\nfail me not\nask him\nhang on (turn 1)"
      )
      assert.strictEqual((yield* agent.say("constructor")).text, "You said: constructor (turn 2)")
    })
  )

  it.effect("help: the answer lists all directives", () =>
    Effect.gen(function* () {
      const agent = yield* open()
      const lines = (yield* agent.say("help")).text.split("\n")
      assert.deepStrictEqual(
        lines.map((line) => line.split(" ")[0]),
        Object.keys(table)
      )
    })
  )

  it.effect("trace: the answer is the trace context of the prompt's _meta", () =>
    Effect.gen(function* () {
      const agent = yield* open()
      assert.strictEqual((yield* agent.say("trace")).text, "There is no trace.")
    })
  )

  it.effect("system: the answer is the session's system prompt", () =>
    Effect.gen(function* () {
      const agent = yield* open()
      assert.strictEqual((yield* agent.say("system")).text, "There is no system prompt.")
      const systemPrompt = { mode: "append", content: [{ type: "text", text: "Be brief." }] }
      const where = { cwd: "/", mcpServers: [] }
      yield* agent.request("session/resume", { ...where, sessionId: agent.sessionId, systemPrompt })
      assert.strictEqual((yield* agent.say("system")).text, "Be brief.")
    })
  )

  it.effect("slow: the given number of words is streamed, and a cancel ends it", () =>
    Effect.gen(function* () {
      const agent = yield* open()
      const three = yield* agent.say("slow 3 1")
      assert.strictEqual(three.text, "word1 word2 word3 ")
      assert.lengthOf(three.updates, 3)
      assert.strictEqual((yield* agent.say("slow 5000 0")).updates.length, 5_000)

      const turn = yield* Effect.forkChild(agent.prompt("slow 1000 60000"))
      yield* agent.nextUpdate
      yield* agent.cancel
      assert.strictEqual((yield* Fiber.join(turn)).stopReason, "cancelled")
      assert.strictEqual((yield* agent.say("hello")).text, "You said: hello (turn 4)")
    })
  )

  it.effect("think: a thought is sent", () =>
    Effect.gen(function* () {
      const agent = yield* open()
      const { text, updates } = yield* agent.say("think\nhello")
      assert.deepStrictEqual(
        updates.map(({ sessionUpdate }) => sessionUpdate),
        ["agent_thought_chunk", "agent_message_chunk"]
      )
      assert.strictEqual(text, "You said: hello (turn 1)")
    })
  )

  it.effect("orphan: the process that is left behind outlives the agent, until it is swept", () =>
    Effect.gen(function* () {
      const processes = yield* Processes
      const agent = yield* open()
      const pid = Number(/pid (\d+)/.exec((yield* agent.say("orphan")).text)?.[1])
      yield* processes.signal(agent.lease, "SIGKILL")
      yield* agent.child.exit
      assert.isTrue(isAlive(pid))
      assert.strictEqual(yield* processes.sweep(agent.lease), 0)
      assert.isFalse(isAlive(pid))
    })
  )

  it.effect("hang: only a cancel ends the turn", () =>
    Effect.gen(function* () {
      const agent = yield* open()
      const turn = yield* Effect.forkChild(agent.prompt("hang"))
      yield* agent.nextUpdate
      yield* agent.cancel
      assert.strictEqual((yield* Fiber.join(turn)).stopReason, "cancelled")
    })
  )

  it.effect("hang hard: nothing but SIGKILL ends it", () =>
    Effect.gen(function* () {
      const processes = yield* Processes
      const agent = yield* open()
      const turn = yield* Effect.forkChild(agent.prompt("hang hard"))
      yield* agent.nextUpdate
      yield* agent.cancel
      yield* processes.signal(agent.lease, "SIGTERM")
      yield* processes.signal(agent.lease, "SIGINT")
      // It still answers, so it has received all of that, and the turn still runs.
      assert.strictEqual((yield* Effect.flip(agent.request("no/such", {})))._tag, "RpcError")
      assert.strictEqual((yield* Effect.flip(agent.prompt("hello")))._tag, "RpcError")
      yield* agent.child.end
      assert.isTrue(isAlive(agent.child.pid))
      yield* processes.signal(agent.lease, "SIGKILL")
      assert.deepStrictEqual(yield* agent.child.exit, { code: null, signal: "SIGKILL" })
      assert.isTrue((yield* Fiber.await(turn))._tag === "Failure")
    })
  )

  it.effect("crash: the agent exits in the middle of the turn", () =>
    Effect.gen(function* () {
      const agent = yield* open()
      const silent = yield* Effect.flip(agent.prompt("crash 7"))
      assert.deepInclude(silent, { _tag: "RpcSilent", reason: "closed" })
      assert.strictEqual(textOf(yield* agent.updates), "About to crash.")
      assert.deepStrictEqual(yield* agent.child.exit, { code: 7, signal: null })
      assert.include(yield* agent.child.stderr, "exits as it was asked to")
    })
  )

  it.effect("exit-after: the agent exits when the turn has ended", () =>
    Effect.gen(function* () {
      const agent = yield* open()
      const { end, text } = yield* agent.say("exit-after\nhello")
      assert.strictEqual(end.stopReason, "end_turn")
      assert.strictEqual(text, "You said: hello (turn 1)")
      assert.deepStrictEqual(yield* agent.child.exit, { code: 1, signal: null })
    })
  )

  it.effect("late: a tool call completes after the turn's end", () =>
    Effect.gen(function* () {
      const agent = yield* open()
      const { updates } = yield* agent.say("late 300")
      const call = updates.find(({ sessionUpdate }) => sessionUpdate === "tool_call")
      assert.strictEqual(call?.["status"], "in_progress")
      const late = yield* agent.nextUpdate
      assert.deepInclude(late, { toolCallId: call?.["toolCallId"], status: "completed" })
    })
  )

  it.effect("garbage: lines that are no messages are written, and the turn goes on", () =>
    Effect.gen(function* () {
      const agent = yield* open()
      assert.strictEqual((yield* agent.say("garbage\nhello")).text, "You said: hello (turn 1)")
      assert.strictEqual(yield* agent.peer.malformedLines, 6)
    })
  )

  it.effect("big: the given number of kilobytes is sent in one message", () =>
    Effect.gen(function* () {
      const agent = yield* open()
      const { updates } = yield* agent.say("big 2048")
      assert.deepStrictEqual(
        updates.map(({ content }) => content?.text?.length),
        [2_048 * 1_024]
      )
    })
  )

  it.effect("fail: the turn fails by an error, or typed where the client requested that", () =>
    Effect.gen(function* () {
      const plain = yield* open()
      assert.deepInclude(yield* Effect.flip(plain.prompt("fail auth")), { code: -32000 })
      assert.deepInclude(yield* Effect.flip(plain.prompt("fail quota")), { data: { errorKind: "rate_limit" } })
      assert.deepInclude(yield* Effect.flip(plain.prompt("fail model")), { data: { errorKind: "server_error" } })
      yield* plain.updates
      assert.strictEqual((yield* plain.say("hello")).text, "You said: hello (turn 4)")

      const opted = yield* open({ clientCapabilities: typed })
      assert.deepInclude(yield* Effect.flip(opted.prompt("fail auth")), { code: -32000 })
      for (const [how, category] of [
        ["quota", "limit"],
        ["model", "service"]
      ]) {
        const { end, text } = yield* opted.say(`fail ${how}`)
        assert.strictEqual(text, "")
        const meta = end._meta as { jetbrains: { air: { sessionFailure: Readonly<Record<string, unknown>> } } }
        assert.strictEqual(end.stopReason, "end_turn")
        assert.deepInclude(meta.jetbrains.air.sessionFailure, { category, severity: "error" })
      }
    })
  )

  it.effect("refuse: the turn ends with the stop reason `refusal`", () =>
    Effect.gen(function* () {
      const agent = yield* open()
      assert.deepInclude(yield* agent.say("refuse"), { text: "I would rather not." })
      assert.strictEqual((yield* agent.prompt("refuse")).stopReason, "refusal")
      assert.strictEqual((yield* agent.say("hello")).end.stopReason, "end_turn")
    })
  )
})
