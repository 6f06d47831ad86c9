/**
 * Nudges and reviews from a settled turn to the record: a real ledger file, a real HTTP model, the clock turned by hand.
 *
 * The session itself is a row: nothing that a review does may need, or touch, more of it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { Reviews } from "../../src/actor/Reviews.ts"
import type { ReviewOptions, SettledTurnOf } from "../../src/actor/Reviews.ts"
import { RuntimeSettings } from "../../src/actor/RuntimeSettings.ts"
import type { ReviewRequest } from "../../src/conversation/review/ReviewRequest.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import type { SessionRecord } from "../../src/domain/Session.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import type { AgentSpec } from "../../src/domain/Settings.ts"
import type { Message } from "../../src/domain/Turn.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { calling, inOrder, serve } from "../fixtures/models/responses.ts"
import type { Script } from "../fixtures/models/responses.ts"
import { id, opened, scratchFile, session as sample, turn as turnSample } from "../ledger/samples.ts"

const key = Redacted.make("sk-a-secret-of-the-review")
const messages: ReadonlyArray<Message> = [
  { role: "user", content: "I prefer tabs." },
  { role: "assistant", content: "Noted." }
]
const session = (fields: Partial<SessionRecord> = {}) => sample({ agent: "codex", ...fields })

const good: SettledTurnOf = {
  index: 1,
  kind: "prompt",
  status: "completed",
  interrupted: false,
  finalText: "Noted.",
  toolIterations: 0
}
/** One turn is enough for a memory review. */
const eachTurn = { intervals: { memory: 1, skills: 0 } }

const life = (filename: string, options: ReviewOptions, agents: Readonly<Record<string, AgentSpec>> = {}) =>
  Reviews.layer(options, {}).pipe(
    Layer.provideMerge(Ledger.layer(filename)),
    Layer.provide(
      Layer.succeed(
        RuntimeSettings,
        RuntimeSettings.of({ dataDir: ":memory:", limits: defaultLimits, agents, defaultAgent: null, run: {} })
      )
    )
  )

const withReviews = <A, E>(
  options: ReviewOptions,
  test: Effect.Effect<A, E, Reviews | Ledger>,
  agents: Readonly<Record<string, AgentSpec>> = {}
) =>
  Effect.gen(function* () {
    const filename = yield* scratchFile
    return yield* Effect.andThen(
      Ledger.use((ledger) => ledger.write([opened({ agent: "codex" })])),
      test
    ).pipe(Effect.provide(life(filename, options, agents)))
  }).pipe(Effect.scoped)

/** A review's account at a model that follows the script. */
const account = (script: Script) =>
  Effect.map(serve(script), ({ asked, baseUrl }) => ({ asked, options: { ...eachTurn, apiKey: key, baseUrl } }))

/** Settles a turn of the session, with its row, as the actor does. */
const settle = (fields: Partial<SettledTurnOf> = {}, of: SessionRecord = session()) =>
  Effect.gen(function* () {
    const turn = { ...good, ...fields }
    const { index, interrupted, kind, status, toolIterations } = turn
    const record = { ...turnSample(), session: of.id, index, interrupted, kind, status, toolIterations, endedAt: 1 }
    yield* Ledger.use((ledger) => ledger.write([{ _tag: "TurnInserted", record }]))
    const reviews = yield* Reviews
    yield* reviews.turnSettled({ ...of, turnCount: index }, turn, Effect.succeed(messages))
  })

/** The newest review of the session, once it has ended; real I/O takes real time. */
const ended = (of: SessionId = id) =>
  Effect.gen(function* () {
    const reviews = yield* Reviews
    for (let n = 0; n < 1_000; n++) {
      const [newest] = yield* reviews.of(of)
      if (newest !== undefined && newest.ending !== null) return newest
      yield* TestClock.withLive(Effect.sleep("5 millis"))
    }
    return yield* Effect.die(new Error("the review has not ended"))
  })

/** A host that notes what it was called with. */
const host = (review: Effect.Effect<unknown, unknown> = Effect.void) => {
  const called: Array<ReviewRequest> = []
  return {
    called,
    onReview: (request: ReviewRequest) =>
      Effect.andThen(
        Effect.sync(() => called.push(request)),
        review
      )
  }
}

