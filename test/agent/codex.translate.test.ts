/** Recorded codex traces, replayed through the translator: what holds for each of them. */
import { assert, describe, it } from "@effect/vitest"
import { ends, metaOf, ofKind, replay, textOf, updateOf, updates } from "./codex.replay.ts"
import * as Translator from "../../src/agent/codex/Translator.ts"
import { objectIn } from "../../src/domain/json.ts"

const firstTurn = (name: string) => {
  const { facts } = replay(name)
  return { facts, end: ends(facts)[0] }
}

/** The end of each tool call: its title, its status, and its output. */
const calls = (name: string) => {
  const { facts } = replay(name)
  return ofKind(facts, "tool_call").map((begun) => {
    const end = ofKind(facts, "tool_call_update").find(
      (fact) => updateOf(fact)["toolCallId"] === updateOf(begun)["toolCallId"] && "status" in updateOf(fact)
    )
    const { title, kind } = updateOf(begun)
    const out = end === undefined ? {} : objectIn(updateOf(end)["rawOutput"])
    return { title, kind, status: end && updateOf(end)["status"], out, end, begun }
  })
}

describe("the turns of codex", () => {
  it("a text turn is translated from its id to its end, with its usage", () => {
    const { facts } = firstTurn("01-handshake-text")
    const [started, ...rest] = facts.filter((fact) => fact._tag !== "Update")
    assert.deepInclude(started, { _tag: "TurnStarted", turn: 1 })
    assert.deepStrictEqual(rest, [
      {
        _tag: "TurnEnded",
        turn: 1,
        stopReason: "end_turn",
        failure: null,
        usage: { inputTokens: 100, cachedInputTokens: 10, outputTokens: 20, reasoningTokens: 5, totalTokens: 120 }
      }
    ])
    const last = ofKind(facts, "agent_message_chunk").at(-1)
    assert.isTrue(last !== undefined && metaOf(last)["troupe/completed"] === true)
  })

  it("a turn gets its id from turn/started where that comes before the reply", () => {
    const { facts } = firstTurn("97-ephemeral")
    assert.strictEqual(facts.findIndex((fact) => fact._tag === "TurnStarted" && fact.turn === 1) >= 0, true)
    assert.strictEqual(facts.filter((fact) => fact._tag === "TurnStarted" && fact.turn === 1).length, 1)
  })

  it("a command has its output and its end", () => {
    assert.deepInclude(calls("02-shell-ok")[0], { title: "echo hi", kind: "execute", status: "completed" })
    assert.deepInclude(calls("02-shell-ok")[0]?.out, { output: "hi\n", exitCode: 0 })
    assert.deepInclude(calls("03-shell-exit3")[0], { status: "failed" })
    assert.deepInclude(calls("03-shell-exit3")[0]?.out, { exitCode: 3 })
    assert.strictEqual(calls("04-shell-several").length, 3)
    assert.strictEqual(calls("05-shell-parallel").filter(({ status }) => status === "completed").length, 2)
    assert.strictEqual(calls("114-cwd-does-not-exist")[0]?.out["exitCode"], -1)
  })

  it("a file change is a diff, with a title that says what it does", () => {
    const changes = calls("06-apply-patch").filter(({ kind }) => kind === "edit")
    assert.isTrue(changes.every(({ status }) => status === "completed"))
    assert.isTrue(changes.some(({ title }) => String(title).startsWith("1 add: ")))
    assert.isTrue(changes.some(({ title }) => String(title).startsWith("1 update: ")))
    assert.isTrue(changes.some(({ title }) => String(title).startsWith("1 delete: ")))
    for (const { begun } of changes) {
      const [diff] = updateOf(begun)["content"] as ReadonlyArray<Record<string, unknown>>
      assert.strictEqual(diff?.["type"], "diff")
      assert.isString(diff?.["newText"])
      assert.isFalse(/^[-+@]/m.test(String(diff?.["newText"])), "no marks of a unified diff are left")
    }
  })

  it("a thought is emitted once, although codex sends its summary and its content", () => {
    assert.strictEqual(textOf(firstTurn("07-reasoning").facts, "agent_thought_chunk"), "**Plan** think about it")
  })

  it("a huge output is complete in the end of the call, and cut in the displayed content", () => {
    const [call] = calls("08-huge-output")
    const displayed = objectIn(
      (updateOf(call!.end!)["content"] as ReadonlyArray<Record<string, unknown>>)[0]?.["content"]
    )
    assert.isAtMost(String(displayed["text"]).length, 4_200)
  })

  it("the end of a command that outlives its turn belongs to that turn, after the turn's end", () => {
    const { facts } = firstTurn("10-exec-background-outlives-turn")
    const ended = facts.findIndex((fact) => fact._tag === "TurnEnded" && fact.turn === 1)
    const late = facts.findIndex(
      (fact) =>
        fact._tag === "Update" && updateOf(fact).sessionUpdate === "tool_call_update" && "rawOutput" in updateOf(fact)
    )
    assert.isAbove(late, ended)
    assert.deepInclude(facts[late], { turn: 1 })
    assert.strictEqual(ends(facts).length, 2)
  })

  it("the nested calls of code mode are tool calls", () => {
    assert.isNotEmpty(calls("12-code-mode").filter(({ kind }) => kind === "execute"))
  })
})

