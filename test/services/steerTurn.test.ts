/** Steering a turn, compacting a session, and the messages of its conversation. */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Sessions } from "../../src/services/Sessions.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { AgentScript } from "./AgentScript.ts"
import { app, commandsOf, ours, retire, theirs, untilRunning, untilState, withRuntime } from "./harness.ts"

const refusedWith = <A, E extends { readonly code: string; readonly status: number }, R>(
  effect: Effect.Effect<A, E, R>
) => Effect.map(Effect.flip(effect), ({ code, status }) => [status, code])

const closing = (id: SessionId) =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    yield* Effect.forkChild(sessions.close(ours, id))
    yield* retire(id, "closed")
  })

it.effect("a running turn is steered: the text is among its messages, and the audit trail names the caller", () =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const { id } = yield* sessions.create(app, {})
    const { result } = yield* sessions.submit(ours, id, { prompt: "hang" })
    yield* untilRunning(id)
    yield* sessions.steer(ours, id, "be quick")
    const { messages } = yield* sessions.turn(ours, id, 1)
    assert.deepStrictEqual(messages, [
      { role: "user", content: "hang" },
      { role: "user", content: "be quick" }
    ])
    const trail = (yield* sessions.audit(id)).filter(({ action }) => action === "steer")
    assert.deepStrictEqual(
      trail.map(({ actor, detail }) => ({ actor, detail })),
      [{ actor: "ours", detail: { turn: 1, characters: 8, outcome: "steered" } }]
    )
    const ended = yield* Effect.forkChild(result)
    yield* sessions.interrupt(ours, id)
    assert.strictEqual((yield* Fiber.join(ended)).turn.status, "interrupted")
  }).pipe(withRuntime())
)

it.effect("steering is refused with a reason of its own for each session that can't be steered", () =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const { id } = yield* sessions.create(app, {})
    assert.deepStrictEqual(yield* refusedWith(sessions.steer(ours, id, "x")), [409, "no_turn"])
    assert.deepStrictEqual(yield* refusedWith(sessions.steer(theirs, id, "x")), [404, "session_not_found"])
    yield* sessions.submit(ours, id, { prompt: "hang" })
    yield* untilRunning(id)
    assert.deepStrictEqual(yield* refusedWith(sessions.steer(ours, id, "  ")), [400, "invalid_request"])
    const script = yield* AgentScript
    script.isUnresponsive = true
    assert.deepStrictEqual(yield* refusedWith(sessions.steer(ours, id, "x")), [422, "not_supported"])
    script.isUnresponsive = false
    yield* sessions.interrupt(ours, id)
    yield* untilState(id, "idle.awake")
    yield* closing(id)
    assert.deepStrictEqual(yield* refusedWith(sessions.steer(ours, id, "x")), [410, "session_closed"])
  }).pipe(withRuntime())
)

it.effect("a compaction is a turn of its own and no message of the conversation", () =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const { id } = yield* sessions.create(app, {})
    const first = yield* sessions.submit(ours, id, { prompt: "hello" })
    yield* untilState(id, "idle.awake")
    assert.isFalse((yield* first.result).compacted)
    const compaction = yield* sessions.compact(ours, id)
    yield* untilState(id, "idle.awake")
    const { compacted, context, handed, messages, turn } = yield* compaction.result
    assert.containSubset(turn, { kind: "compact", status: "completed", index: 2, prompt: "" })
    assert.deepStrictEqual(
      { compacted, context, handed },
      { compacted: true, context: { used: 7, size: 1_000 }, handed: true }
    )
    assert.deepStrictEqual(messages, [])
    assert.deepStrictEqual((yield* sessions.messages(ours, id, { after: 0, limit: 50 })).messages.length, 2)
    assert.strictEqual((yield* commandsOf(id)).filter((type) => type === "handPrompt").length, 2)
  }).pipe(withRuntime())
)

it.effect("a compaction is refused during a turn, and by an agent that can't compact", () =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const { id } = yield* sessions.create(app, {})
    yield* sessions.submit(ours, id, { prompt: "hang" })
    yield* untilRunning(id)
    assert.deepStrictEqual(yield* refusedWith(sessions.compact(ours, id)), [409, "turn_in_progress"])
    yield* sessions.interrupt(ours, id)
    const plain = yield* sessions.create(app, { agent: "plain" })
    assert.deepStrictEqual(yield* refusedWith(sessions.compact(ours, plain.id)), [422, "not_supported"])
  }).pipe(withRuntime())
)

it.effect("the messages of a conversation come in pages of whole turns, without a queued turn", () =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const { id } = yield* sessions.create(app, {})
    for (const prompt of ["one", "two"]) {
      yield* sessions.submit(ours, id, { prompt })
      yield* untilState(id, "idle.awake")
    }
    yield* sessions.submit(ours, id, { prompt: "hang" })
    yield* untilRunning(id)
    const waiting = yield* sessions.submit(ours, id, { prompt: "later", queue: true })
    const contents = (messages: ReadonlyArray<{ readonly content: string | null }>) =>
      messages.map(({ content }) => content)
    const page = yield* sessions.messages(ours, id, { after: 0, limit: 2 })
    assert.deepStrictEqual(contents(page.messages), ["one", "you said: one", "two", "you said: two"])
    assert.strictEqual(page.next, 2)
    const rest = yield* sessions.messages(ours, id, { after: 2, limit: 2 })
    assert.deepStrictEqual([contents(rest.messages), rest.next], [["hang"], null])
    const before = yield* sessions.messages(ours, id, { after: 0, limit: 50, before: 2 })
    assert.deepStrictEqual([contents(before.messages), before.next], [["one", "you said: one"], null])
    assert.deepStrictEqual(yield* refusedWith(sessions.messages(theirs, id, { after: 0, limit: 1 })), [
      404,
      "session_not_found"
    ])
    yield* closing(id)
    assert.strictEqual((yield* waiting.result).handed, false)
    assert.strictEqual((yield* sessions.turn(ours, id, 3)).handed, true)
  }).pipe(withRuntime())
)
