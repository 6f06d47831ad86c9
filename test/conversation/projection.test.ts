/** The projection of an agent's texts, and the properties of the messages. */
import { assert, describe, it } from "@effect/vitest"
import { resultOf } from "../../src/conversation/turnResult.ts"
import { project } from "../../src/conversation/Projection.ts"
import type { SessionUpdate } from "../../src/domain/Acp.ts"
import {
  says,
  thinks,
  marked,
  calls,
  ends,
  eventsOf,
  good,
  cancelled,
  failed,
  projected,
  messagesOf
} from "./events.ts"
import { turnRecord } from "./recorded.ts"

describe("the events of a turn", () => {
  it("the events of a turn are those up to its end, whatever an agent adds afterwards", () => {
    const title: SessionUpdate = { sessionUpdate: "session_info_update", title: "Hello" }
    const answered = [...eventsOf(says("hi")), good]
    assert.deepStrictEqual(resultOf(turnRecord({}), answered).events, answered)
    assert.deepStrictEqual(resultOf(turnRecord({}), [...answered, ...eventsOf(title)]).events, answered)
  })
})

describe("the texts of an agent", () => {
  it("a text is a message, with the thoughts before it", () =>
    assert.deepStrictEqual(
      projected(
        thinks("first ", marked),
        thinks("second", { messageId: "t2", ...marked }),
        says("Hel"),
        says("lo", marked)
      ),
      [{ role: "assistant", content: "Hello", reasoning: "first\n\nsecond" }]
    ))

  it("a text continues after an update of a running tool, and a new one begins after a new call", () => {
    const contents = (update: SessionUpdate) =>
      projected(calls({ name: "t" }), says("one "), update, says("two"), ends()).map(({ content }) => content)
    assert.deepStrictEqual(contents({ ...ends(), status: "in_progress" }), [null, "completed", "one two"])
    assert.deepStrictEqual(contents(calls({ toolCallId: "call_2", name: "t" })), [
      null,
      "completed",
      "one ",
      null,
      "[unfinished]",
      "two"
    ])
  })

  it("the last text is the final text", () => {
    const { finalText, messages } = resultOf(turnRecord({}), [
      ...eventsOf(says("I will look."), calls({ name: "t" }), ends(), says("Seen.", { messageId: "m2" })),
      good
    ])
    assert.strictEqual(finalText, "Seen.")
    assert.strictEqual(messages.length, 5)
  })

  it("a text that was cut off is no message, and the final text only if there is no other", () => {
    for (const end of [cancelled, failed]) {
      const { finalText, messages } = resultOf(turnRecord({ status: "failed" }), [
        ...eventsOf(says("half an ans")),
        end
      ])
      assert.deepStrictEqual([messages.length, finalText], [1, "half an ans"])
    }
  })

  it("a text that is followed by something is a message, however the turn ends", () =>
    assert.deepStrictEqual(
      messagesOf([...eventsOf(says("Looking."), calls({ name: "t" })), failed], { status: "failed" }).map(
        ({ content }) => content
      ),
      ["Looking.", null, "[unfinished]"]
    ))

  it("where the agent marks complete texts, a steered or retried answer leaves no message", () =>
    assert.deepStrictEqual(
      projected(
        says("one two"),
        says("", { _meta: { "troupe/completed": false } }),
        says("one", { messageId: "m2", ...marked })
      ),
      [{ role: "assistant", content: "one" }]
    ))

  it("a text that is sent again after a cut is one message", () =>
    assert.deepStrictEqual(projected(says("The answer"), says("The answer is 4.", { messageId: "m2" })), [
      { role: "assistant", content: "The answer is 4." }
    ]))

  it("a text after its turn is a message of that turn, and not its final text", () => {
    const late = eventsOf(says("Done in the background.", { messageId: "m2" }), {
      sessionUpdate: "usage_update",
      cost: {}
    })
    const { finalText, messages } = resultOf(turnRecord({}), [...eventsOf(says("Started.")), good, ...late])
    assert.deepStrictEqual(
      messages.slice(1).map(({ content }) => content),
      ["Started.", "Done in the background."]
    )
    assert.strictEqual(finalText, "Started.")
  })

  it.each([
    ["with an id", { messageId: "m1" }],
    ["without ids", { messageId: undefined }]
  ])("a text whose rest comes after the turn's end is whole: %s", (_, id) => {
    const title: SessionUpdate = { sessionUpdate: "session_info_update", title: "Hello" }
    const { finalText, messages } = resultOf(turnRecord({}), [
      ...eventsOf(says("Hel", id)),
      good,
      ...eventsOf(title, says("l", id), says("o", id))
    ])
    assert.deepStrictEqual([finalText, messages.length, messages[1]?.content], ["Hello", 2, "Hello"])
  })

  it.each([
    ["with an id", { messageId: "m1" }],
    ["without ids", { messageId: undefined }]
  ])("a text that comes as a whole after the turn's end is its answer: %s", (_, id) => {
    const { finalText, messages } = resultOf(turnRecord({}), [good, ...eventsOf(says("Hel", id), says("lo", id))])
    assert.deepStrictEqual([finalText, messages.length, messages[1]?.content], ["Hello", 2, "Hello"])
  })

  it("a text without an id after a late tool call is no rest of the text before it", () => {
    const { messages } = resultOf(turnRecord({}), [
      ...eventsOf(says("One.", { messageId: undefined })),
      good,
      ...eventsOf(calls({ name: "t" }), ends(), says("Two.", { messageId: undefined }))
    ])
    assert.deepStrictEqual(
      messages.flatMap(({ content, role }) => (role === "assistant" && content !== null ? [content] : [])),
      ["One.", "Two."]
    )
  })

  it("the rest of a text that was cut off is not complete", () => {
    const { finalText, messages } = resultOf(turnRecord({ status: "interrupted" }), [
      ...eventsOf(says("Hel")),
      cancelled,
      ...eventsOf(says("lo"))
    ])
    assert.deepStrictEqual([finalText, messages.length], ["Hello", 1])
  })

  it.each([
    [
      "an image",
      { type: "image", mimeType: "image/png", data: "aGVsbG8=" },
      '[image] {"bytes":5,"mimeType":"image/png"}'
    ],
    ["audio", { type: "audio", mimeType: "audio/wav", data: "aGk=" }, '[audio] {"bytes":2,"mimeType":"audio/wav"}'],
    [
      "a link",
      { type: "resource_link", uri: "file:///w/a.md", name: "a.md" },
      '[resource_link] {"name":"a.md","uri":"file:///w/a.md"}'
    ],
    [
      "an embedded text",
      { type: "resource", resource: { uri: "file:///w/a.md", text: "# A", mimeType: "text/markdown" } },
      '[resource] {"mimeType":"text/markdown","text":"# A","uri":"file:///w/a.md"}'
    ],
    [
      "an embedded file",
      { type: "resource", resource: { uri: "file:///w/a.bin", blob: "aGVsbG8=" } },
      '[resource] {"bytes":5,"uri":"file:///w/a.bin"}'
    ],
    ["a block of an unknown type", { type: "hologram", depth: 3 }, '[hologram] {"depth":3}']
  ])("an answer that is no text is in the message and the final text: %s", (_, content, expected) => {
    const alone = resultOf(turnRecord({}), [...eventsOf(says("", { content })), good])
    assert.deepStrictEqual([alone.finalText, alone.messages[1]?.content], [expected, expected])
    const within = resultOf(turnRecord({}), [...eventsOf(says("See:"), says("", { content }), says("Done.")), good])
    assert.strictEqual(within.finalText, `See:\n${expected}\nDone.`)
  })

  it("content that is a list of blocks, or a mere string, is read as text", () => {
    const blocks = [
      { type: "text", text: "Hel" },
      { type: "text", text: "lo" }
    ]
    for (const content of [blocks, "Hello"]) {
      assert.strictEqual(resultOf(turnRecord({}), [...eventsOf(says("", { content })), good]).finalText, "Hello")
    }
  })

  it("a text with the abort marker belongs to an aborted turn, and the marker is removed", () => {
    const events = [...eventsOf(says("Some work. <turn_aborted>The user interrupted.</turn_aborted>")), good]
    const { aborted, finalText } = project(turnRecord({}), events)
    assert.deepStrictEqual([aborted, finalText], [true, "Some work."])
  })

  it("the abort marker in code does not count", () => {
    const text = "Codex writes `<turn_aborted>`:\n```xml\n<turn_aborted>\n```"
    assert.isFalse(project(turnRecord({}), [...eventsOf(says(text)), good]).aborted)
  })

  it("an answer is complete before the turn's end as long as nothing began after it", () => {
    const running = turnRecord({ status: "running", endedAt: null })
    assert.isTrue(project(running, eventsOf(says("Done.", marked))).answered)
    assert.isFalse(project(running, eventsOf(says("Done."))).answered)
    assert.isFalse(project(running, eventsOf(says("Looking.", marked), calls({ name: "t" }))).answered)
  })
})

