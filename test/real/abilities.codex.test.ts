/** What the driver makes of a session's and a turn's wishes, on the real codex, by what codex sends its model. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs"
import type { AgentFact } from "../../src/agent/Agent.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { textPrompt } from "../../src/domain/Turn.ts"
import { scene } from "./harness/codexDriver.ts"

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

const schema = {
  type: "object",
  properties: { answer: { type: "string" } },
  required: ["answer"],
  additionalProperties: false
}

const updatesOf = (facts: ReadonlyArray<AgentFact>, kind: string) =>
  facts.flatMap((fact) => {
    if (fact._tag !== "Update") return []
    const { update } = fact.message.params
    return update.sessionUpdate === kind ? [update] : []
  })

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("codex's abilities", (it) => {
  it.effect("a prompt's blocks reach the model in their order: texts, an image, resources as text", () =>
    Effect.gen(function* () {
      const { asked, at, open } = yield* scene
      writeFileSync(at("image.png"), Buffer.from(png, "base64"))
      const { turn } = yield* open({ permissions: "deny" })
      const end = yield* turn({
        blocks: [
          { type: "text", text: "before" },
          { type: "image", mimeType: "image/png", path: at("image.png") },
          { type: "resource", resource: { uri: "file:///notes.md", text: "of ```a fence```" } },
          { type: "resource_link", uri: "https://example.org/x", name: "x" },
          { type: "text", text: "after" }
        ]
      })
      assert.isNull(end.failure)
      const content = asked().input.findLast(({ role }) => role === "user")?.["content"] as ReadonlyArray<{
        readonly type: string
        readonly text?: string
        readonly image_url?: string
      }>
      const parts = content
        .map(({ image_url, text }) => image_url ?? text ?? "")
        .filter((part) => !/^<\/?image/.test(part))
      assert.deepStrictEqual(parts, [
        "before",
        `data:image/png;base64,${png}`,
        "file:///notes.md:\n````\nof ```a fence```\n````",
        "[x](https://example.org/x)",
        "after"
      ])
    })
  )

  it.effect(
    "a turn's model, effort and schema count for it alone, the session's for every other, also after a resume",
    () =>
      Effect.gen(function* () {
        const { asked, open } = yield* scene
        const seen = () => {
          const { model, reasoning, text } = asked()
          return [model, reasoning?.effort, text?.format === undefined ? "text" : "schema"]
        }
        const first = yield* open()
        yield* first.turn("one")
        assert.deepStrictEqual(seen(), ["stand-in", "medium", "text"])
        yield* first.turn({ settings: { effort: "high", outputSchema: schema } })
        assert.deepStrictEqual(seen(), ["stand-in", "high", "schema"])
        yield* first.turn("three")
        assert.deepStrictEqual(seen(), ["stand-in", "medium", "text"])
        yield* first.turn({ settings: { effort: "high" } })
        yield* first.end
        const second = yield* open({ thread: first.connection.thread })
        yield* second.turn("five")
        assert.deepStrictEqual(seen(), ["stand-in", "medium", "text"])
        yield* second.end
        const third = yield* open({ thread: first.connection.thread, effort: "low" })
        yield* third.turn("six")
        assert.deepStrictEqual(seen(), ["stand-in", "low", "text"])
        yield* third.turn({ settings: { effort: "high" } })
        yield* third.turn("eight")
        assert.deepStrictEqual(seen(), ["stand-in", "low", "text"])
      })
  )

  it.effect("a model or an effort that codex does not have is refused with those it has, and the next turn runs", () =>
    Effect.gen(function* () {
      const { model, open } = yield* scene
      const { connection, turn } = yield* open()
      const refused = (settings: object) => Effect.flip(connection.prompt(1, { ...textPrompt("x"), settings }))
      assert.deepInclude(yield* refused({ model: "none-such" }), {
        class: "config",
        message: 'Codex has no model "none-such". It has "stand-in".'
      })
      assert.deepInclude(yield* refused({ effort: "banana" }), {
        class: "config",
        message: 'The model "stand-in" has no effort "banana". It has "low", "medium", "high".'
      })
      assert.match((yield* refused({ mode: "yolo" })).message, /no mode "yolo".*"default" and "plan"/)
      assert.strictEqual(model.asked().length, 0)
      assert.isNull((yield* turn("hello")).failure)
      const { efforts, models, modes } = connection.choices()
      assert.deepStrictEqual(
        [models, efforts, modes].map((choices) => choices.map(({ id }) => id)),
        [["stand-in"], ["low", "medium", "high"], ["default", "plan"]]
      )
    })
  )

  it.effect("plan mode is codex's own for its turn, keeps the session's instructions and the sandbox, and ends", () =>
    Effect.gen(function* () {
      const { asked, at, open } = yield* scene
      const { turn } = yield* open({ permissions: "ask", systemPrompt: "The heron speaks." })
      const developer = () => JSON.stringify(asked().input.filter(({ role }) => role === "developer"))
      yield* turn({ ...textPrompt(`RUN:touch ${at("work/planned")}\nSAY:a plan`), settings: { mode: "plan" } })
      assert.include(developer(), "# Plan Mode")
      assert.include(developer(), "The heron speaks.")
      assert.isFalse(existsSync(at("work/planned")))
      yield* turn("and now")
      assert.include(developer(), "You are now in Default mode")
    })
  )

  it.effect(
    "the model's question reaches a person, whose answer reaches the model; declined, the model gets none",
    () =>
      Effect.gen(function* () {
        const { asked, open } = yield* scene
        const questions = [
          {
            id: "color",
            header: "Color",
            question: "Which one?",
            options: [
              { label: "Red", description: "warm" },
              { label: "Blue", description: "cold" }
            ]
          }
        ]
        const ask = `CALL:request_user_input ${JSON.stringify({ questions })}\nSAY:thanks`
        const output = () => String(asked().input.findLast(({ type }) => type === "function_call_output")?.["output"])
        const answered = yield* open({ permissions: "ask", questions: true }, { color: "Red" })
        assert.isNull((yield* answered.turn(ask)).failure)
        assert.deepStrictEqual(JSON.parse(output()), { answers: { color: { answers: ["Red"] } } })
        assert.deepStrictEqual(answered.questions[0]?.fields, [
          {
            id: "color",
            label: "Which one?",
            description: "Color",
            required: false,
            type: "choice",
            options: [
              { value: "Red", label: "Red", description: "warm" },
              { value: "Blue", label: "Blue", description: "cold" }
            ],
            other: true
          }
        ])
        assert.strictEqual(answered.questions[0]?.turn, 1)
        const declined = yield* open({ permissions: "ask", questions: true }, null)
        assert.isNull((yield* declined.turn(ask)).failure)
        assert.deepStrictEqual(JSON.parse(output()), { answers: { color: { answers: [] } } })
        const nobody = yield* open({ permissions: "deny" })
        assert.isNull((yield* nobody.turn(ask)).failure)
        assert.match(output(), /unavailable in Default mode/)
        assert.strictEqual(nobody.questions.length, 0)
        // Of its retries and its other warnings codex may tell; of the feature by which it asks it would with each thread.
        assert.notInclude(
          JSON.stringify(updatesOf(answered.facts, "session_info_update")),
          "Under-development features"
        )
      })
  )

  it.effect("directories beside the session's are read under every word, and written under approve_all only", () =>
    Effect.gen(function* () {
      const { asked, at, open } = yield* scene
      mkdirSync(at("beside"))
      writeFileSync(at("beside/read.txt"), "the stork beside")
      for (const permissions of ["deny", "ask", "approve_edits", "approve_all"] as const) {
        const { turn } = yield* open({ permissions, additionalDirectories: [at("beside")] })
        yield* turn(`RUN:cat ${at("beside/read.txt")}\nRUN:touch ${at(`beside/${permissions}`)}\nSAY:done`)
        assert.include(JSON.stringify(asked().input), "the stork beside")
        assert.strictEqual(existsSync(at(`beside/${permissions}`)), permissions === "approve_all", permissions)
      }
    })
  )

  it.effect("a session's variables are in codex's commands", () =>
    Effect.gen(function* () {
      const { asked, open } = yield* scene
      const { turn } = yield* open({ env: { HERON: "grey-and-patient" } })
      yield* turn("RUN:printenv HERON\nSAY:done")
      assert.include(JSON.stringify(asked().input), "grey-and-patient")
    })
  )

  it.effect("plans and diffs of file changes come typed, and no plans where codex's own configuration wants none", () =>
    Effect.gen(function* () {
      const { at, open } = yield* scene
      const { facts, turn } = yield* open({ permissions: "ask", approve: () => Effect.succeed("once") })
      const plan = {
        plan: [
          { step: "look", status: "completed" },
          { step: "write", status: "in_progress" }
        ]
      }
      yield* turn(`CALL:update_plan ${JSON.stringify(plan)}\nWRITE:${at("work/new.txt")}|a heron\nSAY:done`)
      assert.deepStrictEqual(
        updatesOf(facts, "plan").map(({ entries }) => entries),
        [
          [
            { content: "look", priority: "medium", status: "completed" },
            { content: "write", priority: "medium", status: "in_progress" }
          ]
        ]
      )
      const edits = updatesOf(facts, "tool_call").filter(({ kind }) => kind === "edit")
      assert.deepStrictEqual(
        edits.map(({ content }) => content),
        [[{ type: "diff", path: at("work/new.txt"), oldText: null, newText: "a heron\n" }]]
      )
      appendFileSync(at("codex/config.toml"), "\n[tools.update_plan]\nenabled = false\n")
      const without = yield* open({ permissions: "ask" })
      yield* without.turn(`CALL:update_plan ${JSON.stringify(plan)}\nSAY:done`)
      assert.deepStrictEqual(updatesOf(without.facts, "plan"), [])
    })
  )
})
