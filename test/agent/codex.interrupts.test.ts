/** Interrupts of codex's turns over real stdio. */
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Layer, Option } from "effect"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Processes } from "../../src/agent/Processes.ts"
import { scripted, on, reply, errorReply, say, started, turning, turnEnds } from "./codex.agent.ts"
import { ends } from "./codex.replay.ts"
import { textPrompt } from "../../src/domain/Turn.ts"

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("codex interrupts", (it) => {
  it.effect("the end of an interrupted turn is held until its commands are dead", () =>
    Effect.gen(function* () {
      const command = (status: string) => ({
        turnId: "U",
        item: { type: "commandExecution", id: "c", command: "sleep 9", status }
      })
      const { opening, facts, until, wire } = yield* scripted([
        ...turning,
        say("item/started", command("inProgress")),
        on(4, "turn/interrupt"),
        reply(4, {}),
        turnEnds("interrupted"),
        on(5, "thread/backgroundTerminals/clean"),
        reply(5, {}),
        say("item/completed", command("failed"))
      ])
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("x"))
      yield* until("Update")
      yield* connection.interrupt
      assert.deepStrictEqual(
        facts.map((fact) => fact._tag),
        ["TurnStarted", "Update", "Update", "TurnEnded"]
      )
      assert.deepInclude(facts.at(-1), { stopReason: "cancelled", failure: null })
      assert.deepInclude((yield* wire).find(({ method }) => method === "turn/interrupt")?.params, {
        threadId: "T",
        turnId: "U"
      })
    })
  )

  it.effect("an interrupt of a turn that codex has not begun is requested again", () =>
    Effect.gen(function* () {
      const { opening, facts, wire } = yield* scripted([
        ...started,
        on(3, "turn/start"),
        reply(3, { turn: { id: "U" } }),
        on(4, "turn/interrupt"),
        errorReply(4, -32600, "no active turn to interrupt"),
        say("turn/started", { turn: { id: "U" } }),
        on(5, "turn/interrupt"),
        reply(5, {}),
        turnEnds("interrupted")
      ])
      const connection = yield* opening
      const prompting = yield* Effect.forkChild(connection.prompt(1, textPrompt("x")), { startImmediately: true })
      yield* connection.interrupt
      yield* Fiber.join(prompting)
      assert.deepInclude(ends(facts)[0], { turn: 1, stopReason: "cancelled" })
      assert.strictEqual((yield* wire).filter(({ method }) => method === "turn/interrupt").length, 2)
    })
  )

  it.effect("an interrupt that codex does not answer ends within five seconds", () =>
    Effect.gen(function* () {
      const { opening, facts } = yield* scripted([...turning, on(4, "turn/interrupt"), on(99, "never")])
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("x"))
      const done = yield* Effect.timeoutOption(connection.interrupt, "6 seconds")
      assert.isTrue(Option.isSome(done))
      assert.deepStrictEqual(ends(facts), [])
    })
  )

  it.effect("an interrupt does nothing where no turn runs", () =>
    Effect.gen(function* () {
      const { opening, wire } = yield* scripted(started)
      const connection = yield* opening
      yield* connection.interrupt
      assert.notInclude(
        (yield* wire).map(({ method }) => method),
        "turn/interrupt"
      )
    })
  )
})
