/** Faults of codex in a turn that pass, or that leave the turn without an end. */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as NodeServices from "@effect/platform-node/NodeServices"
import type { Patience } from "../../src/agent/codex/patience.ts"
import { Processes } from "../../src/agent/Processes.ts"
import type { Script } from "./codex.agent.ts"
import { errorReply, on, reply, say, scripted, started, turnEnds, turning, wait } from "./codex.agent.ts"
import { ends, metaOf, updates } from "./codex.replay.ts"
import { textPrompt } from "../../src/domain/Turn.ts"

const withPatience = (script: Script, patience: Partial<Patience>) => scripted(script, "deny", {}, patience)

const overloaded = (id: number, method: string): Script => [
  on(id, method),
  errorReply(id, -32001, "Server overloaded; retry later.")
]

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("codex in a turn", (it) => {
  it.effect("a prompt that an overloaded codex did not take is handed over again, and that is reported", () =>
    Effect.gen(function* () {
      const { facts, opening, until, wire } = yield* withPatience(
        [
          ...started,
          ...overloaded(3, "turn/start"),
          ...overloaded(4, "turn/start"),
          on(5, "turn/start"),
          reply(5, { turn: { id: "U" } }),
          turnEnds("completed")
        ],
        { overloadedMillis: 5 }
      )
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("x"))
      assert.deepInclude(yield* until("TurnEnded"), { turn: 1, stopReason: "end_turn" })
      const retries = updates(facts).filter((fact) => "troupe/retry" in metaOf(fact))
      assert.deepStrictEqual(
        retries.map(({ turn }) => turn),
        [1, 1]
      )
      const prompts = (yield* wire).filter(({ method }) => method === "turn/start")
      assert.deepStrictEqual(
        prompts.map(({ params }) => params?.["input"]),
        Array.from({ length: 3 }, () => [{ type: "text", text: "x" }])
      )
    })
  )

  it.effect("a codex that stays overloaded fails the prompt as the model's failure, and takes the next one", () =>
    Effect.gen(function* () {
      const always = [3, 4, 5, 6, 7, 8].flatMap((id) => overloaded(id, "turn/start"))
      const next: Script = [on(9, "turn/start"), reply(9, { turn: { id: "U" } }), turnEnds("completed")]
      const { opening, until } = yield* withPatience([...started, ...always, ...next], { overloadedMillis: 1 })
      const connection = yield* opening
      const error = yield* Effect.flip(connection.prompt(1, textPrompt("x")))
      assert.strictEqual(error.class, "model")
      assert.match(error.message, /overloaded and did not take the prompt/)
      yield* connection.prompt(2, textPrompt("y"))
      assert.deepInclude(yield* until("TurnEnded"), { turn: 2 })
    })
  )

  it.effect("a turn that is interrupted while codex is too busy for it ends as cancelled, and is not handed over", () =>
    Effect.gen(function* () {
      const { facts, opening, until, wire } = yield* withPatience([...started, ...overloaded(3, "turn/start")], {
        overloadedMillis: 600_000
      })
      const connection = yield* opening
      yield* Effect.forkChild(connection.prompt(1, textPrompt("x")))
      yield* until("Update")
      yield* connection.interrupt
      assert.deepInclude(yield* until("TurnEnded"), { turn: 1, stopReason: "cancelled", failure: null })
      assert.strictEqual(ends(facts).length, 1)
      assert.strictEqual((yield* wire).filter(({ method }) => method === "turn/start").length, 1)
    })
  )

  const turnFailed = {
    message: "Selected model is at capacity.",
    codexErrorInfo: "serverOverloaded",
    additionalDetails: null
  }
  const fails = say("error", { error: turnFailed, willRetry: false, turnId: "U" })

  it.effect("a turn whose last error is followed by nothing fails with that error, and ends in codex, too", () =>
    Effect.gen(function* () {
      const { opening, until, wire } = yield* withPatience(
        [...turning, fails, on(4, "turn/interrupt"), reply(4, {}), turnEnds("interrupted")],
        { endMillis: 50 }
      )
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("x"))
      const end = yield* until("TurnEnded")
      assert.deepInclude(end, { turn: 1, stopReason: "error" })
      assert.strictEqual(end.failure?.class, "model")
      assert.include(end.failure?.message, "at capacity")
      const interrupted = (yield* wire).find(({ method }) => method === "turn/interrupt")
      assert.deepStrictEqual(interrupted?.params, { threadId: "T", turnId: "U" })
    })
  )

  it.effect("such a turn fails also where codex says that it does not run, and the next prompt is taken", () =>
    Effect.gen(function* () {
      const { opening, until } = yield* withPatience(
        [
          ...turning,
          fails,
          on(4, "turn/interrupt"),
          errorReply(4, -32600, "no active turn to interrupt"),
          on(5, "turn/start"),
          reply(5, { turn: { id: "V" } }),
          say("turn/completed", { turn: { id: "V", status: "completed" } })
        ],
        { endMillis: 50 }
      )
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("x"))
      assert.strictEqual((yield* until("TurnEnded")).failure?.class, "model")
      yield* connection.prompt(2, textPrompt("y"))
      assert.deepInclude(yield* until("TurnEnded", 1), { turn: 2, stopReason: "end_turn" })
    })
  )

  it.effect("a codex that does not end such a turn at all is asked to exit, because it would add to it", () =>
    Effect.gen(function* () {
      const { opening, until } = yield* withPatience([...turning, fails, on(4, "turn/interrupt"), reply(4, {})], {
        endMillis: 50
      })
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("x"))
      assert.strictEqual((yield* until("TurnEnded")).failure?.class, "model")
      yield* until("Exited")
    })
  )

  it.effect("an error that is followed by work ends nothing", () =>
    Effect.gen(function* () {
      const works = say("item/started", { turnId: "U", item: { type: "agentMessage", id: "m", text: "" } })
      const { facts, opening, until, wire } = yield* withPatience(
        [...turning, fails, works, wait(600), turnEnds("completed")],
        { endMillis: 200 }
      )
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("x"))
      assert.deepInclude(yield* until("TurnEnded"), { turn: 1, stopReason: "end_turn" })
      assert.strictEqual(ends(facts).length, 1)
      assert.isUndefined((yield* wire).find(({ method }) => method === "turn/interrupt"))
    })
  )

  it.effect("words that an overloaded codex did not take are given to it again", () =>
    Effect.gen(function* () {
      const { opening, until } = yield* withPatience(
        [...turning, ...overloaded(4, "turn/steer"), on(5, "turn/steer"), reply(5, {}), turnEnds("completed")],
        { overloadedMillis: 5 }
      )
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("x"))
      const steered = connection.steer?.("go on") ?? Effect.die("no steering")
      assert.strictEqual(yield* steered, "steered")
      yield* until("TurnEnded")
    })
  )
})