describe("nudges of a session", () => {
  it.effect("below both thresholds there is no review", () => {
    const { called, onReview } = host()
    return withReviews(
      { onReview, skillTool: true },
      Effect.gen(function* () {
        for (let index = 1; index <= 9; index++) yield* settle({ index, toolIterations: 1 })
        const reviews = yield* Reviews
        assert.deepStrictEqual(yield* reviews.of(id), [])
        assert.deepStrictEqual(called, [])
      })
    )
  })

  it.effect(
    "the skill threshold calls the host with exactly the three named fields, and its counter is 0 again",
    () => {
      const { called, onReview } = host()
      return withReviews(
        { onReview, skillTool: true },
        Effect.gen(function* () {
          yield* settle({ toolIterations: 11 })
          const record = yield* ended()
          assert.deepStrictEqual(called, [{ messagesSnapshot: messages, reviewMemory: false, reviewSkills: true }])
          assert.deepStrictEqual(Object.keys(called[0] ?? {}).sort(), [
            "messagesSnapshot",
            "reviewMemory",
            "reviewSkills"
          ])
          assert.deepStrictEqual(
            [record.mode, record.ending, record.model, record.turn, record.reviewSkills],
            ["host", "completed", null, 1, true]
          )
          const { value } = (yield* Ledger.use((ledger) => ledger.nudges(id))) as { value: unknown }
          assert.deepStrictEqual(value, { session: id, turn: 1, userTurns: 1, toolIterations: 0 })
        })
      )
    }
  )

  it.effect("an interrupted turn leaves the counter reached, and the next good one is reviewed", () => {
    const { called, onReview } = host()
    return withReviews(
      { ...eachTurn, onReview },
      Effect.gen(function* () {
        yield* settle({ status: "interrupted", interrupted: true })
        const reviews = yield* Reviews
        assert.deepStrictEqual(yield* reviews.of(id), [])
        yield* settle({ index: 2 })
        yield* ended()
        assert.lengthOf(called, 1)
      })
    )
  })

  it.effect("two sessions accumulate each their own, through a death of Troupe, and no turn counts twice", () => {
    const { called, onReview } = host()
    const two = session({ id: SessionId.make("ses_the-second-conversation") })
    return Effect.gen(function* () {
      const filename = yield* scratchFile
      const options = { intervals: { memory: 4, skills: 0 }, onReview }
      yield* Effect.gen(function* () {
        yield* Ledger.use((ledger) => ledger.write([opened({ agent: "codex" }), opened({ id: two.id })]))
        yield* settle({ index: 1 })
        yield* settle({ index: 2 })
        yield* settle({ index: 1 }, two)
        const reviews = yield* Reviews
        yield* reviews.turnSettled(session({ turnCount: 2 }), { ...good, index: 2 }, Effect.succeed(messages))
        // Its outcome is stored, and Troupe dies before it is counted.
        const record = { ...turnSample(), index: 3, status: "completed", endedAt: 1 } as const
        yield* Ledger.use((ledger) => ledger.write([{ _tag: "TurnInserted", record }]))
      }).pipe(Effect.provide(life(filename, options)))
      assert.deepStrictEqual(called, [])
      yield* Effect.gen(function* () {
        yield* settle({ index: 2 }, two)
        yield* settle({ index: 4 })
        yield* ended()
        assert.lengthOf(called, 1)
        const reviews = yield* Reviews
        assert.deepStrictEqual(yield* reviews.of(two.id), [])
      }).pipe(Effect.provide(life(filename, options)))
    }).pipe(Effect.scoped)
  })

  it.effect("turns that settle out of their order are all counted, a compaction is none", () => {
    const { called, onReview } = host()
    return withReviews(
      { intervals: { memory: 4, skills: 0 }, onReview },
      Effect.gen(function* () {
        const ledger = yield* Ledger
        const reviews = yield* Reviews
        const row = (index: number, endedAt: number | null, kind: "prompt" | "compact" = "prompt") => ({
          _tag: "TurnInserted" as const,
          record: { ...turnSample(), index, kind, endedAt, status: endedAt === null ? "running" : "failed" } as const
        })
        yield* ledger.write([row(1, null), row(2, 1), row(3, 1, "compact")])
        const after = session({ turnCount: 3 })
        yield* reviews.turnSettled(after, { ...good, index: 2, status: "failed" }, Effect.succeed(messages))
        yield* ledger.write([
          { _tag: "TurnPatched", session: id, index: 1, patch: { status: "completed", endedAt: 2 } }
        ])
        yield* reviews.turnSettled(after, good, Effect.succeed(messages))
        yield* settle({ index: 4 })
        assert.deepStrictEqual(yield* reviews.of(id), [])
        yield* settle({ index: 5 })
        yield* ended()
        assert.lengthOf(called, 1)
      })
    )
  })
})

