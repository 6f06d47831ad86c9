/** What scripted ACP agents do to a whole session: real processes, the library, and what it has stored. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { openTroupe, TroupeError } from "../../src/promise.ts"
import type { AcpMessage, Session, Troupe } from "../../src/promise.ts"
import { chunk, end, scriptFolder, tool, toolUpdate } from "../agent/acp.script.ts"
import type { Script, ScriptFolder, Step } from "../agent/acp.script.ts"

let folder: ScriptFolder
let troupe: Troupe | undefined
beforeEach(() => {
  folder = scriptFolder()
})
afterEach(async () => {
  await troupe?.close()
  troupe = undefined
  folder.remove()
})

const open = async (script: Script, settings: Partial<Parameters<typeof openTroupe>[0]> = {}) =>
  (troupe = await openTroupe({
    dataDir: ":memory:",
    agents: { scripted: { protocol: "acp", command: folder.command(script) } },
    defaultAgent: "scripted",
    drainMillis: 500,
    ...settings
  }))

const kinds = (events: ReadonlyArray<AcpMessage>) =>
  events.map((event) =>
    "method" in event && event.method === "session/update" ? event.params.update.sessionUpdate : "end"
  )

/** Answers every approval that the session's events report, from the beginning. */
const answerAll = async (session: Session, turns: number) => {
  const answered: Array<unknown> = []
  for await (const { message, turn } of session.events({ after: 0 })) {
    if (!("method" in message) || message.method !== "_troupe/approval_asked") continue
    const { approval_id } = message.params as { readonly approval_id: string }
    const [approval] = await session.approvals()
    answered.push([turn, approval?.turn, approval?.title])
    await session.answer(approval_id, "once")
    if (answered.length === turns) break
  }
  return answered
}

describe("the text after the reply to a prompt", () => {
  const late = (...steps: ReadonlyArray<Step>): Script => ({
    turns: [[...steps, end, { until: folder.signal("answered") }, chunk("lo"), chunk("!")]]
  })
  const textOf = (message: AcpMessage) =>
    "method" in message && message.method === "session/update"
      ? ((message.params.update["content"] as { readonly text: string } | undefined)?.text ?? "")
      : ""

  /** The late events of the session's stream, until they have this text. */
  const lateEvents = async (session: Session, text: string) => {
    const events: Array<AcpMessage> = []
    let ended = false
    for await (const { message, turn } of session.events({ after: 0 })) {
      if (ended && turn === 1 && message.method === "session/update") events.push(message)
      ended ||= !("method" in message)
      if (events.map(textOf).join("") === text) break
    }
    return events
  }

  it.each([
    ["its rest", [chunk("Hel")], "Hel", "Hello!"],
    ["all of it", [], "", "lo!"]
  ] as const)("is a marked event after the turn's end, and a whole message: %s", async (_, steps, answered, whole) => {
    const { createSession } = await open(late(...steps))
    const session = await createSession()
    const outcome = await session.turn("one")
    assert.strictEqual(outcome.finalText, answered)
    folder.touch("answered")
    const events = await lateEvents(session, "lo!")
    for (const event of events) assert.containSubset(event, { params: { _meta: { "troupe/late": true } } })
    const [stored] = await session.turns()
    assert.deepStrictEqual(stored?.events, outcome.events)
    assert.strictEqual(stored?.finalText, whole)
    assert.deepStrictEqual((await session.messages()).slice(1), [{ role: "assistant", content: whole }])
  })
})

it("an answer that is a picture, with an odd end, completes its turn and is in the final text", async () => {
  const image = { type: "image", mimeType: "image/png", data: "aGVsbG8=" }
  const { createSession } = await open({
    turns: [
      [
        { update: { sessionUpdate: "agent_message_chunk", content: image } },
        { result: { stopReason: 7, usage: { inputTokens: "3", outputTokens: -1 } } }
      ]
    ]
  })
  const outcome = await (await createSession()).turn("one")
  assert.containSubset(outcome, {
    ok: true,
    stopReason: "end_turn",
    finalText: '[image] {"bytes":5,"mimeType":"image/png"}',
    usage: { inputTokens: 3, outputTokens: 0 }
  })
})

it("a sub-agent's request is asked in its parent's turn with a mark, and its updates are marked, and no message", async () => {
  const child = "child-1"
  const { createSession } = await open({
    turns: [
      [
        { ...chunk("Looking."), sessionId: child },
        { ...tool("call_0", "pending", { title: "rm -r build", kind: "execute" }), sessionId: child },
        { ask: { toolCallId: "call_0" }, sessionId: child },
        { ...toolUpdate("call_0", "completed"), sessionId: child },
        chunk("Done."),
        end
      ]
    ]
  })
  const session = await createSession({ permissions: "ask" })
  const answered = answerAll(session, 1)
  const outcome = await session.turn("delegate")
  assert.deepStrictEqual(await answered, [[1, 1, "rm -r build (sub-agent child-1)"]])
  assert.deepInclude(folder.received().at(-1), { answer: { outcome: { outcome: "selected", optionId: "yes" } } })
  const subagent = "_troupe/subagent_update"
  assert.deepStrictEqual(kinds(outcome.events), [subagent, subagent, subagent, "agent_message_chunk", "end"])
  assert.containSubset(outcome.events[0], { params: { update: { sessionId: child, update: { content: {} } } } })
  assert.deepStrictEqual(outcome.messages.slice(1), [{ role: "assistant", content: "Done." }])
})

