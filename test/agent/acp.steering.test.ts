/** Steering of a running turn over ACP: against the answers of the real adapters, and against the demo agent. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as Acp from "../../src/agent/acp/driver.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { connect } from "./acp.agent.ts"
import { traceFile } from "./acp.replay.ts"
import { fixture } from "./child.ts"
import { metaOf, ofKind, textOf, updateOf } from "./codex.replay.ts"
import { textPrompt } from "../../src/domain/Turn.ts"

const running = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const driver = yield* Acp.make({
    name: "agent",
    command: [process.execPath, ...args],
    env: { PATH: process.env["PATH"] ?? "" }
  })
  return yield* connect(driver)
})
const demo = running(new URL("../../src/agent/demo/main.ts", import.meta.url).pathname)

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("an ACP agent", (it) => {
  for (const trace of ["claude-steering", "codex-steering"]) {
    it.effect(`the driver emits the words of a steering at the position where the agent took them (${trace})`, () =>
      Effect.gen(function* () {
        const { connection, facts, updateOfKind } = yield* running(fixture("acp-replay"), traceFile(trace))
        assert.isTrue(connection.capabilities.steer)
        const { steer } = connection
        if (steer === undefined) return assert.fail("it announced that it can be steered")
        assert.strictEqual(yield* steer("too early"), "no_turn")
        yield* connection.prompt(1, textPrompt("SLOW:60x50"))
        yield* updateOfKind("agent_message_chunk")
        // The first recorded answer is that of an agent without a running turn, the second that of one with a turn.
        assert.strictEqual(yield* steer("not taken"), "no_turn")
        assert.strictEqual(yield* steer("steered text"), "steered")
        const [words, ...more] = ofKind(facts, "user_message_chunk")
        assert.deepStrictEqual(more, [])
        assert.strictEqual(words?.turn, 1)
        assert.deepStrictEqual(updateOf(words!)["content"], { type: "text", text: "steered text" })
        assert.deepStrictEqual(metaOf(words!), { "troupe/steered": true })
      })
    )
  }

  it.effect("a steered agent answers the words in its running turn, which has one end", () =>
    Effect.gen(function* () {
      const { connection, count, ended, facts, updateOfKind } = yield* demo
      yield* connection.prompt(1, textPrompt("slow 500 20"))
      yield* updateOfKind("agent_message_chunk")
      const { steer } = connection
      if (steer === undefined) return assert.fail("it announced that it can be steered")
      assert.strictEqual(yield* steer("do this"), "steered")
      assert.deepInclude(yield* ended(1), { stopReason: "end_turn", failure: null })
      const [words] = ofKind(facts, "user_message_chunk")
      assert.strictEqual(textOf(facts.slice(facts.indexOf(words!))), "You said: do this (turn 1)")
      yield* connection.prompt(2, textPrompt("recall"))
      yield* ended(2)
      assert.isTrue(textOf(facts).endsWith('["slow 500 20","do this"]'))
      assert.strictEqual(count("TurnEnded"), 2)
    })
  )

  it.effect(
    "an agent is not steered where no turn runs, where the turn is being cancelled, or where it does not announce steering",
    () =>
      Effect.gen(function* () {
        const { connection, ended, updateOfKind } = yield* demo
        const { steer } = connection
        if (steer === undefined) return assert.fail("it announced that it can be steered")
        assert.strictEqual(yield* steer("hello?"), "no_turn")
        yield* connection.prompt(1, textPrompt("hang"))
        yield* updateOfKind("agent_message_chunk")
        yield* connection.interrupt
        assert.strictEqual(yield* steer("too late"), "no_turn")
        assert.deepInclude(yield* ended(1), { stopReason: "cancelled" })
        const plain = yield* running(fixture("acp-replay"), traceFile("claude-steering"), "no-steering")
        assert.deepInclude(plain.connection.capabilities, { steer: false, compact: true })
        assert.isFalse("steer" in plain.connection)
      })
  )
})
