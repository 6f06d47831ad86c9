/** The outcomes of turns that a real process of a scripted codex does not end, as an app sees them over HTTP. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { openHttp } from "../surface/http.ts"
import { actingCodex, call } from "./actingCodex.ts"

describe("an answer whose turn never ends", () => {
  it.live("is a result of 200 that says so, and the next turn runs in a new process", () =>
    Effect.gen(function* () {
      const { codex, requests } = yield* actingCodex
      const { baseUrl, surface, tokens } = yield* openHttp({ agents: { codex } })
      const { sessionId } = yield* surface.ours.create({ agent: "codex" })
      const post = (body: unknown) => call(baseUrl, `/sessions/${sessionId}/turn`, tokens.ours, body)
      const { body, status } = yield* post({ prompt: "unended", timeout_s: 5 })
      assert.strictEqual(status, 200)
      assert.containSubset(body, {
        ok: true,
        completed: true,
        partial: false,
        interrupted: false,
        error: null,
        stop_reason: "end_turn",
        final_text: "The whole answer.",
        accepted_without_end: true
      })
      const next = yield* post({ prompt: "hello", timeout_s: 60 })
      assert.containSubset(next.body, {
        completed: true,
        final_text: "echo: hello",
        accepted_without_end: false,
        context_lost: false
      })
      // The first process was interrupted when it was retired, and the second one resumed its thread.
      assert.deepStrictEqual(yield* requests, [
        "thread/start",
        "prompt unended",
        "interrupt",
        "thread/resume",
        "prompt hello"
      ])
    }).pipe(Effect.scoped)
  )
})

describe("a turn that says of itself that it was aborted", () => {
  it.live("is interrupted at its agent before the next turn is given to it", () =>
    Effect.gen(function* () {
      const { codex, requests } = yield* actingCodex
      const { baseUrl, surface, tokens } = yield* openHttp({ agents: { codex } })
      const { sessionId } = yield* surface.ours.create({ agent: "codex" })
      const post = (body: unknown) => call(baseUrl, `/sessions/${sessionId}/turn`, tokens.ours, body)
      const { body, status } = yield* post({ prompt: "aborted", timeout_s: 60 })
      assert.strictEqual(status, 200)
      assert.containSubset(body, {
        ok: true,
        completed: false,
        partial: true,
        interrupted: true,
        error: null,
        stop_reason: "cancelled",
        final_text: "As far as I got."
      })
      assert.containSubset(yield* post({ prompt: "hello" }), { status: 200, body: { final_text: "echo: hello" } })
      assert.deepStrictEqual(yield* requests, ["thread/start", "prompt aborted", "interrupt", "prompt hello"])
      const stored = yield* call(baseUrl, `/sessions/${sessionId}/turns/1`, tokens.ours)
      assert.containSubset(stored.body, { status: "interrupted", final_text: "As far as I got." })
    }).pipe(Effect.scoped)
  )

  it.live("is interrupted with an ACP agent too, which ends it as if it were complete", () =>
    Effect.gen(function* () {
      const { baseUrl, surface, tokens } = yield* openHttp()
      const { sessionId } = yield* surface.ours.create({ agent: "demo" })
      const post = (body: unknown) => call(baseUrl, `/sessions/${sessionId}/turn`, tokens.ours, body)
      const { body } = yield* post({ prompt: "<turn_aborted>You stopped me.</turn_aborted>" })
      assert.containSubset(body, { interrupted: true, completed: false, stop_reason: "cancelled" })
      const stored = yield* call(baseUrl, `/sessions/${sessionId}/turns/1`, tokens.ours)
      assert.containSubset(stored.body, { status: "interrupted", events: body["events"] })
      assert.containSubset(yield* post({ prompt: "hello" }), { body: { completed: true, turn_index: 2 } })
    }).pipe(Effect.scoped)
  )
})

describe("a client that disconnects and wants its turn cancelled", () => {
  it.live("has its queued turn interrupted, and the running turn goes on", () =>
    Effect.gen(function* () {
      const { codex, requests } = yield* actingCodex
      const { baseUrl, surface, tokens } = yield* openHttp({ agents: { codex } })
      const { sessionId } = yield* surface.ours.create({ agent: "codex" })
      const path = `/sessions/${sessionId}`
      const post = (body: unknown) => call(baseUrl, `${path}/turn`, tokens.ours, body)
      const stored = (n: number) => call(baseUrl, `${path}/turns/${n}`, tokens.ours)
      const until = (n: number, status: string) =>
        stored(n).pipe(Effect.delay("20 millis"), Effect.repeat({ until: ({ body }) => body["status"] === status }))

      const running = yield* Effect.forkChild(post({ prompt: "hang" }))
      yield* until(1, "running")
      const waiting = yield* Effect.forkChild(post({ prompt: "second", queue: true, cancel_on_disconnect: true }))
      yield* until(2, "queued")
      yield* Fiber.interrupt(waiting)
      const { body } = yield* until(2, "interrupted")
      assert.containSubset(body, { api_calls: 0, stop_reason: "cancelled" })
      assert.strictEqual((yield* stored(1)).body["status"], "running")
      assert.isTrue(yield* surface.ours.interrupt(sessionId))
      assert.containSubset(yield* Fiber.join(running), { status: 200, body: { interrupted: true } })
      assert.notInclude(yield* requests, "prompt second")
    }).pipe(Effect.scoped)
  )
})
