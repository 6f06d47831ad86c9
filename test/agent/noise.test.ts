/** What an agent writes that is no message: it does not hide a message, and it is shown where the agent is silent. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as Acp from "../../src/agent/acp/driver.ts"
import { Agents } from "../../src/agent/Agents.ts"
import * as Codex from "../../src/agent/codex/driver.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { connect } from "./acp.agent.ts"
import { fixture } from "./child.ts"

type Script = Readonly<Record<string, ReadonlyArray<string>>>

const commandOf = (script: Script) => [process.execPath, fixture("scripted"), JSON.stringify(script)] as const

const env = { PATH: process.env["PATH"] ?? "", AGENT_TOKEN: "the-key-of-the-agent" }

/** Advances the test clock second by second until the effect is done, with real time for the kernel in between. */
const passing = <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const done = yield* Deferred.make<void>()
    const fiber = yield* Effect.forkChild(Effect.ensuring(work, Deferred.succeed(done, undefined)))
    // The agent needs real time to start before its deadline may pass.
    yield* TestClock.withLive(Effect.sleep("2 seconds"))
    while (!(yield* Deferred.isDone(done))) {
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
      yield* TestClock.adjust("1 second")
    }
    return yield* Fiber.join(fiber)
  })

const initialized = '{"jsonrpc":"2.0","id":$ID,"result":{"protocolVersion":1},"error":null}'
const title = "\u001b]0;agent\u0007"

describe("an agent with noise on its stdout", () => {
  it.live("a session and a turn are taken from lines with marks, batches, text ids and CR", () =>
    Effect.gen(function* () {
      const chunk = (text: string) => {
        const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text } }
        return JSON.stringify({
          jsonrpc: "2.0",
          id: null,
          method: "session/update",
          params: { sessionId: "s", update }
        })
      }
      const driver = yield* Acp.make({
        name: "noisy",
        env,
        command: commandOf({
          initialize: [`\ufeffLoading…${title}${initialized}\r\n`],
          "session/new": ['{"jsonrpc":"2.0","id":"$ID","result":{"sessionId":"s"}}\r'],
          "session/prompt": [
            `[${chunk("a")},${chunk("b")}]\n`,
            `${chunk("c")}${chunk("d")}\n`,
            `50%\r${title}{"jsonrpc":"2.0","id":$ID,"result":{"stopReason":"end_turn"}}\n`
          ]
        })
      })
      const session = yield* connect(driver)
      const end = yield* session.turn(1, "go")
      assert.strictEqual(end.stopReason, "end_turn")
      assert.strictEqual(session.text(1), "abcd")
      const processes = yield* Processes
      assert.deepInclude(yield* processes.vitals(session.lease), {
        malformedLines: 2,
        firstMalformedLine: `Loading…${initialized}`.replace("$ID", "0")
      })
    }).pipe(Effect.scoped, Effect.provide(Processes.layer))
  )

  it.live("a prompt fails where the agent can't read it and answers without an id", () =>
    Effect.gen(function* () {
      const driver = yield* Acp.make({
        name: "strict",
        env,
        command: commandOf({
          "session/prompt": ['{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}\n']
        })
      })
      const session = yield* connect(driver)
      const end = yield* session.turn(1, "go")
      assert.strictEqual(end.failure?.class, "protocol")
      assert.include(end.failure?.message ?? "", "Parse error")
    }).pipe(Effect.scoped, Effect.provide(Processes.layer))
  )

  it.effect.each([
    ["acp", Acp.make],
    ["codex", Codex.make]
  ] as const)("%s: a handshake that times out says which line was no message, without secrets", ([, make]) =>
    Effect.gen(function* () {
      const command = commandOf({ initialize: ["Log in first, your key is $AGENT_TOKEN\n", "then\n"] })
      const failed = yield* passing(Effect.flip(connect(yield* make({ name: "mute", env, command }))))
      assert.strictEqual(failed._tag === "AgentFailed" && failed.class, "timeout")
      assert.include(
        failed.message,
        ' It wrote 2 lines that are no message, the first: "Log in first, your key is [redacted]".'
      )
    }).pipe(Effect.scoped, Effect.provide(Processes.layer))
  )

  it.effect("a diagnosis says which line was no message, whether the agent answers or not, and shows no secret", () =>
    Effect.gen(function* () {
      const mute = { protocol: "acp", command: commandOf({ initialize: ["Log in first\n", "2>stuck"] }) } as const
      const noisy = { protocol: "acp", command: commandOf({ initialize: ["Hello\n", `${initialized}\n`] }) } as const
      const refused = '{"jsonrpc":"2.0","id":$ID,"error":{"code":-32000,"message":"bad key $OPAQUE"}}\n'
      const refusing = {
        protocol: "acp",
        command: commandOf({ "session/new": [refused] }),
        env: { OPAQUE: "opaque-value-of-the-agent" }
      } as const
      const layer = Agents.layer({ agents: { mute, noisy, refusing }, defaultAgent: null, dataDir: ":memory:" }, env)
      const agents = yield* Effect.provide(Agents, yield* Layer.build(layer))
      const [silent] = yield* passing(agents.diagnose("mute"))
      assert.deepStrictEqual(silent?.handshake, {
        ok: false,
        message:
          'mute did not answer initialize in time; it was started 45 s ago. It wrote a line that is no message: "Log in first". The last line of its stderr: stuck. If it needs longer, such as for a download, set "startTimeout" in its configuration; else start it by hand to see what it waits for.'
      })
      const [failing] = yield* TestClock.withLive(agents.diagnose("refusing"))
      assert.include(JSON.stringify(failing), "bad key [redacted]")
      assert.notInclude(JSON.stringify(failing), "opaque-value")
      const [answering] = yield* TestClock.withLive(agents.diagnose("noisy"))
      assert.deepInclude(answering?.handshake, { ok: true, malformedLines: 1, firstMalformedLine: "Hello" })
    }).pipe(Effect.scoped, Effect.provide(Processes.layer))
  )
})
