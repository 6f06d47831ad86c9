/** The ACP driver over real stdio: against recorded traces of real agents, and against the demo agent's misbehaviour. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Processes } from "../../src/agent/Processes.ts"
import { demo, replayed } from "./acp.agent.ts"
import { linesOf } from "./acp.replay.ts"
import { isAlive } from "./child.ts"

const recordedUpdates = (trace: string) =>
  linesOf(trace).flatMap(({ dir, msg }) => {
    const { method, params } = msg as { readonly method?: string; readonly params?: { readonly update: unknown } }
    return dir === "in" && method === "session/update" ? [params?.update] : []
  })

layer(Processes.layer, { excludeTestServices: true })("the ACP driver", (it) => {
  describe("turns", () => {
    it.effect.each(["claude-basic", "codex-basic"])(
      "%s: every update is emitted unchanged, and each turn has one end",
      (trace) =>
        Effect.gen(function* () {
          const session = yield* replayed(trace)
          const first = yield* session.turn(1, "hello there")
          const second = yield* session.turn(2, "and now a tool")
          assert.deepStrictEqual([first.stopReason, second.stopReason], ["end_turn", "end_turn"])
          assert.deepStrictEqual(
            session.facts.flatMap((fact) => (fact._tag === "Update" ? [fact.message.params.update] : [])),
            recordedUpdates(trace)
          )
          assert.isAbove(second.usage?.totalTokens ?? 0, first.usage?.totalTokens ?? 0)
          yield* session.connection.askToExit
          const { code, signal } = yield* session.exited
          assert.deepStrictEqual({ code, signal }, { code: 0, signal: null })
          assert.strictEqual(session.facts.at(-1)?._tag, "Exited")
          assert.strictEqual(session.count("Exited"), 1)
          assert.deepStrictEqual(session.pids, [session.connection.pid])
        })
    )

    it.effect(
      "the driver emits unknown kinds of updates, drops those of other sessions, and answers every request of the agent",
      () =>
        Effect.gen(function* () {
          const session = yield* replayed("claude-basic", {}, "probe")
          yield* session.turn(1, "hello")
          const future = yield* session.updateOfKind("from_the_future")
          const answers = yield* session.updateOfKind("replay_answers")
          assert.deepStrictEqual([future.turn, future.message.params.update["n"]], [1, 1])
          const unknown = (method: string) => ({
            code: -32601,
            message: `"Method not found": ${method}`,
            data: { method }
          })
          assert.sameDeepMembers(answers.message.params.update["answers"] as Array<unknown>, [
            unknown("fs/read_text_file"),
            unknown("terminal/create"),
            unknown("elicitation/create"),
            { outcome: { outcome: "cancelled" } }
          ])
          assert.deepStrictEqual(session.approvalRequests, [])
          assert.strictEqual(session.text(1), "echo: hello there")
        })
    )

    it.effect.each([
      ["claude-perm-allow_once", "once", "allow-once"],
      ["codex-perm-allow_once", "once", "allow_once"],
      ["claude-perm-reject_once", "deny", "reject"],
      ["codex-perm-reject_once", "deny", "cancel"],
      ["codex-perm-allow_always", "session", "accept_execpolicy_amendment"],
      ["claude-perm-allow_once", "session", "allow-once"]
    ] as const)(
      "%s: a permission request is passed on, and the decision %s is answered with the option %s",
      ([trace, decision, optionId]) =>
        Effect.gen(function* () {
          const requests: Array<readonly [number | null, string, string]> = []
          const session = yield* replayed(trace, {
            approve: ({ kind, title, turn }) =>
              Effect.sync(() => void requests.push([turn, kind, title])).pipe(Effect.as(decision))
          })
          const end = yield* session.turn(1, "do it")
          const answers = yield* session.updateOfKind("replay_answers")
          assert.deepStrictEqual(answers.message.params.update["answers"], [
            { outcome: { outcome: "selected", optionId } }
          ])
          assert.strictEqual(end.stopReason, "end_turn")
          assert.isNull(end.failure)
          assert.strictEqual(requests.length, 1)
          assert.deepStrictEqual(requests[0]?.slice(0, 2), [1, "execute"])
        })
    )
  })

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

    it.effect("the handshake requests version 1 exactly, notices and typed failures", () =>
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
          _meta: {
            terminal_output_delta: true,
            jetbrains: { air: { version: 1, capabilities: ["sessionFailure"] } }
          }
        })
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
        assert.match(stderr, /session\/set_mode .*"modeId":"workspace-write"/)
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

  describe("deaths", () => {
    it.effect("an agent that dies during a turn emits its exit, and no end of the turn", () =>
      Effect.gen(function* () {
        const session = yield* demo()
        yield* session.connection.prompt(1, "crash 7")
        const exited = yield* session.exited
        assert.deepInclude(exited, { code: 7, signal: null })
        assert.strictEqual(session.count("TurnEnded"), 0)
        const error = yield* Effect.flip(session.connection.prompt(2, "hello"))
        assert.strictEqual(error.class, "crash")
        assert.strictEqual(session.count("Exited"), 1)
      })
    )

    it.effect("the exit of an agent names the signal that ended it", () =>
      Effect.gen(function* () {
        const session = yield* demo()
        process.kill(session.connection.pid ?? 0, "SIGKILL")
        assert.deepInclude(yield* session.exited, { code: null, signal: "SIGKILL" })
      })
    )

    it.effect("no process is left when the scope closes over an agent that ignores everything", () =>
      Effect.gen(function* () {
        const session = yield* demo()
        yield* session.connection.prompt(1, "hang hard")
        yield* session.connection.askToExit
        const { pid } = session.connection
        assert.isTrue(isAlive(pid ?? 0))
        const processes = yield* Processes
        yield* processes.signal(session.lease, "SIGKILL")
        yield* session.leave
        assert.strictEqual(yield* processes.sweep(session.lease), 0)
        assert.isFalse(isAlive(pid ?? 0))
      })
    )

    it.effect.each([
      ["auth", "auth", /is not logged in/],
      ["crash", "crash", /ended with exit code \d+ before it answered initialize/]
    ] as const)("a failed start names its reason: %s", ([start, kind, message]) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(demo({}, { TROUPE_DEMO_START: start }))
        assert.strictEqual(error.class, kind)
        assert.match(error.message, message)
      })
    )

    it.effect.each(["auth", "quota", "model"] as const)("a failed turn has its class: %s", (kind) =>
      Effect.gen(function* () {
        const session = yield* demo()
        const end = yield* session.turn(1, `fail ${kind}`)
        assert.deepStrictEqual([end.stopReason, end.failure?.class], ["error", kind])
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

it("the recorded traces contain no path of the machine that recorded them", () => {
  for (const trace of ["claude-basic", "codex-basic"])
    assert.notMatch(JSON.stringify(linesOf(trace)), /\/root\/|\/work\//)
})
