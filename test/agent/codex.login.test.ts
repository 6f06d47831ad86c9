/** A codex whose login another process has renewed is replaced once, before a person is asked. */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Processes } from "../../src/agent/Processes.ts"
import type { Script } from "./codex.agent.ts"
import { connect, errorReply, hello, on, reply, say, turnEnds, turning, wait } from "./codex.agent.ts"
import { ends, metaOf, textOf, updates } from "./codex.replay.ts"
import { textPrompt } from "../../src/domain/Turn.ts"

/** Codex's own words. */
const message =
  "Your access token could not be refreshed because your refresh token was already used. Please log out and sign in again."
const refused = say("turn/completed", {
  turn: { id: "U", status: "failed", error: { message, codexErrorInfo: "unauthorized" } }
})
const says = (text: string) =>
  say("item/completed", { turnId: "U", item: { type: "agentMessage", id: "m", text, phase: null } })

const resumed: Script = [...hello, on(2, "thread/resume"), reply(2, { thread: { id: "T" } })]
const prompted: Script = [
  on(3, "turn/start"),
  reply(3, { turn: { id: "U" } }),
  say("turn/started", { turn: { id: "U" } })
]
const fresh: Script = [...resumed, ...prompted]

const playing = (...scripts: ReadonlyArray<Script>) =>
  connect({ SCRIPTS: JSON.stringify(scripts) }, "deny", {}, { freshLoginMillis: 1 })

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("a renewed login", (it) => {
  it.effect("the turn is handed to a fresh process, which resumes the thread, and ends as that one ends it", () =>
    Effect.gen(function* () {
      const { facts, opening, until, wire } = yield* playing(
        [...turning, refused],
        [...fresh, says("hello"), turnEnds("completed")]
      )
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("hi"))
      assert.deepInclude(yield* until("TurnEnded"), { turn: 1, stopReason: "end_turn", failure: null })
      assert.strictEqual(textOf(facts), "hello")
      const retries = updates(facts).flatMap((fact) => metaOf(fact)["troupe/retry"] ?? [])
      assert.strictEqual(retries.length, 1)
      assert.include(JSON.stringify(retries), "refresh token was already used")
      const lines = yield* wire
      assert.deepInclude(lines.find(({ method }) => method === "thread/resume")?.params, { threadId: "T" })
      assert.strictEqual(lines.filter(({ method }) => method === "turn/start").length, 2)
      assert.isUndefined(facts.find((fact) => fact._tag === "Exited"))
      yield* connection.askToExit
      yield* until("Exited")
    })
  )

  it.effect("a fresh process that is refused, too, means that somebody has to log in", () =>
    Effect.gen(function* () {
      const { facts, opening, until } = yield* playing([...turning, refused], [...fresh, refused])
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("hi"))
      const { failure } = yield* until("TurnEnded")
      assert.strictEqual(failure?.class, "auth")
      assert.match(failure?.message ?? "", /codex login/)
      assert.strictEqual(ends(facts).length, 1)
    })
  )

  it.effect("a turn in which codex did some work is not handed over again", () =>
    Effect.gen(function* () {
      const { opening, until, wire } = yield* playing([...turning, says("Deleting."), refused])
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("hi"))
      assert.strictEqual((yield* until("TurnEnded")).failure?.class, "auth")
      assert.strictEqual((yield* wire).filter(({ method }) => method === "initialize").length, 1)
    })
  )

  it.effect(
    "where the fresh process can't be started, the turn fails with the login's failure, and the connection ends",
    () =>
      Effect.gen(function* () {
        const { facts, opening, until } = yield* playing(
          [...turning, refused],
          [...hello, on(2, "thread/resume"), errorReply(2, -32603, "Too many open files (os error 24)")]
        )
        const connection = yield* opening
        yield* connection.prompt(1, textPrompt("hi"))
        yield* until("Exited")
        assert.deepStrictEqual(
          ends(facts).map(({ failure }) => failure?.class),
          ["auth"]
        )
      })
  )

  it.effect("an interrupt meanwhile ends the turn as cancelled, without a second prompt", () =>
    Effect.gen(function* () {
      const slow: Script = [...hello, on(2, "thread/resume"), wait(500), reply(2, { thread: { id: "T" } })]
      const { facts, opening, until, wire } = yield* playing([...turning, refused], [...slow, ...prompted])
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("hi"))
      yield* until("Update")
      yield* connection.interrupt
      assert.deepInclude(yield* until("TurnEnded"), { turn: 1, stopReason: "cancelled", failure: null })
      assert.strictEqual(ends(facts).length, 1)
      assert.strictEqual((yield* wire).filter(({ method }) => method === "turn/start").length, 1)
    })
  )
})
