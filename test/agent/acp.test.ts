/** The ACP driver over real stdio: against recorded traces of real agents, and against the demo agent's misbehaviour. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Processes } from "../../src/agent/Processes.ts"
import { demo, replayed } from "./acp.agent.ts"
import { linesOf } from "./acp.replay.ts"
import { isAlive } from "./child.ts"
import { textPrompt } from "../../src/domain/Turn.ts"

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
      "the driver emits unknown kinds of updates, marks those of other sessions, and answers every request of the agent",
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
            { action: "decline" },
            { outcome: { outcome: "selected", optionId: "y" } }
          ])
          assert.deepStrictEqual(
            session.approvalRequests.map(({ title, turn }) => [turn, title]),
            [[1, "other (sub-agent another)"]]
          )
          assert.deepInclude((yield* session.updateOfKind("_troupe/subagent_update")).message.params.update, {
            sessionId: "another",
            update: { sessionUpdate: "agent_message_chunk" }
          })
          assert.strictEqual(session.text(1), "echo: hello there")
        })
    )

    it.effect.each([
      ["claude-perm-allow_once", "once", "allow-once"],
      ["codex-perm-allow_once", "once", "allow_once"],
      ["claude-perm-reject_once", "deny", "reject"],
      ["codex-perm-reject_once", "deny", "cancel"],
      ["codex-perm-allow_always", "session", "allow_once"],
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

  describe("deaths", () => {
    it.effect("an agent that dies during a turn emits its exit, and no end of the turn", () =>
      Effect.gen(function* () {
        const session = yield* demo()
        yield* session.connection.prompt(1, textPrompt("crash 7"))
        const exited = yield* session.exited
        assert.deepInclude(exited, { code: 7, signal: null })
        assert.strictEqual(session.count("TurnEnded"), 0)
        const error = yield* Effect.flip(session.connection.prompt(2, textPrompt("hello")))
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
        yield* session.connection.prompt(1, textPrompt("hang hard"))
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

it("the recorded traces contain no path of the machine that recorded them", () => {
  for (const trace of ["claude-basic", "codex-basic"])
    assert.notMatch(JSON.stringify(linesOf(trace)), /\/root\/|\/work\//)
})
