/** Our reviewer against a loopback Responses API, its instructions, and its two tools against a store in memory. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import * as Reviewer from "../../src/review/Reviewer.ts"
import { instructionsOf, requestOf, transcriptOf } from "../../src/review/ReviewRequest.ts"
import { StoreFailed, StoreRefused } from "../../src/review/ReviewStore.ts"
import type { ReviewStore } from "../../src/review/ReviewStore.ts"
import { dispatch, toolDefinitions } from "../../src/review/ReviewTools.ts"
import { AppName } from "../../src/domain/Ids.ts"
import type { Message } from "../../src/domain/Turn.ts"
import { calling, inOrder, serve } from "../fixtures/models/responses.ts"

const app = AppName.make("desk")
const key = "sk-a-secret-of-the-review"
const messages: ReadonlyArray<Message> = [
  { role: "user", content: "Fix the tests." },
  {
    role: "assistant",
    content: null,
    tool_calls: [{ id: "c1", type: "function", function: { name: "exec_command", arguments: '{"command":"npm t"}' } }]
  },
  { role: "tool", tool_call_id: "c1", content: "[exit 1]\nred" },
  { role: "assistant", content: "They are green now." }
]
const request = requestOf(messages, { reviewMemory: true, reviewSkills: false })

const reviewer = (baseUrl: string) =>
  Reviewer.make({ mode: "codex_app_server", baseUrl, apiKey: Redacted.make(key), model: "large" })

describe("the reviewer", () => {
  it("a reviewer made for the mode codex_app_server runs as codex_responses", () => {
    assert.strictEqual(reviewer("http://127.0.0.1:1/v1").mode, "codex_responses")
  })

  it.effect("the reviewer offers two tools, stores nothing with the provider, and continues its conversation", () =>
    Effect.gen(function* () {
      const { requests, baseUrl } = yield* serve(
        inOrder(calling("memory", { action: "list", id: null, text: null }), { text: "Nothing to keep." })
      )
      const exchange = reviewer(baseUrl).begin(request)
      const first = yield* exchange.ask
      assert.deepStrictEqual(first, {
        calls: [{ id: "call_1_0", name: "memory", arguments: '{"action":"list","id":null,"text":null}' }],
        usage: { inputTokens: 100, cachedInputTokens: 10, outputTokens: 20, reasoningTokens: 5, totalTokens: 120 }
      })
      exchange.answer(first.calls[0]!, '{"ok":true}')
      assert.deepStrictEqual((yield* exchange.ask).calls, [])

      const [one, two] = requests
      assert.strictEqual(one?.authorization, `Bearer ${key}`)
      assert.strictEqual(one?.path, "/v1/responses")
      assert.strictEqual(one?.body.model, "large")
      assert.isFalse(one?.body.store)
      assert.deepStrictEqual(
        one?.body.tools.map(({ name, strict }: { name: string; strict: boolean }) => [name, strict]),
        [
          ["memory", true],
          ["skill_manage", true]
        ]
      )
      assert.include(one?.body.input[0].content, "They are green now.")
      assert.deepStrictEqual(
        two?.body.input.slice(1).map(({ type }: { type: string }) => type),
        ["function_call", "function_call_output"]
      )
      assert.strictEqual(two?.body.input[2].call_id, "call_1_0")
    })
  )

  it.effect("a reviewer's failure says what to do and never shows the key", () =>
    Effect.gen(function* () {
      const failures = [
        [
          { status: 401, message: `Incorrect API key provided: ${key}` },
          /refused the key \(HTTP 401\).*OPENAI_API_KEY/
        ],
        [{ status: 404, message: "no such model" }, /knows no large at this address/],
        [{ status: 500, message: `it broke on ${key}` }, /failed, tried three times.*500 it broke/],
        [{ incomplete: "max_output_tokens" }, /ended early: max_output_tokens/]
      ] as const
      for (const [step, expected] of failures) {
        const { requests, baseUrl } = yield* serve(() => step)
        const { message } = yield* Effect.flip(reviewer(baseUrl).begin(request).ask)
        assert.match(message, expected)
        assert.notInclude(message, key)
        assert.lengthOf(requests, "status" in step && step.status === 500 ? 3 : 1)
      }
      const { message } = yield* Effect.flip(reviewer("http://127.0.0.1:1/v1").begin(request).ask)
      assert.match(message, /could not be reached/)
    })
  )
})

describe("the input of the reviewer", () => {
  it("a reviewer's instructions name only what is to be reviewed", () => {
    assert.include(instructionsOf({ reviewMemory: true, reviewSkills: false }), "Memory:")
    assert.notInclude(instructionsOf({ reviewMemory: true, reviewSkills: false }), "Skills:")
    assert.include(instructionsOf({ reviewMemory: false, reviewSkills: true }), "Skills:")
  })

  it("a transcript is bounded and keeps the end of the conversation", () => {
    const text = transcriptOf(messages)
    assert.include(text, "user: Fix the tests.")
    assert.include(text, 'assistant: [calls exec_command (c1): {"command":"npm t"}]')
    assert.include(text, "tool (c1): [exit 1]\nred")
    const long = Array.from({ length: 100 }, (_, n): Message => ({
      role: "user",
      content: `${n} ${"x".repeat(20_000)}`
    }))
    const bounded = transcriptOf(long)
    assert.isBelow(bounded.length, 330_000)
    assert.match(bounded, /\(\d+ earlier messages are left out\.\)/)
    assert.include(bounded, "user: 99 ")
    assert.notInclude(bounded, "user: 0 ")
  })
})

/** A store that lists its calls, refuses a second skill of a name, and fails for one memory. */
const listingStore = () => {
  const calls: Array<ReadonlyArray<unknown>> = []
  const note =
    (name: string) =>
    (...args: ReadonlyArray<unknown>) =>
      Effect.sync(() => void calls.push([name, ...args]))
  const at = { app, createdAt: 1, updatedAt: 1 }
  const store: ReviewStore = {
    memories: () => Effect.succeed([{ id: "mem_1", text: "prefers tabs", ...at }]),
    addMemory: (app, text) => Effect.as(note("addMemory")(app, text), "mem_2"),
    replaceMemory: note("replaceMemory"),
    removeMemory: (_app, id) =>
      id === "mem_broken"
        ? Effect.fail(new StoreFailed({ operation: "remove a memory", cause: new Error("disk") }))
        : note("removeMemory")(id),
    skills: () => Effect.succeed([{ name: "fix-tests", description: "When red.", body: "# Steps", ...at }]),
    createSkill: (_app, name, skill) =>
      name === "fix-tests" ? Effect.fail(new StoreRefused({ problem: "taken" })) : note("createSkill")(name, skill),
    updateSkill: note("updateSkill"),
    removeSkill: note("removeSkill")
  }
  const send = (name: string, args: unknown) =>
    Effect.map(
      dispatch(store, app, { id: "c", name, arguments: typeof args === "string" ? args : JSON.stringify(args) }),
      // oxlint-disable-next-line typescript/no-explicit-any -- tests look at any part of an answer
      ({ output, wrote }) => ({ answer: JSON.parse(output) as any, wrote: Option.getOrNull(wrote) })
    )
  return { calls, send }
}