describe("tool calls of codex", () => {
  it.each([
    ["20-approval-command-accept", "completed", undefined],
    ["22-approval-command-decline", "failed", "declined"],
    ["30-approval-file-change-decline", "failed", "declined"],
    // Codex sends no end for this one.
    ["31-approval-file-change-cancel", "failed", "abandoned"],
    // Nor does it for a command that waited for its approval when the turn was interrupted.
    ["28-approval-no-reply-then-interrupt", "failed", "abandoned"]
  ])("%s: the call ends %s", (name, status, troupeStatus) => {
    const [call] = calls(name)
    assert.strictEqual(call?.status, status)
    if (troupeStatus !== undefined) assert.strictEqual(metaOf(call!.end!)["troupe/status"], troupeStatus)
  })

  it("MCP and dynamic tool calls have their arguments and results", () => {
    const [dynamic] = calls("40-dynamic-tool-call")
    assert.deepInclude(dynamic, { title: "lookup", status: "completed" })
    assert.deepStrictEqual(updateOf(dynamic!.begun)["rawInput"], { q: "x" })
    assert.strictEqual(calls("41-dynamic-tool-call-failure")[0]?.status, "failed")
    const [mcp] = calls("48-mcp-elicitation-auto-declined-policy-never")
    assert.match(String(mcp?.title), /^mini\./)
  })
})

