/** The conversation that an app brings along reaches an agent that does not know it, with real processes of a scripted codex. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { openTroupe } from "../../src/promise.ts"
import type { AgentSpec, Message, Session, Troupe } from "../../src/promise.ts"
import { maxContextCharacters } from "../../src/domain/GivenContext.ts"

const fixture = new URL("../fixtures/agents/codex-acts.ts", import.meta.url).pathname

const history: ReadonlyArray<Message> = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Which bird is it?" },
  {
    role: "assistant",
    content: null,
    tool_calls: [{ id: "call_1", type: "function", function: { name: "look", arguments: '{"at":"pond"}' } }]
  },
  { role: "tool", tool_call_id: "call_1", content: "grey, long legs" },
  { role: "assistant", content: "A heron." }
]

describe("messages of an earlier conversation", () => {
  let directory: string
  let troupe: Troupe
  let session: Session
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "troupe-given-"))
    const codex: AgentSpec = {
      protocol: "codex-app-server",
      command: [process.execPath, fixture],
      env: { RECEIVED: join(directory, "received") }
    }
    // The same, whose first start fails.
    const late: AgentSpec = {
      ...codex,
      command: [
        "/bin/sh",
        "-c",
        `[ -e ${directory}/late ] || { touch ${directory}/late; exit 127; }; exec "$@"`,
        "sh",
        ...codex.command!
      ]
    }
    troupe = await openTroupe({ dataDir: ":memory:", defaultAgent: "codex", agents: { codex, late }, drainMillis: 500 })
    session = await troupe.createSession({ permissions: "approve_all" })
  })
  afterEach(async () => {
    await troupe.close()
    rmSync(directory, { recursive: true, force: true })
  })

  /** The prompts as the agent received them. */
  const prompts = () =>
    readFileSync(join(directory, "received"), "utf8")
      .split(/^prompt /m)
      .slice(1)
      .map((text) => text.trim())

  const given = async (of: Session) => {
    const found: Array<Record<string, unknown>> = []
    await of.close()
    for await (const { message } of of.events()) {
      if (message.method !== "_troupe/context_given") continue
      const { _meta: _, ...params } = message.params
      found.push(params)
    }
    return found
  }

  it("are given to a fresh agent once, as text in front of the prompt, and the stream says so", async () => {
    const input = "Where does it live?"
    const first = await session.runConversation(input, { messages: [...history, { role: "user", content: input }] })
    const [prompt = ""] = prompts()
    assert.strictEqual(
      prompt.split("\n\n").slice(1, -2).join("\n"),
      [
        "System: Be brief.",
        "User: Which bird is it?",
        'Assistant called look with {"at":"pond"}',
        "Result of look: grey, long legs",
        "Assistant: A heron."
      ].join("\n")
    )
    assert.isTrue(prompt.endsWith(`\n\n${input}`))
    assert.lengthOf(prompt.split(input), 2, "the prompt is given once")
    assert.deepStrictEqual(first.messages.slice(0, 6), [...history, { role: "user", content: input }])

    await session.runConversation("And in winter?", { messages: first.messages })
    assert.strictEqual(prompts()[1], "And in winter?")
    assert.deepStrictEqual(
      (await session.messages()).filter(({ role }) => role === "user").map(({ content }) => content),
      [input, "And in winter?"]
    )
    const [said, ...more] = await given(session)
    assert.deepStrictEqual(more, [])
    assert.deepStrictEqual(said, {
      turn_index: 1,
      messages: 5,
      left_out: 0,
      cut: false,
      characters: prompt.length - input.length - 2,
      max_characters: maxContextCharacters
    })
  })

  it("are bounded: the newest are given, long ones are shortened, and the stream says what was left out", async () => {
    const many = Array.from({ length: 400 }, (_, n): Message => ({
      role: "user",
      content: `${n} ${"x".repeat(1_000)}`
    }))
    const long: Message = { role: "assistant", content: "y".repeat(100_000) }
    await session.runConversation("go on", { messages: [...many, long] })
    const [prompt = ""] = prompts()
    assert.isAtMost(prompt.length, maxContextCharacters + "\n\ngo on".length)
    assert.include(prompt, "User: 399 x")
    assert.notInclude(prompt, "User: 0 x")
    assert.match(prompt, /characters left out/)
    const [said] = await given(session)
    assert.strictEqual(Number(said?.["messages"]) + Number(said?.["left_out"]), 401)
    assert.isTrue(said?.["cut"])
    assert.include(prompt, `(${String(said?.["left_out"])} earlier messages are left out.)`)
  })

  it("are given with the next turn where the first never reached the agent", async () => {
    const started = await troupe.createSession({ agent: "late", permissions: "approve_all" })
    const failed = await started.runConversation("hello", { messages: history })
    assert.strictEqual(failed.apiCalls, 0)
    const next = await started.runConversation("hello again", { messages: history })
    assert.strictEqual(next.apiCalls, 1)
    assert.match(prompts()[0] ?? "", /Assistant: A heron\..*hello again$/s)
  })

  it("that are none are refused with the index of the first, and nothing is begun", async () => {
    const bad: ReadonlyArray<readonly [unknown, RegExp]> = [
      [[...history, { role: "robot", content: "hi" }], /^invalid_request: messages\[5\]\.role must be/],
      [[{ role: "user", content: ["hi"] }], /^invalid_request: messages\[0\]\.content must be text/],
      [[{ role: "assistant", content: null }], /^invalid_request: messages\[0\]\.content/],
      [[{ role: "tool", content: "hi" }], /^invalid_request: messages\[0\]\.tool_call_id/],
      [
        [{ role: "assistant", content: null, tool_calls: [{ id: 1 }] }],
        /^invalid_request: messages\[0\]\.tool_calls\[0\]/
      ],
      [[null], /^invalid_request: messages\[0\] must be an object/],
      ["hello", /^invalid_request: messages must be a list/]
    ]
    for (const [messages, error] of bad) {
      const result = await session.runConversation("hello", { messages: messages as ReadonlyArray<Message> })
      assert.match(result.error ?? "", error)
      assert.strictEqual(result.apiCalls, 0)
    }
    assert.strictEqual((await session.view()).turnCount, 0)
  })
})
