/** `POST /run` on the real `claude -p`: the shapes of its answers, exact, and nobody left. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Installation from "./harness/Installation.ts"
import type { Run } from "./harness/wire.ts"

const served = Effect.gen(function* () {
  const installation = yield* Installation.make
  const troupe = yield* installation.serve()
  return { installation, troupe, app: yield* troupe.app("runner") }
})

const keysOf = (body: Run) => Object.keys(body).sort()
const successKeys = ["duration_ms", "ok", "result", "stop_reason"]
const failureKeys = ["duration_ms", "error", "ok", "stderr", "stop_reason"]

it.live("answers with the model's JSON where all of its reply is JSON, and else with its text", () =>
  Effect.gen(function* () {
    const { app } = yield* served
    const json = yield* app.run({ prompt: `SAY:{"colour":"grey","legs":2}` })
    assert.strictEqual(json.status, 200)
    assert.deepStrictEqual(keysOf(json.body), successKeys)
    assert.deepInclude(json.body, { ok: true, result: { colour: "grey", legs: 2 }, stop_reason: "end_turn" })
    assert.isAbove(json.body.duration_ms, 0)

    const text = yield* app.run({ prompt: `SAY:a heron is {"grey"}` })
    assert.deepStrictEqual(keysOf(text.body), successKeys)
    assert.deepInclude(text.body, { ok: true, result: `a heron is {"grey"}` })
  })
)

it.live("hands over the model and the system prompt", () =>
  Effect.gen(function* () {
    const { app } = yield* served
    const { body } = yield* app.run({ prompt: "SYSTEM", system: "You are a heron.", model: "haiku" })
    assert.isTrue(body.ok)
    assert.include(String(body.result), "You are a heron.")
  })
)

it.live.each([
  { prompt: "ERR:400", names: /400/ },
  { prompt: "ERR:401", names: /auth|401|log ?in|API key/i }
])("answers 502 with the provider's words for $prompt", ({ names, prompt }) =>
  Effect.gen(function* () {
    const { app } = yield* served
    const { body, status } = yield* app.run({ prompt })
    assert.strictEqual(status, 502)
    assert.deepStrictEqual(keysOf(body), failureKeys)
    assert.isFalse(body.ok)
    assert.match(body.error ?? "", names)
  })
)

it.live("ends the process at the deadline and says so", () =>
  Effect.gen(function* () {
    const { app, installation, troupe } = yield* served
    const { body, status } = yield* app.run({ prompt: "HANG", timeout_s: 3 })
    assert.strictEqual(status, 502)
    assert.deepStrictEqual(keysOf(body), failureKeys)
    assert.deepInclude(body, { ok: false, stop_reason: "timeout" })
    assert.isAtLeast(body.duration_ms, 3000)
    assert.deepStrictEqual(
      installation.running().map(({ pid }) => pid),
      [troupe.pid]
    )
    // It had reached the model: the deadline ended a real call, not a start that failed.
    assert.isTrue(installation.model.asked().some(({ prompt }) => prompt === "HANG"))
  })
)