describe("the messages of a turn", () => {
  it("the user's message is first and once, also where the turn never reached the agent", () =>
    assert.deepStrictEqual(resultOf(turnRecord({ status: "failed", prompt: "hi" }), [failed]).messages, [
      { role: "user", content: "hi" }
    ]))

  it("a compaction has no user's message", () =>
    assert.deepStrictEqual(project(turnRecord({ kind: "compact", prompt: "" }), [good]).messages, []))

  it("tool call ids are valid for OpenAI, and the same for the same history", () => {
    const idOf = (toolCallId: string) =>
      projected(calls({ toolCallId, name: "t" }), ends({ toolCallId }))[0]?.tool_calls?.[0]?.id
    assert.strictEqual(idOf("toolu_01A"), "toolu_01A")
    assert.match(idOf("exec-2f9f1f6a-86a0-4b8e-a4b1-0d7f38a6f7aa")!, /^call_[0-9a-f]{32}$/)
    assert.strictEqual(idOf("a:b"), idOf("a:b"))
    assert.notStrictEqual(idOf("a:b"), idOf("a:c"))
  })

  it("a tool's input and output are bounded, and say how much is left out", () => {
    const [call, result] = projected(
      calls({
        name: "Write",
        kind: "other",
        rawInput: { content: "x".repeat(1_000_000), path: "/w/a", many: Array(100_000).fill(1) }
      }),
      ends({ rawOutput: "y".repeat(1_000_000) })
    )
    const args = call!.tool_calls![0]!.function.arguments
    assert.isBelow(args.length, 64 * 1024)
    assert.match(JSON.parse(args).content, /… \d+ characters left out …/)
    assert.isBelow(result!.content!.length, 64 * 1024)
    assert.match(result!.content!, /… \d+ characters left out …/)
  })
})
