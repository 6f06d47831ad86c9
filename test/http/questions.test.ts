/** Questions of an agent over HTTP: listed with their fields, answered by value, refused where an answer does not fit. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { FetchHttpClient } from "effect/http"
import * as Client from "../../src/http/Client.ts"
import { askedFields } from "../services/AgentScript.ts"
import { openScripted } from "../services/scriptedTroupe.ts"

it.live("a question is listed with its fields, and its answers are shown without the secret one", () =>
  Effect.gen(function* () {
    const troupe = yield* openScripted
    const { id, path, questions } = yield* troupe.asking()
    assert.containSubset(questions[0], {
      kind: "question",
      title: "What do you want?",
      answers: null,
      status: "pending"
    })
    assert.deepStrictEqual(questions[0].fields, askedFields)
    const answers = { colour: "blue", count: 3, sure: true, sizes: ["s"], token: "hunter2" }
    const { json, status } = yield* troupe.call(path, { body: { decision: "once", answers } })
    assert.strictEqual(status, 200)
    assert.containSubset(json, { ok: true, status: "answered", decision: "once", answers: { ...answers, token: null } })
    assert.deepStrictEqual(JSON.parse(yield* troupe.said(id)), answers)
  }).pipe(Effect.scoped)
)

it.live("an answer that does not fit is a 400 that names its field, and leaves the question open", () =>
  Effect.gen(function* () {
    const troupe = yield* openScripted
    const { id, path } = yield* troupe.asking()
    const detailOf = (body: object) =>
      Effect.map(troupe.call(path, { body }), ({ json, status }) => {
        assert.deepStrictEqual([status, json.error], [400, "invalid_request"])
        return String(json.detail)
      })
    const once = (answers: unknown) => detailOf({ decision: "once", answers })
    assert.include(yield* once({}), "answers.colour is missing: it takes one of")
    assert.include(
      yield* once({ colour: "red", suer: true }),
      "answers.suer is not a known field (did you mean `sure`?)"
    )
    assert.include(yield* once({ colour: "red", count: "2" }), "answers.count must be a number")
    assert.include(yield* once({ colour: { value: "red" } }), "answers.colour")
    assert.include(yield* once("red"), "answers must be")
    assert.include(yield* detailOf({ decision: "session", answers: { colour: "red" } }), "decision must be")
    assert.include(yield* detailOf({ decision: "once", answer: { colour: "red" } }), "did you mean `answers`?")
    assert.strictEqual((yield* troupe.call(`/sessions/${id}/approvals`)).json.count, 1)
    yield* troupe.call(path, { body: { decision: "deny" } })
    assert.strictEqual(yield* troupe.said(id), "declined")
  }).pipe(Effect.scoped)
)

it.live("the typed client lists a question and answers it", () =>
  Effect.gen(function* () {
    const troupe = yield* openScripted
    const { id } = yield* troupe.asking()
    const client = yield* Client.make({ baseUrl: troupe.base, token: troupe.token })
    const [question] = (yield* client.approvals.list({ params: { id } })).approvals
    const [field] = question!.fields ?? []
    assert.strictEqual(field?.options?.[1]?.value, "blue")
    const params = { id, approval_id: question!.approvalId }
    const refused = yield* Effect.flip(client.approvals.answer({ params, payload: { decision: "once", answers: {} } }))
    assert.containSubset(refused, { error: "invalid_request", status: 400 })
    const payload = { decision: "once", answers: { colour: "blue", sizes: ["l"] } } as const
    assert.deepStrictEqual((yield* client.approvals.answer({ params, payload })).answers, payload.answers)
    assert.strictEqual(yield* troupe.said(id), '{"colour":"blue","sizes":["l"]}')
  }).pipe(Effect.scoped, Effect.provide(FetchHttpClient.layer))
)

it.live("the dashboard's API has the fields, takes answers and refuses them as HTTP does", () =>
  Effect.gen(function* () {
    const troupe = yield* openScripted
    const { id, path } = yield* troupe.asking()
    const { approvals } = (yield* troupe.call("/inspect/api/approvals")).json
    assert.containSubset(approvals, [{ session_id: id, kind: "question", fields: askedFields, answers: null }])
    const answer = (answers: object) =>
      troupe.call(`/inspect/api${path}`, { body: { decision: "once", answers }, headers: { "x-troupe-inspect": "1" } })
    const refused = yield* answer({ colour: "red", sizes: ["m"] })
    assert.containSubset(refused, { status: 400, json: { error: "invalid_request" } })
    assert.include(refused.json.detail, "answers.sizes must be a list of")
    assert.containSubset(yield* answer({ colour: "red", token: "hunter2" }), {
      status: 200,
      json: { note: "Answered." }
    })
    yield* troupe.said(id)
    const detail = yield* troupe.call(`/inspect/api/sessions/${id}`)
    assert.containSubset(detail.json.approvals, [{ answers: { colour: "red", token: null }, status: "answered" }])
  }).pipe(Effect.scoped)
)