describe("interrupts, steering, compaction, sub-agents", () => {
  it.each(["50-interrupt-mid-stream", "51-interrupt-mid-command", "71-connection-refused-interrupt"])(
    "%s: the turn ends cancelled, and the next one works",
    (name) => {
      assert.strictEqual(firstTurn(name).end?.stopReason, "cancelled")
    }
  )

  it("a message that was cut off is never marked as completed", () => {
    const { facts } = firstTurn("50-interrupt-mid-stream")
    const marked = ofKind(facts, "agent_message_chunk").filter((fact) => metaOf(fact)["troupe/completed"] === true)
    assert.isTrue(marked.every(({ turn }) => turn !== 1))
  })

  it("a steered turn has one end", () => {
    for (const name of ["53-steer", "54-turn-start-while-active", "54b-turn-start-while-command-runs"]) {
      assert.strictEqual(ends(replay(name).facts).filter(({ turn }) => turn === 1).length, 1, name)
    }
  })

  it("a turn's usage is the increase of the thread's total, also around a compaction", () => {
    const { facts } = replay("99-auto-compaction")
    assert.deepStrictEqual(
      ends(facts).map(({ usage }) => usage?.totalTokens),
      [1_020, 240, 1_280 - 120]
    )
    const compactions = updates(facts).flatMap((fact) => metaOf(fact)["troupe/compaction"] ?? [])
    assert.isTrue(compactions.includes("completed"))
  })

  it("a turn's usage can be stored and read back, whatever counts codex reports", () => {
    const translator = Translator.make("T")
    translator.begin(1)
    translator.accepted("turn")
    const report = (total: number) =>
      translator.notification("thread/tokenUsage/updated", {
        threadId: "T",
        turnId: "turn",
        tokenUsage: { total: { totalTokens: total, inputTokens: "7", outputTokens: -1 }, last: {} }
      })
    for (const total of [0, 1e12, 0, 1e12, Number.MAX_SAFE_INTEGER, 2 ** 53, 1e308, 0.5, -3, 12.9]) report(total)
    for (let i = 0; i < 10_000; i++) report(i % 2 === 0 ? 1e12 : 0)
    const [end] = ends(translator.notification("turn/completed", { threadId: "T", turn: { id: "turn" } }))
    assert.isTrue(
      Object.values(end?.usage ?? {}).every((count) => Number.isSafeInteger(count) && count >= 0),
      JSON.stringify(end?.usage)
    )
    assert.strictEqual(end?.usage?.totalTokens, 1e12)
  })

  it("a sub-agent's texts and ends are no part of the conversation", () => {
    const { facts } = replay("102-subagent-thread-on-same-connection")
    assert.strictEqual(ends(facts).length, 1)
    assert.strictEqual(textOf(facts), 'echo: TOOL:collaboration/spawn_agent {"task_name":"helper","message":"do it"}')
    assert.isTrue(
      calls("102-subagent-thread-on-same-connection").some(({ title }) => String(title).startsWith("Sub-agent"))
    )
  })

  it("the translator follows one of two threads that are active at the same time", () => {
    const { facts } = replay("101-two-threads-in-parallel")
    assert.isNotEmpty(ends(facts))
    assert.isTrue(ends(facts).every(({ stopReason }) => stopReason === "end_turn"))
  })
})

describe("what is cut", () => {
  /** A high half of a surrogate pair at each limit, which a plain slice would leave alone. */
  const ending = (characters: number) => `${"a".repeat(characters - 1)}🙂${"b".repeat(8_000)}`
  const isWhole = (value: unknown): boolean => !JSON.stringify(value).includes("\\ud83d")

  const facts = (messages: ReadonlyArray<readonly [string, object]>) => {
    const translator = Translator.make("T")
    translator.begin(1)
    translator.accepted("U")
    return messages.flatMap(([method, params]) =>
      translator.notification(method, { threadId: "T", turnId: "U", ...params })
    )
  }

  it("the output of a command has no half of an emoji where its middle is left out", () => {
    const item = { type: "commandExecution", id: "c", command: "x", aggregatedOutput: ending(2_048) }
    const reversed = { ...item, aggregatedOutput: `${"b".repeat(8_000)}🙂${"a".repeat(2_047)}` }
    assert.isTrue(isWhole(facts([["item/completed", { item }]])))
    assert.isTrue(isWhole(facts([["item/completed", { item: reversed }]])))
  })

  it("streamed output ends at its limit without half of an emoji, and nothing comes after it", () => {
    const item = { type: "commandExecution", id: "c", command: "x" }
    const deltas = ofKind(
      facts([
        ["item/started", { item }],
        ["item/commandExecution/outputDelta", { itemId: "c", delta: ending(64 * 1_024) }],
        ["item/commandExecution/outputDelta", { itemId: "c", delta: "z" }]
      ]),
      "tool_call_update"
    )
    assert.deepStrictEqual(
      deltas.map((delta) => metaOf(delta)["troupe/output"]),
      ["a".repeat(64 * 1_024 - 1)]
    )
  })

  it("titles, warnings, unknown items and failures have no half of an emoji at their ends", () => {
    const changes = [{ path: `/${ending(500 - "1 update: ".length)}`, kind: { type: "update" }, diff: "" }]
    // The item begins with `{"type":"odd","id":"o","text":"`.
    const odd = { type: "odd", id: "o", text: ending(2_000 - 31) }
    const all = facts([
      ["item/started", { item: { type: "fileChange", id: "f", changes } }],
      ["warning", { message: ending(1_000) }],
      ["item/completed", { item: odd }],
      ["turn/completed", { turn: { id: "U", status: "failed", error: { message: ending(2_000) } } }]
    ])
    assert.isTrue(isWhole(all))
  })
})