describe("a review by our own reviewer", () => {
  it.effect("writes what the model wants kept, and leaves a record of why, what, how much and how it ended", () =>
    Effect.gen(function* () {
      const { asked, options } = yield* account(
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
          yield* settle()
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
          // The unknown tool was answered, and counted to nobody.
          assert.match(asked[1]?.body.input.at(-1).output, /no tool/)
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

  it.effect("keeps no secret that a model writes down", () =>
    Effect.gen(function* () {
      const text = "The key is sk-proj-0123456789abcdef, use it."
      const { options } = yield* account(
        inOrder(calling("memory", { action: "add", text }), calling("memory", { action: "add", text }), { text: "ok" })
      )
      yield* withReviews(
        options,
        Effect.gen(function* () {
          yield* settle()
          const { wrote } = yield* ended()
          const reviews = yield* Reviews
          const kept = yield* reviews.memories(session().app)
          assert.deepStrictEqual(
            kept.map(({ text }) => text),
            ["The key is [redacted], use it."]
          )
          // What is kept already is not kept twice.
          assert.lengthOf(wrote, 1)
        })
      )
    })
  )

  it.effect("stops after 16 calls of a model that never stops asking, and what it wrote stays", () =>
    Effect.gen(function* () {
      const { asked, options } = yield* account((nth) => calling("memory", { action: "add", text: `fact ${nth}` }))
      yield* withReviews(
        options,
        Effect.gen(function* () {
          yield* settle()
          const record = yield* ended()
          assert.strictEqual(record.ending, "over_budget")
          assert.match(record.reason ?? "", /16 calls/)
          assert.lengthOf(asked, 16)
          assert.lengthOf(record.wrote, 16)
          const reviews = yield* Reviews
          assert.lengthOf(yield* reviews.memories(session().app), 16)
        })
      )
    })
  )

  it.effect("makes no call that would take it over 600,000 input tokens", () =>
    Effect.gen(function* () {
      const { asked, options } = yield* account(() => ({
        calls: [["memory", { action: "list" }]],
        tokens: 250_000
      }))
      yield* withReviews(
        options,
        Effect.gen(function* () {
          yield* settle()
          const record = yield* ended()
          assert.deepStrictEqual([record.ending, record.usage.inputTokens], ["over_budget", 500_000])
          assert.lengthOf(asked, 2)
        })
      )
    })
  )

  it.effect(
    "fails alone where the model fails: the caller hears nothing, the record says why, the next turn counts",
    () =>
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
            yield* settle()
            const broken = yield* ended()
            assert.strictEqual(broken.ending, "failed")
            assert.match(broken.reason ?? "", /500 overloaded/)
            yield* TestClock.adjust("1 second")
            yield* settle({ index: 2 })
            const refused = yield* ended()
            assert.strictEqual(refused.turn, 2)
            assert.match(refused.reason ?? "", /refused the key/)
            assert.notInclude(JSON.stringify(refused), Redacted.value(key))
            assert.deepStrictEqual(yield* Ledger.use((ledger) => ledger.session(id)), before)
          })
        )
      })
  )

  it.effect("is over its deadline when a model hangs, call by call and as a whole", () =>
    Effect.gen(function* () {
      const { asked, options } = yield* account(() => "hang")
      const hung = (n: number) =>
        Effect.gen(function* () {
          while (asked.length < n) yield* TestClock.withLive(Effect.sleep("5 millis"))
        })
      yield* withReviews(
        { ...options, bounds: { callWithinMillis: 90_000, reviewWithinMillis: 240_000 } },
        Effect.gen(function* () {
          yield* settle()
          yield* hung(1)
          yield* TestClock.adjust("90 seconds")
          const silent = yield* ended()
          assert.deepStrictEqual([silent.ending, silent.reason], ["failed", "The model did not answer within 90 s."])
        })
      )
      yield* withReviews(
        { ...options, bounds: { callWithinMillis: 900_000, reviewWithinMillis: 240_000 } },
        Effect.gen(function* () {
          yield* settle()
          yield* hung(2)
          yield* TestClock.adjust("240 seconds")
          const late = yield* ended()
          assert.deepStrictEqual([late.ending, late.reason], ["over_budget", "It took longer than 240 s."])
        })
      )
    })
  )

  it.effect("says what is missing where there is no key or no model", () =>
    Effect.gen(function* () {
      yield* withReviews(
        eachTurn,
        Effect.gen(function* () {
          yield* settle()
          const record = yield* ended()
          assert.deepStrictEqual([record.ending, record.model, record.iterations], ["failed", null, 0])
          assert.match(record.reason ?? "", /no key to review with.*OPENAI_API_KEY/)
        })
      )
      yield* withReviews(
        { ...eachTurn, apiKey: key },
        Effect.gen(function* () {
          yield* settle({}, session({ model: null }))
          assert.match((yield* ended()).reason ?? "", /no model to review with/)
        })
      )
    })
  )

  it.effect("uses the account of the session's agent where the review has none of its own", () =>
    Effect.gen(function* () {
      const { asked, baseUrl } = yield* serve(inOrder({ text: "Nothing." }))
      const env = { OPENAI_API_KEY: "sk-of-the-agent", OPENAI_BASE_URL: baseUrl }
      yield* withReviews(
        eachTurn,
        Effect.gen(function* () {
          yield* settle()
          assert.strictEqual((yield* ended()).ending, "completed")
        }),
        { codex: { protocol: "codex-app-server", env } }
      )
      assert.strictEqual(asked[0]?.authorization, "Bearer sk-of-the-agent")
    })
  )
})

