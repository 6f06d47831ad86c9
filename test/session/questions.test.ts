/** Questions of an agent: asked, answered with fields, refused where an answer does not fit, declined and withdrawn. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import type { SessionId } from "../../src/domain/Ids.ts"
import type { Answers } from "../../src/domain/Question.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import { scratch } from "../ledger/samples.ts"
import { askedFields, killProcess } from "../services/AgentScript.ts"
import { app, ours, runtimeIn, scriptLayer, stateOf, until, withRuntime } from "../services/harness.ts"

/** A session whose agent has asked, and waits. */
const asking = (prompt = "question", count = 1) =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const { id } = yield* sessions.create(app, {})
    const { result } = yield* sessions.submit(ours, id, { prompt })
    const turn = yield* Effect.forkChild(result)
    const open = sessions.approvals(ours, id)
    yield* until(
      `${count} questions of ${id}`,
      Effect.map(open, ({ length }) => length === count)
    )
    return { id, turn, questions: yield* open }
  })

/** What the stream, the audit trail and the ledger say about a session's question. */
const traces = (id: SessionId, approval: string) =>
  Effect.gen(function* () {
    const ledger = yield* Ledger
    const sessions = yield* Sessions
    const events = (yield* ledger.events(id, 0, 1_000)).flatMap(({ message }) =>
      "method" in message && message.method.startsWith("_troupe/approval_")
        ? [(message as { readonly params: Readonly<Record<string, unknown>> }).params]
        : []
    )
    const audit = (yield* sessions.audit(id)).flatMap(({ action, actor, detail }) =>
      action === "approval" ? [{ actor, ...detail }] : []
    )
    const row = yield* ledger.approval(id, approval)
    return { events, audit, row: row._tag === "Some" ? row.value : undefined }
  })

const full: Answers = { colour: "green", count: 2.5, sure: false, sizes: ["l", "s"], token: "hunter2" }

