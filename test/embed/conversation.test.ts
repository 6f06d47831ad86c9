/** `runConversation`, for apps that keep their own transcript, with real processes of the demo agent. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { openTroupe, TroupeError } from "../../src/promise.ts"
import type { Message, Session, StoredEvent, Troupe } from "../../src/promise.ts"

const user = (content: string): Message => ({ role: "user", content })
const contents = (messages: ReadonlyArray<Message>) => messages.map(({ content, role }) => [role, content])

/** Resolves with the first of the session's events for which `holds` is true. */
const untilEvent = async (session: Session, holds: (event: StoredEvent) => boolean) => {
  for await (const event of session.events()) if (holds(event)) return event
  return assert.fail("the session ended without it")
}
const contains = (text: string) => (event: StoredEvent) => JSON.stringify(event.message).includes(text)

describe("a conversation", () => {
  let troupe: Troupe
  let session: Session
  beforeEach(async () => {
    troupe = await openTroupe({ dataDir: ":memory:", defaultAgent: "demo", drainMillis: 500 })
    session = await troupe.createSession({ permissions: "approve_all" })
  })
  afterEach(() => troupe.close())

  it("has the user's message once and first among the new ones, and continues its thread", async () => {
    const first = await session.runConversation("hello")
    assert.deepStrictEqual(contents(first.messages), [
      ["user", "hello"],
      ["assistant", "You said: hello (turn 1)"]
    ])
    assert.containSubset(first, {
      finalResponse: "You said: hello (turn 1)",
      apiCalls: 1,
      completed: true,
      partial: false,
      interrupted: false,
      error: null,
      toolIterations: 0,
      codexTurnId: null
    })
    assert.isString(first.codexThreadId)
    const second = await session.runConversation("tool echo hi")
    assert.deepStrictEqual(second.messages.slice(0, 2), first.messages)
    assert.deepStrictEqual(
      second.messages.slice(2).map(({ role }) => role),
      ["user", "assistant", "tool", "assistant"]
    )
    assert.strictEqual(second.toolIterations, 1)
    assert.strictEqual(second.codexThreadId, first.codexThreadId)
    assert.deepStrictEqual(await session.messages(), second.messages)
  })

  it("appends the new messages to the conversation that the app keeps, and repeats none", async () => {
    const history: ReadonlyArray<Message> = [{ role: "system", content: "Be brief." }, user("before"), user("hello")]
    const result = await session.runConversation("hello", { messages: history })
    assert.deepStrictEqual(contents(result.messages.slice(0, 3)), [
      ["system", "Be brief."],
      ["user", "before"],
      ["user", "hello"]
    ])
    // The demo agent repeats what it was given: the earlier messages in front of the prompt.
    assert.match(result.messages[3]?.content ?? "", /^You said: .*System: Be brief\..*User: before.*hello \(turn 1\)$/s)
    const next = await session.runConversation("and now", { messages: result.messages })
    assert.deepStrictEqual(next.messages.slice(0, 4), result.messages)
    assert.deepStrictEqual(next.messages[4], user("and now"))
  })

  it("is a result where the agent failed, has what had arrived, and names the setting to change", async () => {
    await session.runConversation("hello")
    const failed = await session.runConversation("tool echo kept\ncrash 3")
    assert.containSubset(failed, { completed: false, partial: true, interrupted: false, apiCalls: 1 })
    assert.match(failed.error ?? "", /^crash: .*exit code 3/)
    assert.match(failed.finalResponse, /^The turn failed \(crash: .*set `agent` in createSession/)
    assert.deepStrictEqual(
      failed.messages.slice(2, 5).map(({ role }) => role),
      ["user", "assistant", "tool"]
    )
    const after = await session.runConversation("recall")
    assert.isTrue(after.completed, "the next turn starts a new process and resumes the thread")
    assert.include(JSON.parse(after.finalResponse) as ReadonlyArray<string>, "hello")
    assert.strictEqual(after.codexThreadId, failed.codexThreadId)
  })

  it("is a result without a call where the turn never reached the agent", async () => {
    const missing = await openTroupe({
      dataDir: ":memory:",
      defaultAgent: "gone",
      agents: { gone: { protocol: "acp", command: ["/no/such/agent"] } },
      drainMillis: 100
    })
    try {
      const result = await (await missing.createSession({})).runConversation("hello")
      assert.containSubset(result, { apiCalls: 0, completed: false, partial: true })
      assert.isNotNull(result.error)
      assert.deepStrictEqual(contents(result.messages), [["user", "hello"]])
    } finally {
      await missing.close()
    }
    await session.close()
    const refused = await session.runConversation("anybody there?")
    assert.match(refused.error ?? "", /^session_closed: /)
    assert.containSubset(refused, { apiCalls: 0, completed: false, partial: true, codexThreadId: null })
    assert.deepStrictEqual(contents(refused.messages), [["user", "anybody there?"]])
  })

  it("is partial and interrupted, with the reason as its error, where its signal was aborted or it was closed", async () => {
    const stop = new AbortController()
    const running = session.runConversation("hang", { signal: stop.signal })
    await untilEvent(session, contains("Hanging."))
    stop.abort()
    const result = await running
    const wanted = { interrupted: true, partial: true, completed: false, apiCalls: 1 }
    assert.containSubset(result, { ...wanted, error: "interrupted by embedded" })
    assert.deepStrictEqual(result.messages[0], user("hang"))
    assert.strictEqual(result.finalResponse, "Hanging.")
    assert.isNull((await session.turns())[0]?.error, "an interrupt is no failure of the turn")
    const withReason = new AbortController()
    const second = session.runConversation("hang", { signal: withReason.signal })
    await untilEvent(session, ({ turn, ...event }) => turn === 2 && contains("Hanging.")({ turn, ...event }))
    withReason.abort("the user pressed stop")
    assert.containSubset(await second, { ...wanted, error: "the user pressed stop" })
    const third = session.runConversation("hang")
    await untilEvent(session, ({ turn, ...event }) => turn === 3 && contains("Hanging.")({ turn, ...event }))
    await session.close()
    assert.containSubset(await third, { ...wanted, error: "closed by embedded" })
  })

  it("never calls a model API of the embedding program, not even one that fails on every call", async () => {
    let calls = 0
    const api = createServer((_, response) => {
      calls++
      response.writeHead(500).end()
    })
    await new Promise<void>((listening) => api.listen(0, "127.0.0.1", listening))
    const address = `http://127.0.0.1:${(api.address() as AddressInfo).port}/v1`
    const before = process.env
    process.env = { ...before, OPENAI_API_KEY: "sk-not-real", OPENAI_BASE_URL: address, ANTHROPIC_BASE_URL: address }
    try {
      const troupe = await openTroupe({ dataDir: ":memory:", defaultAgent: "demo", drainMillis: 100 })
      const result = await (await troupe.createSession({})).runConversation("hello")
      await troupe.close()
      assert.isTrue(result.completed)
      assert.strictEqual(calls, 0)
    } finally {
      process.env = before
      await new Promise((closed) => api.close(closed))
    }
  })

  it("has the words that steered it as a second message of the user, and one end after them", async () => {
    const running = session.runConversation("tool echo first\nhang")
    await untilEvent(session, contains("Hanging."))
    await session.steer("do this instead")
    const result = await running
    assert.containSubset(result, { completed: true, finalResponse: "You said: do this instead (turn 1)" })
    assert.deepStrictEqual(
      result.messages.map(({ role }) => role),
      ["user", "assistant", "tool", "user", "assistant"]
    )
    assert.deepStrictEqual(result.messages[3], user("do this instead"))
    assert.deepStrictEqual(await session.messages(), result.messages)
  })

  it("refuses to steer where no turn runs, and to compact where the agent can't", async () => {
    const refusal = (promise: Promise<unknown>) =>
      promise.then(
        () => assert.fail("it should have been refused"),
        (error: unknown) => (assert.instanceOf(error, TroupeError), error as TroupeError)
      )
    assert.containSubset(await refusal(session.steer("hello?")), { code: "no_turn", status: 409 })
    assert.containSubset(await refusal(session.compact()), { code: "not_supported", status: 422 })
    const { capabilities } = (await troupe.agents()).find(({ name }) => name === "demo")!
    assert.containSubset(capabilities, { steer: true, compact: false })
  })
})
