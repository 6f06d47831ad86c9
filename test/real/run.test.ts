/** `POST /run` on the real `claude -p`: the shapes of its answers, exact, and nobody left. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Installation from "./harness/Installation.ts"
import { elsewhere, web } from "./harness/surroundings.ts"
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

it.live("does what its permissions allow, unasked, and nothing else", () =>
  Effect.gen(function* () {
    const { app, installation } = yield* served
    const outside = yield* elsewhere
    const net = yield* web
    writeFileSync(join(outside, "a.txt"), "the stork outside")
    const file = yield* app.upload("notes.md", "the bird is a heron")
    for (const permissions of ["deny", "approve_reads", "approve_all"] as const) {
      const made = join(outside, permissions)
      const lines = [`RUN:touch ${made}-command`, `WRITE:${made}-file|x`, `RUN:${net.command}`, `READ:${outside}/a.txt`]
      const { body } = yield* app.run({ prompt: [...lines, "SAY:done"].join("\n"), permissions })
      assert.isTrue(body.ok, body.error)
      const all = permissions === "approve_all"
      assert.strictEqual(existsSync(`${made}-command`), all, permissions)
      assert.strictEqual(existsSync(`${made}-file`), all, permissions)
      assert.strictEqual(net.requests() > 0, all, permissions)
      const requests = () => JSON.stringify(installation.model.asked().map(({ request }) => request))
      assert.strictEqual(requests().includes("the stork outside"), all, permissions)
      // A file that the app attached is read under every word; its path comes with the prompt.
      const id = installation.model.asked().length
      yield* app.run({ prompt: "SAY:hello", files: [file], permissions })
      const [path = ""] = /\/[^"\\]*notes\.md/.exec(JSON.stringify(installation.model.asked()[id]?.request)) ?? []
      yield* app.run({ prompt: `READ:${path}\nSAY:done`, files: [file], permissions })
      const last = JSON.stringify(installation.model.asked().at(-1)?.request)
      assert.include(last, "the bird is a heron", permissions)
    }
    // Without a word the operator's own settings decide, which allow no read outside of its directory; they are added to.
    const before = installation.model.asked().length
    yield* app.run({ prompt: "SAY:hello", files: [file] })
    const [path = ""] = /\/[^"\\]*notes\.md/.exec(JSON.stringify(installation.model.asked()[before]?.request)) ?? []
    yield* app.run({
      prompt: `READ:${path}\nREAD:${outside}/a.txt\nRUN:touch ${outside}/unasked\nSAY:done`,
      files: [file]
    })
    const last = JSON.stringify(installation.model.asked().at(-1)?.request)
    assert.include(last, "the bird is a heron")
    assert.notInclude(last, "the stork outside")
    assert.isFalse(existsSync(join(outside, "unasked")))
    for (const permissions of ["ask", "approve_edits"]) {
      const { body, status } = yield* app.run({ prompt: "SAY:hello", permissions })
      assert.deepStrictEqual([status, body.error], [422, "not_supported"])
    }
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
