/** Our own reviewer from the due review to its record: its writes, limits, failures and account. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { Reviews } from "../../src/review/Reviews.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { calling, inOrder, serve } from "../fixtures/models/responses.ts"
import { id } from "../ledger/samples.ts"
import { account, eachTurn, ended, key, session, settleTurn, withReviews } from "./harness.ts"

describe("a review by our own reviewer", () => {
  it.effect(
    "a review writes the model's memories and skills, and a record of its cause, writes, usage and ending",
    () =>
      Effect.gen(function* () {
        const { requests, options } = yield* account(
          inOrder(
            {
              calls: [
                ["memory", { action: "add", id: null, text: "The user prefers tabs." }],
                ["exec_command", { command: "rm -rf /" }]
              ]
            },
            calling("skill_manage", { action: "create", name: "use-tabs", description: "Always.", body: "# Tabs" }),
            { text: "Kept one memory and one skill." }
          )
        )
        yield* withReviews(
          options,
          Effect.gen(function* () {
            yield* settleTurn()
            const record = yield* ended()
            const reviews = yield* Reviews
            const [memory] = yield* reviews.memories(session().app)
            assert.strictEqual(memory?.text, "The user prefers tabs.")
            const [skill] = yield* reviews.skills(session().app)
            assert.deepStrictEqual([skill?.name, skill?.body], ["use-tabs", "# Tabs"])
            assert.deepStrictEqual(record.wrote, [
              { tool: "memory", action: "add", name: memory?.id ?? "" },
              { tool: "skill_manage", action: "create", name: "use-tabs" }
            ])
            const { ending, iterations, mode, model, reason, reviewMemory, reviewSkills } = record
            assert.deepStrictEqual(
              { ending, iterations, mode, model, reason, reviewMemory, reviewSkills },
              {
                ending: "completed",
                iterations: 3,
                mode: "codex_responses",
                model: "large",
                reason: null,
                reviewMemory: true,
                reviewSkills: false
              }
            )
            assert.strictEqual(record.usage.inputTokens, 300)
            assert.isNotNull(record.endedAt)
            // The call of an unknown tool was answered, and is no write.
            assert.match(requests[1]?.body.input.at(-1).output, /no tool/)
            const ledger = yield* Ledger
            assert.strictEqual((yield* ledger.reviewUsage([id])).get(id)?.totalTokens, 360)
            const audit = yield* ledger.audit(id, 10)
            assert.deepStrictEqual(
              audit.map(({ action, actor }) => [action, actor]),
              [["review", "troupe"]]
            )
          })
        )
      })
  )

  it.effect("a secret that a model writes into a memory is redacted", () =>
    Effect.gen(function* () {
      const text = "The key is sk-proj-0123456789abcdef, use it."
      const { options } = yield* account(
        inOrder(calling("memory", { action: "add", text }), calling("memory", { action: "add", text }), { text: "ok" })
      )
      yield* withReviews(
        options,
        Effect.gen(function* () {
          yield* settleTurn()
          const { wrote } = yield* ended()
          const reviews = yield* Reviews
          const memories = yield* reviews.memories(session().app)
          assert.deepStrictEqual(
            memories.map(({ text }) => text),
            ["The key is [redacted], use it."]
          )
          // The same text is not stored twice.
          assert.lengthOf(wrote, 1)
        })
      )
    })
  )

  it.effect("a review stops after 16 calls of its model, and its writes stay", () =>
    Effect.gen(function* () {
      const { requests, options } = yield* account((nth) => calling("memory", { action: "add", text: `fact ${nth}` }))
      yield* withReviews(
        options,
        Effect.gen(function* () {
          yield* settleTurn()
          const record = yield* ended()
          assert.strictEqual(record.ending, "over_budget")
          assert.match(record.reason ?? "", /16 calls/)
          assert.lengthOf(requests, 16)
          assert.lengthOf(record.wrote, 16)
          const reviews = yield* Reviews
          assert.lengthOf(yield* reviews.memories(session().app), 16)
        })
      )
    })
  )

  it.effect("a review makes no call that would take it over 600,000 input tokens", () =>
    Effect.gen(function* () {
      const { requests, options } = yield* account(() => ({
        calls: [["memory", { action: "list" }]],
        tokens: 250_000
      }))
      yield* withReviews(
        options,
        Effect.gen(function* () {
          yield* settleTurn()
          const record = yield* ended()
          assert.deepStrictEqual([record.ending, record.usage.inputTokens], ["over_budget", 500_000])
          assert.lengthOf(requests, 2)
        })
      )
    })
  )

  it.effect("a failing model fails its review alone: the record says why, and the next turn is counted", () =>
    Effect.gen(function* () {
      const { options } = yield* account(
        inOrder(
          { status: 500, message: "overloaded" },
          { status: 500, message: "overloaded" },
          { status: 500, message: "overloaded" },
          { status: 401, message: `Incorrect API key provided: ${Redacted.value(key)}` }
        )
      )
      yield* withReviews(
        options,
        Effect.gen(function* () {
          const before = yield* Ledger.use((ledger) => ledger.session(id))
          yield* settleTurn()
          const broken = yield* ended()
          assert.strictEqual(broken.ending, "failed")
          assert.match(broken.reason ?? "", /500 overloaded/)
          yield* TestClock.adjust("1 second")
          yield* settleTurn({ index: 2 })
          const refused = yield* ended()
          assert.strictEqual(refused.turn, 2)
          assert.match(refused.reason ?? "", /refused the key/)
          assert.notInclude(JSON.stringify(refused), Redacted.value(key))
          assert.deepStrictEqual(yield* Ledger.use((ledger) => ledger.session(id)), before)
        })
      )
    })
  )

  it.effect("a review whose model hangs ends at the deadline of the call, and of the whole", () =>
    Effect.gen(function* () {
      const { options, untilRequested } = yield* account(() => "hang")
      yield* withReviews(
        { ...options, bounds: { callWithinMillis: 90_000, reviewWithinMillis: 240_000 } },
        Effect.gen(function* () {
          yield* settleTurn()
          yield* untilRequested(1)
          yield* TestClock.adjust("90 seconds")
          const silent = yield* ended()
          assert.deepStrictEqual([silent.ending, silent.reason], ["failed", "The model did not answer within 90 s."])
        })
      )
      yield* withReviews(
        { ...options, bounds: { callWithinMillis: 900_000, reviewWithinMillis: 240_000 } },
        Effect.gen(function* () {
          yield* settleTurn()
          yield* untilRequested(2)
          yield* TestClock.adjust("240 seconds")
          const late = yield* ended()
          assert.deepStrictEqual([late.ending, late.reason], ["over_budget", "It took longer than 240 s."])
        })
      )
    })
  )

  it.effect("a review without a key or a model says in its record what is missing", () =>
    Effect.gen(function* () {
      yield* withReviews(
        eachTurn,
        Effect.gen(function* () {
          yield* settleTurn()
          const record = yield* ended()
          assert.deepStrictEqual([record.ending, record.model, record.iterations], ["failed", null, 0])
          assert.match(record.reason ?? "", /no key to review with.*OPENAI_API_KEY/)
        })
      )
      yield* withReviews(
        { ...eachTurn, apiKey: key },
        Effect.gen(function* () {
          yield* settleTurn({}, session({ model: null }))
          assert.match((yield* ended()).reason ?? "", /no model to review with/)
        })
      )
    })
  )

  it.effect("a review without an account uses that of the session's agent", () =>
    Effect.gen(function* () {
      const { requests, baseUrl } = yield* serve(inOrder({ text: "Nothing." }))
      const env = { OPENAI_API_KEY: "sk-of-the-agent", OPENAI_BASE_URL: baseUrl }
      yield* withReviews(
        eachTurn,
        Effect.gen(function* () {
          yield* settleTurn()
          assert.strictEqual((yield* ended()).ending, "completed")
        }),
        { codex: { protocol: "codex-app-server", env } }
      )
      assert.strictEqual(requests[0]?.authorization, "Bearer sk-of-the-agent")
    })
  )
})