it("a rule applies to a sub-agent, too", async () => {
  const { createSession } = await open({
    turns: [
      [
        { ask: { toolCallId: "call_0", title: "build", rawInput: { command: "rm -r build" } }, sessionId: "child-1" },
        end
      ]
    ]
  })
  // oxlint-disable-next-line unicorn/no-thenable -- a rule says what is then, as on the wire
  const rules = [{ match: { command: ["rm", "*"] }, then: "deny" }] as const
  await (await createSession({ permissions: { default: "approve_all", rules } })).turn("delegate")
  assert.deepInclude(folder.received().at(-1), { answer: { outcome: { outcome: "selected", optionId: "no" } } })
})

it("a conversation that the model refuses for ever fails as such, and the turns in line are not handed over", async () => {
  const refusal = { code: -32603, message: "API Error: 400 messages.3.content.16: thinking cannot be modified" }
  const { createSession } = await open({
    turns: [[{ error: refusal }], [{ until: folder.signal("queued") }, { error: refusal }]]
  })
  const session = await createSession()
  assert.match((await session.turn("one")).error ?? "", /^model: /)
  const second = session.turn("two")
  const queued = [session.turn("three", { queue: true }), session.turn("four", { queue: true })]
  // The commits of queued turns are no events of the session.
  while ((await session.turns()).length < 4) await new Promise((resolve) => setImmediate(resolve))
  folder.touch("queued")
  for (const outcome of [await second, ...(await Promise.all(queued))]) {
    assert.match(outcome.error ?? "", /^conversation: .* Start a new session/)
  }
  assert.deepStrictEqual(
    (await session.turns()).map(({ apiCalls }) => apiCalls),
    [1, 1, 0, 0]
  )
  assert.strictEqual(folder.received().filter(({ method }) => method === "session/prompt").length, 2)
})

it("a command that makes the agent begin another conversation is refused, and its agent never gets it", async () => {
  const { createSession } = await open({})
  const session = await createSession()
  const refusalOf = (asked: PromiseLike<unknown>) =>
    asked.then(
      () => assert.fail("it should have been refused"),
      (error: unknown) => error
    )
  for (const words of ["/clear", " /new\n", "/reset everything"]) {
    for (const refusal of [await refusalOf(session.turn(words)), await refusalOf(session.steer(words))]) {
      assert.instanceOf(refusal, TroupeError)
      assert.containSubset(refusal, { code: "invalid_request", status: 400 })
      assert.match(
        (refusal as TroupeError).message,
        /(prompt|text) begins with \/(clear|new|reset), .* Create a new session/
      )
    }
  }
  assert.isTrue((await session.turn("/newspaper and /clear are words")).ok)
  assert.strictEqual((await session.turns()).length, 1)
})

describe("a tool call id that comes back in a later turn", () => {
  it("has its approval, its events and its messages in the later turn", async () => {
    const calls = [
      tool("call_0", "pending", { title: "ls", kind: "execute", rawInput: { command: "ls" } }),
      { ask: { toolCallId: "call_0" } },
      toolUpdate("call_0", "completed", { rawOutput: "a" }),
      end
    ]
    const { createSession } = await open({ turns: [calls] })
    const session = await createSession({ permissions: "ask" })
    const answered = answerAll(session, 2)
    const [first, second] = [await session.turn("one"), await session.turn("two")]
    assert.deepStrictEqual(await answered, [
      [1, 1, "ls"],
      [2, 2, "ls"]
    ])
    for (const turn of [first, second, ...(await session.turns())]) {
      assert.deepStrictEqual(kinds(turn.events), ["tool_call", "tool_call_update", "end"])
      assert.strictEqual(turn.toolIterations, 1)
      assert.deepStrictEqual(
        turn.messages.map(({ role }) => role),
        ["user", "assistant", "tool"]
      )
    }
  })

  it("arms the watchdog of the later turn", async () => {
    const call = [tool("call_0", "in_progress"), toolUpdate("call_0", "completed")]
    const { createSession } = await open(
      {
        turns: [
          [...call, end],
          [...call, { until: folder.signal("never") }]
        ]
      },
      { limits: { postToolQuietMillis: 200 } }
    )
    const session = await createSession()
    await session.turn("one")
    const { error, ok } = await session.turn("two")
    assert.isFalse(ok)
    assert.match(error ?? "", /^timeout: The agent said nothing for too long after a tool had ended/)
  })
})