describe("a live turn", () => {
  it.effect("cancels a review that waits for its model, and what was used is kept", () =>
    Effect.gen(function* () {
      const { asked, options } = yield* account(inOrder(calling("memory", { action: "list" }), "hang"))
      yield* withReviews(
        options,
        Effect.gen(function* () {
          yield* settle()
          while (asked.length < 2) yield* TestClock.withLive(Effect.sleep("5 millis"))
          const reviews = yield* Reviews
          // The clock stands still: that it returns at all means that it did not wait for a deadline.
          yield* reviews.cancel(id, "A turn began.")
          const [record] = yield* reviews.of(id)
          assert.deepStrictEqual(
            [record?.ending, record?.reason, record?.usage.inputTokens],
            ["cancelled", "A turn began.", 100]
          )
          yield* reviews.cancel(id, "Nothing runs.")
        })
      )
    })
  )

  it.effect("never waits more than 2 s for a host that will not stop", () => {
    const begun = Deferred.makeUnsafe<void>()
    const stubborn = Effect.uninterruptible(
      Effect.andThen(Deferred.succeed(begun, undefined), Effect.sleep("1 minute"))
    )
    return withReviews(
      { ...eachTurn, onReview: () => stubborn },
      Effect.gen(function* () {
        yield* settle()
        yield* Deferred.await(begun)
        const reviews = yield* Reviews
        const cancelling = yield* Effect.forkChild(reviews.cancel(id, "A turn began."))
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(cancelling)
        assert.strictEqual((yield* ended()).ending, "cancelled")
        yield* TestClock.adjust("1 minute")
      })
    )
  })

  it.effect("is followed by the next review, one at a time, and a host's failure is the record's reason", () =>
    withReviews(
      {
        ...eachTurn,
        onReview: ({ messagesSnapshot }) => Effect.fail(new Error(`no room for ${messagesSnapshot.length}`))
      },
      Effect.gen(function* () {
        yield* settle()
        const first = yield* ended()
        assert.deepStrictEqual([first.ending, first.reason], ["failed", "no room for 2"])
        yield* TestClock.adjust("1 second")
        yield* settle({ index: 2 })
        assert.strictEqual((yield* ended()).turn, 2)
        const reviews = yield* Reviews
        assert.lengthOf(yield* reviews.of(id), 2)
      })
    )
  )
})

describe("a Troupe that stops", () => {
  it.effect("ends its reviews as cancelled, and the next one closes what a dead one left open", () =>
    Effect.gen(function* () {
      const filename = yield* scratchFile
      const options = { ...eachTurn, onReview: () => Effect.never }
      yield* Effect.andThen(
        Ledger.use((ledger) => ledger.write([opened({ agent: "codex" })])),
        settle()
      ).pipe(Effect.provide(life(filename, options)))
      yield* Effect.gen(function* () {
        const reviews = yield* Reviews
        const [record] = yield* reviews.of(id)
        assert.deepStrictEqual([record?.ending, record?.reason], ["cancelled", "Troupe was shutting down."])
        const ledger = yield* Ledger
        const dead = { ...record!, id: "rev_dead", endedAt: null, ending: null, reason: null }
        yield* ledger.write([{ _tag: "ReviewStarted", record: dead }])
      }).pipe(Effect.provide(life(filename, options)))
      yield* Effect.gen(function* () {
        const reviews = yield* Reviews
        const dead = (yield* reviews.of(id)).find((record) => record.id === "rev_dead")
        assert.deepStrictEqual([dead?.ending, dead?.reason], ["cancelled", "Troupe stopped while it ran."])
      }).pipe(Effect.provide(life(filename, options)))
    }).pipe(Effect.scoped)
  )
})
