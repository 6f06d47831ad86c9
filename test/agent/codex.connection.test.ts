/** The codex driver over real stdio, against a process that plays traces and scripts. */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Processes } from "../../src/agent/Processes.ts"
import { isAlive } from "./child.ts"
import type { Script } from "./codex.agent.ts"
import {
  playing,
  scripted,
  on,
  reply,
  errorReply,
  say,
  note,
  hello,
  started,
  turning,
  turnEnds
} from "./codex.agent.ts"
import { textOf } from "./codex.replay.ts"
import { textPrompt } from "../../src/domain/Turn.ts"

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("the codex driver", (it) => {
  it.effect("a connection opens a thread, runs a prompt, emits the turn, and exits when asked", () =>
    Effect.gen(function* () {
      const { opening, facts, until, wire } = yield* playing("01-handshake-text", "deny", {
        model: "mock-model",
        systemPrompt: "Be brief."
      })
      const connection = yield* opening
      assert.strictEqual(connection.version, "0.169.0")
      assert.isNull(connection.contextLost)
      yield* connection.prompt(7, textPrompt("hello"))
      const end = yield* until("TurnEnded")
      assert.deepInclude(end, { turn: 7, stopReason: "end_turn", failure: null })
      assert.match(textOf(facts), /^echo: /)
      yield* connection.askToExit
      assert.deepStrictEqual(yield* until("Exited"), { _tag: "Exited", code: 0, signal: null, stderr: "" })
      assert.strictEqual(facts.at(-1)?._tag, "Exited")

      const lines = yield* wire
      const [initialize, start, turn] = ["initialize", "thread/start", "turn/start"].map((method) =>
        lines.find((line) => line.method === method)
      )
      assert.deepInclude(initialize?.params?.["clientInfo"], { name: "troupe" })
      assert.deepInclude(initialize?.params?.["capabilities"], { experimentalApi: true })
      assert.deepInclude(start?.params, {
        cwd: import.meta.dirname,
        model: "mock-model",
        developerInstructions: "Be brief."
      })
      assert.deepStrictEqual(turn?.params?.["input"], [{ type: "text", text: "hello" }])
    })
  )

  it.effect("a turn gets its id from turn/started where the reply comes later", () =>
    Effect.gen(function* () {
      const { opening, until } = yield* scripted([
        ...started,
        on(3, "turn/start"),
        say("turn/started", { turn: { id: "U" } }),
        reply(3, { turn: { id: "U" } }),
        turnEnds("completed")
      ])
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("x"))
      assert.deepInclude(yield* until("TurnStarted"), { turn: 1, agentTurnId: "U" })
      assert.deepInclude(yield* until("TurnEnded"), { turn: 1 })
    })
  )

  it.effect("the next prompt is accepted as soon as the end of the last turn is emitted", () =>
    Effect.gen(function* () {
      const again: Script = [
        on(4, "turn/start"),
        reply(4, { turn: { id: "V" } }),
        say("turn/completed", { turn: { id: "V", status: "completed" } })
      ]
      const { opening, until } = yield* scripted([...turning, turnEnds("completed"), ...again])
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("x"))
      yield* until("TurnEnded")
      yield* connection.prompt(2, textPrompt("y"))
      assert.deepInclude(yield* until("TurnEnded", 1), { turn: 2 })
    })
  )

  it.effect("a prompt during a turn is a defect of its caller", () =>
    Effect.gen(function* () {
      const { opening } = yield* scripted(turning)
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("x"))
      const exit = yield* Effect.exit(connection.prompt(2, textPrompt("y")))
      assert.include(JSON.stringify(exit), "Die")
    })
  )

  it.effect("a prompt that codex refuses fails, and the next one is accepted", () =>
    Effect.gen(function* () {
      const { opening, until } = yield* scripted([
        ...started,
        on(3, "turn/start"),
        errorReply(3, -32602, "input_too_large"),
        on(4, "turn/start"),
        reply(4, { turn: { id: "U" } }),
        turnEnds("completed")
      ])
      const connection = yield* opening
      const error = yield* Effect.flip(connection.prompt(1, textPrompt("x")))
      assert.strictEqual(error.class, "config")
      assert.include(error.message, "1,048,576 characters")
      yield* connection.prompt(2, textPrompt("y"))
      assert.deepInclude(yield* until("TurnEnded"), { turn: 2 })
    })
  )

  it.effect("Exited is emitted once, last, and the turn that ran gets no end", () =>
    Effect.gen(function* () {
      const { opening, facts, until } = yield* scripted([...turning, note({ __event: "die" })])
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("x"))
      assert.deepInclude(yield* until("Exited"), { code: null, signal: "SIGKILL" })
      assert.deepStrictEqual(
        facts.map((fact) => fact._tag),
        ["TurnStarted", "Exited"]
      )
      const error = yield* Effect.flip(connection.prompt(2, textPrompt("y")))
      assert.strictEqual(error.class, "crash")
    })
  )

  it.effect("a thread is resumed with the same settings and without its history", () =>
    Effect.gen(function* () {
      const { opening, wire } = yield* scripted(
        [...hello, on(2, "thread/resume"), reply(2, { thread: { id: "T" } })],
        "deny",
        { thread: "T" }
      )
      const connection = yield* opening
      assert.deepInclude(connection, { thread: "T", contextLost: null })
      // Codex is asked for its models, too, whenever that is.
      assert.deepInclude((yield* wire).find(({ method }) => method === "thread/resume")?.params, {
        threadId: "T",
        excludeTurns: true,
        approvalPolicy: "never"
      })
    })
  )

  it.effect("a new thread is started where the old one is gone, and the context is lost", () =>
    Effect.gen(function* () {
      const { opening } = yield* scripted(
        [
          ...hello,
          on(2, "thread/resume"),
          errorReply(2, -32600, "no rollout found for thread id X"),
          on(3, "thread/start"),
          reply(3, { thread: { id: "T" } })
        ],
        "deny",
        { thread: "X" }
      )
      assert.deepInclude(yield* opening, { thread: "T", contextLost: "no rollout found for thread id X" })
    })
  )

  it.effect("a resume waits for the thread's last holder for a limited time", () =>
    Effect.gen(function* () {
      const busy = (id: number): Script => [
        on(id, "thread/resume"),
        errorReply(id, -32600, "thread T already has an active writer")
      ]
      const patient = yield* scripted(
        [...hello, ...busy(2), ...busy(3), on(4, "thread/resume"), reply(4, { thread: { id: "T" } })],
        "deny",
        { thread: "T" }
      )
      assert.deepInclude(yield* patient.opening, { thread: "T", contextLost: null })
      const impatient = yield* scripted([...hello, ...[2, 3, 4, 5, 6, 7, 8, 9].flatMap(busy)], "deny", { thread: "T" })
      const error = yield* Effect.flip(impatient.opening)
      assert.include(error.message, "Another process still has this codex thread open")
    })
  )

  it.effect("an open fails with codex's last words where codex exits before it is ready", () =>
    Effect.gen(function* () {
      const { opening } = yield* scripted([
        on(1, "initialize"),
        note({ __event: "exit", code: 1, stderr: 'CODEX_HOME points to "/nowhere", but that path does not exist\n' })
      ])
      const error = yield* Effect.flip(opening)
      assert.strictEqual(error.class, "config")
      assert.include(error.message, "CODEX_HOME points to")
      assert.include(error.stderr, "CODEX_HOME points to")
    })
  )

  it.effect("an open fails with codex's words where codex refuses the thread", () =>
    Effect.gen(function* () {
      const { opening } = yield* scripted([
        ...hello,
        on(2, "thread/start"),
        errorReply(2, -32600, "unknown model provider")
      ])
      const error = yield* Effect.flip(opening)
      assert.deepInclude(error, { class: "config", message: "Codex refused thread/start: unknown model provider" })
    })
  )

  it.effect("no process is left when the connection's scope is closed", () =>
    Effect.gen(function* () {
      const { opening } = yield* scripted(turning)
      const pid = yield* Effect.scoped(Effect.map(opening, (connection) => connection.pid))
      assert.isNotNull(pid)
      assert.isFalse(isAlive(pid ?? 0))
    })
  )
})
