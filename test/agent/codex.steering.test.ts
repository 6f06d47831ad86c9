/** Steering and compaction against the real codex's answers: its traces are played over real stdio. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Layer } from "effect"
import type { AgentFact } from "../../src/agent/Agent.ts"
import * as Codex from "../../src/agent/codex/driver.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { connect } from "./acp.agent.ts"
import { fixture } from "./child.ts"
import { linesOf, metaOf, ofKind, updates } from "./codex.replay.ts"
import { textPrompt } from "../../src/domain/Turn.ts"

/** Plays a trace without the requests that our driver never sends, and without their replies. */
const playing = Effect.fnUntraced(function* (trace: string, unsent: ReadonlyArray<number> = []) {
  const script = linesOf(trace).filter(
    ({ dir, msg }) =>
      !(unsent as ReadonlyArray<unknown>).includes(msg["id"]) || (dir === "out" && msg["method"] !== undefined)
  )
  const driver = yield* Codex.make({
    name: "codex",
    command: [process.execPath, fixture("codex")],
    env: { PATH: process.env["PATH"] ?? "", SCRIPT: JSON.stringify(script) }
  })
  assert.deepInclude(driver.capabilities, { steer: true, compact: true })
  const agent = yield* connect(driver)
  const { compact, steer } = agent.connection
  if (compact === undefined || steer === undefined) return assert.fail("codex steers and compacts")
  return { ...agent, compact, steer }
})

const kindsOf = (facts: ReadonlyArray<AgentFact>, turn: number) =>
  updates(facts)
    .filter((fact) => fact.turn === turn)
    .flatMap((fact) => metaOf(fact)["troupe/compaction"] ?? [])

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("codex steering", (it) => {
  it.effect("the running turn is steered, and the words are emitted at the position where codex took them (53)", () =>
    Effect.gen(function* () {
      const { connection, ended, facts, updateOfKind, steer } = yield* playing("53-steer", [3, 5, 6, 8])
      assert.strictEqual(yield* steer("too early"), "no_turn")
      yield* connection.prompt(1, textPrompt("one two three"))
      yield* updateOfKind("agent_message_chunk")
      assert.strictEqual(yield* steer("steered text"), "steered")
      yield* ended(1)
      const messageChunks = updates(facts)
        .filter(({ message }) => message.params.update.sessionUpdate.endsWith("_message_chunk"))
        .map(({ message, turn }) => {
          const { content, sessionUpdate } = message.params.update
          return [turn, sessionUpdate, (content as { readonly text: string }).text] as const
        })
      const at = messageChunks.findIndex(([, kind]) => kind === "user_message_chunk")
      assert.deepStrictEqual(messageChunks[at], [1, "user_message_chunk", "steered text"])
      assert.deepStrictEqual(metaOf(ofKind(facts, "user_message_chunk")[0]!), { "troupe/steered": true })
      const after = messageChunks.slice(at + 1).map(([, , text]) => text)
      assert.strictEqual(after.join(""), "echo: steered text")
      assert.strictEqual(yield* steer("too late"), "no_turn")
    })
  )

  it.effect("steering waits for the turn's begin, before which codex knows no turn to steer (53)", () =>
    Effect.gen(function* () {
      const { connection, ended, steer } = yield* playing("53-steer", [3, 5, 6, 8])
      const handed = yield* Effect.forkChild(connection.prompt(1, textPrompt("one two three")))
      yield* Effect.yieldNow
      const steered = yield* Effect.forkChild(steer("steered text"))
      yield* Fiber.join(handed)
      assert.strictEqual(yield* Fiber.join(steered), "steered")
      yield* ended(1)
    })
  )

  it.effect("a steering that codex refuses for another turn found no turn, and adds nothing (53)", () =>
    Effect.gen(function* () {
      const { connection, facts, updateOfKind, steer } = yield* playing("53-steer", [3, 6, 7, 8])
      yield* connection.prompt(1, textPrompt("one two three"))
      yield* updateOfKind("agent_message_chunk")
      assert.strictEqual(yield* steer("wrong steer"), "no_turn")
      assert.deepStrictEqual(ofKind(facts, "user_message_chunk"), [])
    })
  )

  it.effect("a compaction is a turn of its own between others, and reports what is left (55)", () =>
    Effect.gen(function* () {
      const { compact, ended, facts, turn } = yield* playing("55-compact")
      yield* turn(1, "first")
      yield* turn(2, "second")
      yield* compact(3)
      const end = yield* ended(3)
      assert.deepInclude(end, { stopReason: "end_turn", failure: null })
      assert.isAbove(end.usage?.totalTokens ?? 0, 0)
      assert.deepStrictEqual(kindsOf(facts, 3), ["started", "completed"])
      // Codex's own estimate of what is left, which comes last. The recorded model did not really shorten anything.
      const left = ofKind(facts, "usage_update").findLast((fact) => fact.turn === 3)
      assert.strictEqual(left?.message.params.update["used"], 1_507)
      yield* turn(4, "after compaction")
      assert.deepStrictEqual(kindsOf(facts, 4), [])
    })
  )

  it.effect("a compaction can't be steered, says why, and goes on (109)", () =>
    Effect.gen(function* () {
      const { compact, ended, facts, steer, turn } = yield* playing("109-input-during-compaction", [6])
      yield* turn(1, "hello")
      yield* compact(2)
      const failure = yield* Effect.flip(steer("s"))
      assert.deepInclude(failure, { class: "config" })
      assert.match(failure.message, /while it compacts/)
      assert.deepInclude(yield* ended(2), { stopReason: "end_turn", failure: null })
      assert.deepStrictEqual(kindsOf(facts, 2), ["started", "completed"])
    })
  )

  it.effect("an interrupted compaction ends as cancelled and reports no compaction (109b)", () =>
    Effect.gen(function* () {
      const { compact, connection, ended, facts, turn } = yield* playing("109b-interrupt-compaction")
      yield* turn(1, "hello")
      yield* compact(2)
      yield* connection.interrupt
      assert.deepInclude(yield* ended(2), { stopReason: "cancelled", failure: null })
      assert.notInclude(kindsOf(facts, 2), "completed")
    })
  )

  it.effect("a compaction that the model fails has the failure's class and reports no compaction (106)", () =>
    Effect.gen(function* () {
      const { compact, ended, facts, turn } = yield* playing("106-compaction-fails")
      yield* turn(1, "hello")
      yield* compact(2)
      const end = yield* ended(2)
      assert.deepInclude(end, { stopReason: "error" })
      assert.strictEqual(end.failure?.class, "model")
      assert.notInclude(kindsOf(facts, 2), "completed")
    })
  )

  it.effect("no turn or compaction is started during a turn, which codex would steer or interrupt (54, 56)", () =>
    Effect.gen(function* () {
      for (const trace of ["54-turn-start-while-active", "56-compact-while-active"]) {
        const { compact, connection } = yield* playing(trace)
        yield* connection.prompt(1, textPrompt("one two three"))
        const second = trace.startsWith("54") ? connection.prompt(2, textPrompt("second input")) : compact(2)
        const exit = yield* Effect.exit(second)
        assert.include(
          Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "",
          "Turn 2 was prompted while another one runs"
        )
      }
    })
  )
})
