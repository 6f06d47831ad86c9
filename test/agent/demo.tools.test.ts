/** The demo agent's directives that request a permission or run a command do what its table says. */
import { assert, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, Stream } from "effect"
import { Processes } from "../../src/agent/Processes.ts"
import { isAlive } from "./child.ts"
import { open, until } from "./demo.ts"
import type { Options } from "./demo.ts"

const choosing =
  (optionId: string): NonNullable<Options["decide"]> =>
  () =>
    Effect.succeed({ outcome: { outcome: "selected", optionId } })

layer(Processes.layer, { excludeTestServices: true })("a directive of the demo agent", (it) => {
  it.effect("ask: a permission is requested, and the answer says what was decided", () =>
    Effect.gen(function* () {
      const requests: Array<Readonly<Record<string, unknown>>> = []
      const answers = [
        { outcome: { outcome: "selected", optionId: "reject-once" } },
        { outcome: { outcome: "cancelled" } },
        { outcome: { outcome: "selected", optionId: "made up" } },
        {},
        { outcome: { outcome: "selected", optionId: "allow-once" } },
        { outcome: { outcome: "selected", optionId: "allow-always" } }
      ]
      const agent = yield* open({ decide: (params) => Effect.sync(() => answers[requests.push(params) - 1]) })
      const answerTo = (text: string) => Effect.map(agent.say(text), (turn) => turn.text)
      assert.strictEqual(yield* answerTo("ask read"), "The client said: reject-once")
      assert.strictEqual(yield* answerTo("ask"), "The client said: cancelled")
      assert.strictEqual(yield* answerTo("ask"), "The client said: nothing that was offered")
      assert.strictEqual(yield* answerTo("ask"), "The client said: nothing that was offered")
      assert.strictEqual(yield* answerTo("ask edit"), "The client said: allow-once")
      assert.strictEqual(yield* answerTo("ask edit"), "The client said: allow-always")
      assert.strictEqual(yield* answerTo("ask edit"), "The client said: allow-always, as before")
      assert.deepStrictEqual(
        requests.map(({ toolCall }) => (toolCall as { readonly kind: string }).kind),
        ["read", "execute", "execute", "execute", "edit", "edit"]
      )
    })
  )

  it.effect("ask: a cancel withdraws the permission request", () =>
    Effect.gen(function* () {
      const requests = yield* Deferred.make<void>()
      const agent = yield* open({ decide: () => Effect.andThen(Deferred.succeed(requests, undefined), Effect.never) })
      const turn = yield* Effect.forkChild(agent.prompt("ask"))
      yield* Deferred.await(requests)
      yield* agent.cancel
      assert.strictEqual((yield* Fiber.join(turn)).stopReason, "cancelled")
      const methods = (yield* Stream.fromQueue(agent.notifications).pipe(Stream.take(2), Stream.runCollect)).map(
        ({ method, params }) => [method, params["requestId"]]
      )
      assert.deepStrictEqual(methods, [
        ["session/update", undefined],
        ["$/cancel_request", 0]
      ])
    })
  )

  it.effect("tool: a command runs as a tool call, with its output and its end", () =>
    Effect.gen(function* () {
      const agent = yield* open()
      const good = yield* agent.say("tool printf 'hi\\n'; printf err >&2")
      assert.deepStrictEqual(
        [good.updates[0], good.updates.at(-2)].map((update) => [update?.sessionUpdate, update?.["status"]]),
        [
          ["tool_call", "pending"],
          ["tool_call_update", "completed"]
        ]
      )
      assert.include(good.text, "hi\n")
      const bad = yield* agent.say("tool exit 3")
      assert.deepInclude(bad.updates.at(-2), {
        status: "failed",
        _meta: { terminal_exit: { exit_code: 3, signal: null } }
      })
      assert.strictEqual(bad.text, "The command ended with 3:\n")
      assert.isAtMost((yield* agent.say("tool head -c 300000 /dev/zero | tr '\\0' x")).text.length, 70_000)
    })
  )

  it.effect("tool: a cancel ends the command, and so does the agent's exit", () =>
    Effect.gen(function* () {
      const agent = yield* open()
      const begun = Effect.fnUntraced(function* () {
        const turn = yield* Effect.forkChild(agent.prompt("tool echo $$; exec sleep 300"))
        let pid = 0
        yield* until(agent.nextUpdate, ({ content }) => {
          pid = Number((content as unknown as ReadonlyArray<{ content: { text: string } }>)?.[0]?.content.text)
          return pid > 0
        })
        return { pid, turn }
      })
      const first = yield* begun()
      assert.isTrue(isAlive(first.pid))
      yield* agent.cancel
      assert.strictEqual((yield* Fiber.join(first.turn)).stopReason, "cancelled")
      assert.isFalse(isAlive(first.pid))

      yield* agent.updates
      const second = yield* begun()
      yield* agent.child.end
      assert.deepStrictEqual(yield* agent.child.exit, { code: 0, signal: null })
      yield* Effect.exit(Fiber.join(second.turn))
      yield* untilGone(second.pid)
    })
  )

  it.effect("tool: the mode `ask` requests permission first", () =>
    Effect.gen(function* () {
      const agent = yield* open({ decide: choosing("reject-once") })
      yield* agent.request("session/set_mode", { sessionId: agent.sessionId, modeId: "ask" })
      const { text, updates } = yield* agent.say("tool echo hi")
      assert.strictEqual(text, "The command was not run: the client said reject-once.")
      assert.strictEqual(updates[0]?.sessionUpdate, "current_mode_update")
      assert.strictEqual(updates.at(-2)?.["status"], "failed")
    })
  )

  it.effect("ask-tool: permission is requested first in any mode", () =>
    Effect.gen(function* () {
      const agent = yield* open({ decide: choosing("reject-once") })
      const { text } = yield* agent.say("ask-tool echo hi")
      assert.strictEqual(text, "The command was not run: the client said reject-once.")
      const allowed = yield* open({ decide: choosing("allow-once") })
      assert.strictEqual((yield* allowed.say("ask-tool echo hi")).text, "The command printed:\nhi\n")
    })
  )
})

/** Waits in real time for the kernel to end a killed process. */
const untilGone = (pid: number) =>
  Effect.repeat(Effect.yieldNow, { while: () => isAlive(pid) }).pipe(Effect.timeout("5 seconds"))
