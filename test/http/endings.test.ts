/** Ends of turns that a real process of a scripted codex leaves open, as an app sees them over HTTP. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { openHttp } from "../surface/http.ts"
import { acting, call } from "./acting.ts"

describe("an answer whose turn never ends", () => {
  it.live("is a result of 200 that says so, and the next turn has a process of its own", () =>
    Effect.gen(function* () {
      const { codex, heard } = yield* acting
      const { baseUrl, surface, tokens } = yield* openHttp({ agents: { codex } })
      const { sessionId } = yield* surface.ours.create({ agent: "codex" })
      const post = (body: unknown) => call(baseUrl, `/sessions/${sessionId}/turn`, tokens.ours, body)
      const { body, status } = yield* post({ prompt: "unended", timeout_s: 1 })
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
      // Asked to go it was interrupted, and the second process resumed what the first had.
      assert.deepStrictEqual(yield* heard, [
        "thread/start",
        "prompt unended",
        "interrupt",
        "thread/resume",
        "prompt hello"
      ])
    }).pipe(Effect.scoped)
  )
})