describe("questions", () => {
  it.effect(
    "a question waits for its answers, which reach the agent whole, and everybody else without the secret",
    () =>
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const { id, questions, turn } = yield* asking()
        const [one] = questions
        assert.strictEqual(yield* stateOf(id), "turning.asking")
        assert.containSubset(one, { kind: "question", title: "What do you want?", fields: askedFields, answers: null })
        const shown = { ...full, token: null }
        const settled = yield* sessions.answer(ours, id, one!.id, "once", full)
        assert.containSubset(settled, { status: "answered", decision: "once", decidedBy: "ours", answers: shown })
        assert.deepStrictEqual(JSON.parse((yield* Fiber.join(turn)).finalText), full)
        const { audit, events, row } = yield* traces(id, one!.id)
        assert.deepStrictEqual(events[0]!["fields"], askedFields)
        assert.deepStrictEqual(events[1]!["answers"], shown)
        assert.containSubset(audit, [{ actor: "ours", status: "answered", decision: "once", answers: shown }])
        assert.deepStrictEqual([row!.fields, row!.answers], [askedFields, shown])
        assert.notInclude(JSON.stringify({ audit, events, row }), "hunter2")
      }).pipe(withRuntime())
  )

  it.effect("an answer that does not fit names its field and what that takes, and the question stays open", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id, questions, turn } = yield* asking()
      const refusal = (decision: "once" | "session" | "deny", answers?: unknown) =>
        Effect.map(
          Effect.flip(sessions.answer(ours, id, questions[0]!.id, decision, answers as Answers)),
          ({ code, detail, status }) => {
            assert.deepStrictEqual([status, code], [400, "invalid_request"])
            return detail
          }
        )
      const options = 'one of "red", "blue", or another text'
      const wrong: ReadonlyArray<readonly [unknown, string]> = [
        [undefined, `answers.colour is missing: it takes ${options}.`],
        [{}, `answers.colour is missing: it takes ${options}.`],
        [{ colour: "" }, `answers.colour may not be empty: it takes ${options}.`],
        [{ colour: 7 }, `answers.colour must be ${options}.`],
        [{ colour: "red", color: "red" }, "answers.color is not a known field (did you mean `colour`?)."],
        [{ colour: "red", count: "2" }, "answers.count must be a number."],
        [{ colour: "red", count: Number.NaN }, "answers.count must be a number."],
        [{ colour: "red", sure: "yes" }, "answers.sure must be true or false."],
        [{ colour: "red", sizes: ["m"] }, 'answers.sizes must be a list of "s", "l", each once.'],
        [{ colour: "red", sizes: ["s", "s"] }, 'answers.sizes must be a list of "s", "l", each once.'],
        [{ colour: "red", token: null }, "answers.token must be a text."],
        [{ colour: "a\0b" }, "answers.colour may not contain the character NUL (U+0000)."],
        [{ colour: "x".repeat(70_000) }, "answers may have at most 65536 characters."],
        [["red"], "answers must be an object with an answer for each field, by the field's id."]
      ]
      for (const [answers, detail] of wrong) assert.strictEqual(yield* refusal("once", answers), detail)
      assert.match(yield* refusal("session", { colour: "red" }), /^decision must be "once", with answers, or "deny"/)
      assert.match(yield* refusal("deny", { colour: "red" }), /^answers can only go with "decision": "once"/)
      assert.strictEqual(yield* stateOf(id), "turning.asking")
      assert.strictEqual((yield* sessions.approvals(ours, id)).length, 1)
      yield* sessions.answer(ours, id, questions[0]!.id, "once", { colour: "blue" })
      assert.strictEqual((yield* Fiber.join(turn)).finalText, '{"colour":"blue"}')
    }).pipe(withRuntime())
  )

  it.effect("an answer with fields is refused where the agent asks for permission", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id, questions, turn } = yield* asking("approvals edit")
      const [one] = questions
      assert.deepStrictEqual([one!.kind, one!.fields, one!.answers], ["edit", null, null])
      const refused = yield* Effect.flip(sessions.answer(ours, id, one!.id, "once", {}))
      assert.containSubset(refused, { status: 400, field: "answers" })
      yield* sessions.answer(ours, id, one!.id, "session")
      assert.strictEqual((yield* Fiber.join(turn)).finalText, "session")
    }).pipe(withRuntime())
  )

  it.effect("a question is declined by a person, and by its deadline", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id, questions, turn } = yield* asking("question 2", 2)
      const [first, second] = questions
      assert.containSubset(yield* sessions.answer(ours, id, first!.id, "deny"), { status: "answered", answers: null })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(turn)).finalText, "declined declined")
      assert.containSubset((yield* traces(id, second!.id)).row, { status: "expired", decision: "deny", answers: null })
      const late = yield* Effect.flip(sessions.answer(ours, id, second!.id, "once", full))
      assert.strictEqual(late.code, "approval_settled")
    }).pipe(withRuntime({ approvalTimeoutMillis: 60_000 }))
  )

  it.effect("a question is withdrawn when its turn is interrupted, and when the agent's process dies", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const interrupted = yield* asking()
      yield* sessions.interrupt(ours, interrupted.id)
      assert.isTrue((yield* Fiber.join(interrupted.turn)).turn.interrupted)
      const dying = yield* asking()
      yield* killProcess(dying.id)
      yield* Fiber.join(dying.turn)
      for (const { id, questions } of [interrupted, dying]) {
        const { row } = yield* traces(id, questions[0]!.id)
        assert.containSubset(row, { status: "withdrawn", decision: "deny", decidedBy: "troupe", answers: null })
      }
    }).pipe(withRuntime())
  )

  it.effect("a question is withdrawn at the recovery from Troupe's death", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const { id, questions } = yield* Effect.scoped(
        Effect.flatMap(Layer.build(runtimeIn(directory)), (context) => Effect.provide(asking(), context))
      )
      yield* Effect.gen(function* () {
        const sessions = yield* Sessions
        assert.deepStrictEqual(yield* sessions.approvals(ours, id), [])
        const { events, row } = yield* traces(id, questions[0]!.id)
        assert.containSubset(row, { status: "withdrawn", decidedBy: "troupe", fields: askedFields, answers: null })
        assert.containSubset(events.at(-1), { approval_id: questions[0]!.id, status: "withdrawn" })
      }).pipe(Effect.provide(runtimeIn(directory)))
    }).pipe(Effect.provide(scriptLayer), Effect.scoped)
  )

  it.effect("a question that can't be asked is declined at once, and the audit trail says why", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id } = yield* sessions.create(app, {})
      const { result } = yield* sessions.submit(ours, id, { prompt: "question many-fields" })
      assert.strictEqual((yield* result).finalText, "declined")
      const ledger = yield* Ledger
      yield* until(
        "the audit line",
        Effect.map(ledger.audit(id, 100), (lines) => lines.some(({ action }) => action === "approval"))
      )
      const line = (yield* sessions.audit(id)).find(({ action }) => action === "approval")
      assert.containSubset(line!.detail, {
        kind: "question",
        decision: "deny",
        reason: "the question can't be asked: it has 33 fields, and at most 32 are asked"
      })
    }).pipe(withRuntime())
  )

  it.effect("an agent that waits for an answer is not taken for silent", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id, questions, turn } = yield* asking("tool-question")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* stateOf(id), "turning.asking")
      yield* sessions.answer(ours, id, questions[0]!.id, "once", { colour: "red" })
      assert.strictEqual((yield* Fiber.join(turn)).finalText, '{"colour":"red"}')
    }).pipe(withRuntime({ postToolQuietMillis: 5_000, turnQuietMillis: 5_000 }))
  )
})
