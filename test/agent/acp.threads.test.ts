/** How the ACP driver opens, resumes and loads an agent's session, and what it passes with it. */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Processes } from "../../src/agent/Processes.ts"
import { demo, replayed } from "./acp.agent.ts"
import { linesOf } from "./acp.replay.ts"

layer(Processes.layer, { excludeTestServices: true })("the ACP driver", (it) => {
  describe("threads", () => {
    it.effect("the updates that a load plays back are not emitted", () =>
      Effect.gen(function* () {
        const session = yield* replayed("claude-load", { thread: threadOf("claude-load") }, "no-resume")
        const kinds = session.facts.map((fact) =>
          fact._tag === "Update" ? fact.message.params.update.sessionUpdate : ""
        )
        assert.notInclude(kinds, "user_message_chunk")
        assert.isNull(session.connection.contextLost)
        assert.strictEqual((yield* session.turn(1, "RECALL")).stopReason, "end_turn")
        assert.isAbove(session.text(1).length, 0)
      })
    )

    it.effect("the handshake requests version 1 exactly, and notices", () =>
      Effect.gen(function* () {
        const session = yield* replayed("claude-basic")
        yield* session.connection.askToExit
        const [hello = ""] = (yield* session.exited).stderr.split("\n")
        const { clientCapabilities, protocolVersion } = JSON.parse(hello.replace(/^initialize /, "")) as {
          readonly protocolVersion: unknown
          readonly clientCapabilities: Readonly<Record<string, unknown>>
        }
        assert.strictEqual(protocolVersion, 1)
        assert.containSubset(clientCapabilities, {
          fs: { readTextFile: false, writeTextFile: false },
          terminal: false,
          session: { notices: {} },
          _meta: { terminal_output_delta: true }
        })
        // To a client that announces this, both adapters send no output of tools and not all of their input.
        assert.notProperty(clientCapabilities["_meta"], "jetbrains")
      })
    )

    it.effect("an agent that only speaks another version is refused", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(replayed("claude-basic", {}, "speak-2"))
        assert.strictEqual(error.class, "protocol")
        assert.match(error.message, /speaks version 2.*Troupe speaks version 1/)
      })
    )

    it.effect("a resumed session gets its mode and its instructions again", () =>
      Effect.gen(function* () {
        const thread = threadOf("codex-resume-mid")
        const session = yield* replayed("codex-resume-mid", { thread, systemPrompt: "Be kind." })
        assert.strictEqual(session.connection.thread, thread)
        yield* session.connection.askToExit
        const { stderr } = yield* session.exited
        assert.match(
          stderr,
          /session\/resume .*"systemPrompt":{"mode":"append","content":\[{"type":"text","text":"Be kind."}\]}/
        )
        assert.match(stderr, /session\/set_mode .*"modeId":"read-only"/)
      })
    )

    it.effect("a model of the agent is set, and an unknown one is refused with a list of the models", () =>
      Effect.gen(function* () {
        const session = yield* replayed("codex-basic", { model: "gpt-6-sol" })
        yield* session.connection.askToExit
        assert.match(
          (yield* session.exited).stderr,
          /session\/set_config_option .*"configId":"model","value":"gpt-6-sol"/
        )
        const error = yield* Effect.flip(replayed("codex-basic", { model: "gpt-0" }))
        assert.strictEqual(error.class, "config")
        assert.match(error.message, /does not know the model gpt-0. It takes: .*gpt-6-sol/)
      })
    )

    it.effect("the context is lost where the agent does not know the thread", () =>
      Effect.gen(function* () {
        const session = yield* demo({ thread: "00000000-0000-4000-8000-000000000000" })
        assert.match(session.connection.contextLost ?? "", /does not know the conversation 00000000/)
        assert.notStrictEqual(session.connection.thread, "00000000-0000-4000-8000-000000000000")
        assert.strictEqual((yield* session.turn(1, "hello")).stopReason, "end_turn")
      })
    )

    it.effect("a prompt is handed over once more where the agent lost the session between turns", () =>
      Effect.gen(function* () {
        const session = yield* replayed("claude-kill-native")
        const ends = []
        for (let turn = 1; turn <= 3; turn++) {
          const end = yield* session.turn(turn, `turn ${turn}`)
          ends.push(end.failure?.class ?? end.stopReason)
        }
        assert.include(ends, "crash")
        assert.strictEqual(ends.at(-1), "end_turn")
        assert.strictEqual(session.count("TurnEnded"), 3)
      })
    )

    it.effect("instructions precede the first prompt of an agent without a place for them", () =>
      Effect.gen(function* () {
        const session = yield* replayed("claude-basic", { systemPrompt: "Be kind." }, "no-systemPrompt")
        yield* session.turn(1, "hello")
        yield* session.turn(2, "again")
        yield* session.connection.askToExit
        const prompts = (yield* session.exited).stderr.split("\n").filter((line) => line.startsWith("session/prompt"))
        assert.deepStrictEqual(
          prompts.map((line) => line.slice(line.indexOf('"prompt":'))),
          [
            '"prompt":[{"type":"text","text":"Be kind."},{"type":"text","text":"hello"}]}',
            '"prompt":[{"type":"text","text":"again"}]}'
          ]
        )
      })
    )
  })
})

const threadOf = (trace: string): string => {
  for (const { msg } of linesOf(trace)) {
    const { method, params } = msg as { readonly method?: string; readonly params?: { readonly sessionId?: string } }
    if ((method === "session/load" || method === "session/resume") && params?.sessionId !== undefined)
      return params.sessionId
  }
  throw new Error(`${trace} takes up no thread`)
}
