/** Questions of a real agent process in the library: the demo agent's form, answered, refused, declined and withdrawn. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { openTroupe, TroupeError } from "../../src/promise.ts"
import type { Session, Troupe } from "../../src/promise.ts"

/** The first question, from the stream. */
const firstQuestion = async (session: Session) => {
  for await (const { message } of session.events()) {
    if ("method" in message && message.method === "_troupe/approval_asked") return message.params
  }
  return assert.fail("the session ended without a question")
}

describe("a question of the demo agent", () => {
  let troupe: Troupe
  beforeEach(async () => {
    troupe = await openTroupe({ dataDir: ":memory:", defaultAgent: "demo", drainMillis: 500 })
  })
  afterEach(() => troupe.close())

  it("is in the events with its fields, refuses what does not fit, and gives its answers to the agent", async () => {
    const session = await troupe.createSession({ permissions: "ask" })
    const turn = session.turn("form")
    const asked = await firstQuestion(session)
    assert.containSubset(asked, { kind: "question", title: "What may it be?" })
    assert.deepStrictEqual(
      asked.fields?.map(({ id, type }) => [id, type]),
      [
        ["color", "choice"],
        ["sizes", "choices"],
        ["count", "number"],
        ["gift", "boolean"],
        ["note", "text"]
      ]
    )
    const id = asked.approval_id
    const refused = await session.answer(id, "once", { sizes: ["S"] }).catch((error: unknown) => error)
    assert.instanceOf(refused, TroupeError)
    assert.containSubset(refused, { code: "invalid_request", status: 400 })
    assert.include((refused as TroupeError).message, "answers.color is missing")
    const answers = { color: "red", sizes: ["S", "L"], count: 3, gift: true, note: "hello" }
    assert.containSubset(await session.answer(id, "once", answers), { status: "answered", answers })
    const { finalText } = await turn
    assert.include(finalText, '"action":"accept"')
    for (const part of ['"red"', '"S","L"', "3", "true", '"hello"']) assert.include(finalText, part)
  })

  it("is declined by a person, and at once where the session has its questions declined", async () => {
    const session = await troupe.createSession({ permissions: "ask" })
    const turn = session.turn("form")
    await session.answer((await firstQuestion(session)).approval_id, "deny")
    assert.include((await turn).finalText, '"action":"decline"')
    const alone = await troupe.createSession({ permissions: "ask", questions: "decline" })
    assert.notInclude((await alone.turn("form")).finalText, '"action":"accept"')
    assert.deepStrictEqual(await alone.approvals(), [])
  })

  it("is withdrawn when its turn is interrupted", async () => {
    const session = await troupe.createSession({ permissions: "ask" })
    const turn = session.turn("form")
    const { approval_id } = await firstQuestion(session)
    await session.interrupt()
    assert.isTrue((await turn).interrupted)
    const late = await session.answer(approval_id, "once", { color: "red" }).catch((error: unknown) => error)
    assert.containSubset(late, { code: "approval_settled", status: 409 })
  })
})