describe("the review tools", () => {
  it("the review tools have the JSON Schema of strict mode: every field required, no other allowed", () => {
    for (const { parameters } of toolDefinitions) {
      const { additionalProperties, properties, required } = parameters as Record<string, Record<string, unknown>>
      assert.isFalse(additionalProperties as unknown as boolean)
      assert.deepStrictEqual(required as unknown, Object.keys(properties ?? {}))
    }
  })

  it.effect("the review tools write memories and skills, and report what they wrote", () =>
    Effect.gen(function* () {
      const { calls, send } = listingStore()
      const added = yield* send("memory", { action: "add", id: null, text: "prefers tabs" })
      assert.deepStrictEqual(added, {
        answer: { ok: true, result: { id: "mem_2" } },
        wrote: { tool: "memory", action: "add", name: "mem_2" }
      })
      // A model that leaves out what it does not need is understood as well.
      yield* send("memory", { action: "replace", id: "mem_1", text: "prefers spaces" })
      yield* send("memory", { action: "remove", id: "mem_1" })
      const skill = { name: "run-it", description: "When asked.", body: "# Steps" }
      const created = yield* send("skill_manage", { action: "create", ...skill })
      assert.deepStrictEqual(created.wrote, { tool: "skill_manage", action: "create", name: "run-it" })
      yield* send("skill_manage", { action: "update", ...skill })
      yield* send("skill_manage", { action: "remove", name: "run-it" })
      assert.deepStrictEqual(
        calls.map(([name]) => name),
        ["addMemory", "replaceMemory", "removeMemory", "createSkill", "updateSkill", "removeSkill"]
      )
      assert.deepStrictEqual(calls[0], ["addMemory", app, "prefers tabs"])
    })
  )

  it.effect("the review tools list memories and skills, a single skill with its body", () =>
    Effect.gen(function* () {
      const { send } = listingStore()
      const memories = yield* send("memory", { action: "list" })
      assert.deepStrictEqual(memories, {
        answer: { ok: true, result: [{ id: "mem_1", text: "prefers tabs" }] },
        wrote: null
      })
      const skills = yield* send("skill_manage", { action: "list" })
      assert.deepStrictEqual(skills.answer.result, [{ name: "fix-tests", description: "When red." }])
      const one = yield* send("skill_manage", { action: "list", name: "fix-tests" })
      assert.strictEqual(one.answer.result.body, "# Steps")
    })
  )

  it.effect("a bad call of a review tool is answered with its error and writes nothing", () =>
    Effect.gen(function* () {
      const { calls, send } = listingStore()
      const bad = [
        ["exec_command", { command: "rm -rf /" }, /no tool "exec_command".*memory and skill_manage/],
        ["memory", "{not json", /not as the tool takes them/],
        ["memory", { action: "burn" }, /not as the tool takes them/],
        ["memory", { action: "add", text: "  " }, /text is missing/],
        ["memory", { action: "add", text: "x".repeat(2_001) }, /2001 characters; it may have 2000/],
        ["memory", { action: "replace", text: "whose?" }, /id is missing/],
        ["memory", { action: "add", text: "x".repeat(70_000) }, /longer than 65536/],
        ["skill_manage", { action: "create", name: "../etc", description: "d", body: "b" }, /kebab-case/],
        ["skill_manage", { action: "create", name: "fix-tests", description: "d", body: "b" }, /taken/],
        ["skill_manage", { action: "update", name: "fix-tests", description: "d" }, /body is missing/],
        ["skill_manage", { action: "list", name: "nobody" }, /no skill "nobody"/]
      ] as const
      for (const [name, args, expected] of bad) {
        const { answer, wrote } = yield* send(name, args)
        assert.isFalse(answer.ok)
        assert.match(answer.error, expected)
        assert.isNull(wrote)
      }
      assert.deepStrictEqual(calls, [])
    })
  )

  it.effect("a review tool fails where the store fails", () =>
    Effect.gen(function* () {
      const { send } = listingStore()
      const error = yield* Effect.flip(send("memory", { action: "remove", id: "mem_broken" }))
      assert.strictEqual(error._tag, "StoreFailed")
    })
  )
})
