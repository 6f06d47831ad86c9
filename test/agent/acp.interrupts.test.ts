/** Interrupts of an ACP agent's turns over real stdio. */
import { assert, it, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { OpenRequest } from "../../src/agent/Agent.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { demo, replayed } from "./acp.agent.ts"
import { textPrompt } from "../../src/domain/Turn.ts"

layer(Processes.layer, { excludeTestServices: true })("interrupts of an ACP agent", (it) => {
  it.effect.each(["claude-cancel-stream", "codex-cancel-stream"])(
    "%s: an interrupted turn ends as cancelled",
    (trace) =>
      Effect.gen(function* () {
        const session = yield* replayed(trace)
        yield* session.connection.prompt(1, textPrompt("a long story"))
        yield* session.updateOfKind("agent_message_chunk")
        yield* session.connection.interrupt
        const end = yield* session.ended(1)
        assert.deepStrictEqual([end.stopReason, end.failure], ["cancelled", null])
        yield* session.connection.interrupt
        assert.strictEqual(session.count("TurnEnded"), 1)
      })
  )

  it.effect.each(["claude-perm-none", "codex-perm-none"])(
    "%s: an interrupt withdraws the open permission request",
    (trace) =>
      Effect.gen(function* () {
        const requests = yield* Deferred.make<void>()
        const withdrawn = yield* Deferred.make<void>()
        const session = yield* replayed(trace, {
          approve: () =>
            Effect.andThen(Deferred.succeed(requests, undefined), Effect.never).pipe(
              Effect.onInterrupt(() => Deferred.succeed(withdrawn, undefined))
            )
        })
        yield* session.connection.prompt(1, textPrompt("may I?"))
        yield* Deferred.await(requests)
        yield* session.connection.interrupt
        yield* Deferred.await(withdrawn)
        assert.strictEqual((yield* session.ended(1)).stopReason, "cancelled")
      })
  )

  it.effect("the driver withdraws the one permission request that the agent cancels, and no other", () =>
    Effect.gen(function* () {
      const [asked, withdrawn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const requests: Array<string> = []
      const approve: OpenRequest["approve"] = ({ id, title }) =>
        requests.push(id) > 0 && title.startsWith("touch p1")
          ? Effect.as(Deferred.await(asked), "once" as const)
          : Effect.andThen(Deferred.succeed(asked, undefined), Effect.never).pipe(
              Effect.onInterrupt(() => Deferred.succeed(withdrawn, undefined))
            )
      const session = yield* replayed("codex-parallel-tools", { approve }, "take-back")
      const end = yield* session.turn(1, "both")
      yield* Deferred.await(withdrawn)
      const answers = yield* session.updateOfKind("replay_answers")
      assert.sameDeepMembers(answers.message.params.update["answers"] as Array<unknown>, [
        { outcome: { outcome: "cancelled" } },
        { outcome: { outcome: "selected", optionId: "allow_once" } }
      ])
      assert.deepStrictEqual([requests.length, end.stopReason, end.failure], [2, "end_turn", null])
    })
  )

  it.effect("an interrupt ends the command that codex left running, reports its end, and keeps the conversation", () =>
    Effect.gen(function* () {
      const session = yield* replayed("codex-cancel-tool")
      yield* session.connection.prompt(1, textPrompt("run"))
      yield* session.updateOfKind("tool_call")
      yield* session.connection.interrupt
      assert.strictEqual((yield* session.ended(1)).stopReason, "cancelled")
      const over = yield* session.updateOfKind("tool_call_update")
      assert.deepInclude(over.message.params.update, { status: "failed" })
      assert.strictEqual(over.turn, 1)
      assert.strictEqual((yield* session.turn(2, "what now?")).stopReason, "end_turn")
      yield* session.connection.askToExit
      const { stderr } = yield* session.exited
      assert.match(stderr, /session\/close .*\nsession\/resume .*\nsession\/set_mode .*"read-only".*\nsession\/prompt/)
    })
  )
})

it.effect("an interrupt of an agent that ignores it cancels twice and takes at most 5 s", () =>
  Effect.gen(function* () {
    const session = yield* demo()
    yield* session.connection.prompt(1, textPrompt("hang hard"))
    const interrupting = yield* Effect.forkChild(session.connection.interrupt)
    yield* TestClock.adjust("5 seconds")
    yield* Fiber.join(interrupting)
    assert.strictEqual(session.count("TurnEnded"), 0)
  }).pipe(Effect.scoped, Effect.provide(Processes.layer))
)
