/** Every recorded codex trace, replayed through the translator: what holds for all of them, and for each of them. */
import { assert, describe, it } from "@effect/vitest"
import { failedEnd } from "../../src/agent/codex/failures.ts"
import { itemIn } from "../../src/agent/codex/wire.ts"
import { ends, metaOf, ofKind, replay, textOf, traces, updateOf, updates } from "./codex.replay.ts"
import type { Replay } from "./codex.replay.ts"
import { objectIn, textIn } from "../../src/domain/json.ts"

/** The ids of the items of the trace's thread, or of all other threads. */
const itemIds = ({ out, thread }: Replay, ours: boolean) =>
  new Set(
    out.flatMap((msg) => {
      const params = objectIn(msg["params"])
      const item = itemIn(params)
      return item !== null && (params["threadId"] === thread) === ours ? [item.id] : []
    })
  )

describe("a recorded codex trace", () => {
  it.each(traces)("%s: each turn that codex ended ends exactly once", (name) => {
    const { facts, out, thread } = replay(name)
    const completed = new Set(
      out.flatMap((msg) => {
        const params = objectIn(msg["params"])
        const ours = msg["method"] === "turn/completed" && params["threadId"] === thread
        return ours ? [textIn(objectIn(params["turn"])["id"])] : []
      })
    )
    const agentTurnIds = new Map(
      facts.flatMap((fact) => (fact._tag === "TurnStarted" ? [[fact.turn, fact.agentTurnId] as const] : []))
    )
    const expected = [...agentTurnIds].flatMap(([turn, id]) => (completed.has(id) ? [turn] : []))
    assert.deepStrictEqual(
      ends(facts).map(({ turn }) => turn),
      expected
    )
    for (const end of ends(facts)) assert.strictEqual(end.stopReason === "error", end.failure !== null)
  })

  it.each(traces)("%s: a tool call begins once, before its updates", (name) => {
    const begun = new Set<unknown>()
    for (const fact of updates(replay(name).facts)) {
      const { sessionUpdate, toolCallId } = updateOf(fact)
      if (sessionUpdate === "tool_call") {
        assert.isFalse(begun.has(toolCallId), `${String(toolCallId)} begins twice`)
        begun.add(toolCallId)
      }
      if (sessionUpdate === "tool_call_update")
        assert.isTrue(begun.has(toolCallId), `${String(toolCallId)} has not begun`)
    }
  })

  it.each(traces)("%s: nothing of another thread is emitted", (name) => {
    const replayed = replay(name)
    const foreign = itemIds(replayed, false)
    const ownItems = itemIds(replayed, true)
    for (const fact of updates(replayed.facts)) {
      const id = updateOf(fact)["toolCallId"] ?? updateOf(fact)["messageId"]
      if (typeof id === "string" && !ownItems.has(id)) assert.isFalse(foreign.has(id), id)
      // A notification before the thread's id is known is about the process.
      assert.include(["", replayed.thread], fact.message.params.sessionId)
    }
  })

  it.each(traces)("%s: the chunks of a completed message are its text, whole and once", (name) => {
    const { facts, out, thread } = replay(name)
    const texts = new Map<string, string>()
    for (const fact of ofKind(facts, "agent_message_chunk")) {
      const id = String(updateOf(fact)["messageId"])
      texts.set(id, (texts.get(id) ?? "") + textOf([fact]))
    }
    for (const msg of out) {
      const params = objectIn(msg["params"])
      const item = itemIn(params)
      if (msg["method"] !== "item/completed" || params["threadId"] !== thread || item?.type !== "agentMessage") continue
      assert.strictEqual(texts.get(item.id), item["text"])
    }
  })

  it.each(traces)("%s: a turn that has ended leaves no tool call open but a running command", (name) => {
    const { facts } = replay(name)
    const open = new Map<unknown, { readonly turn: number | null; readonly kind: unknown }>()
    for (const fact of facts) {
      if (fact._tag === "TurnEnded") {
        const openCalls = [...open.values()].filter(({ turn, kind }) => turn === fact.turn && kind !== "execute")
        assert.deepStrictEqual(openCalls, [])
      }
      if (fact._tag !== "Update") continue
      const { sessionUpdate, toolCallId, kind, status } = updateOf(fact)
      if (sessionUpdate === "tool_call") open.set(toolCallId, { turn: fact.turn, kind })
      if (status === "completed" || status === "failed") open.delete(toolCallId)
    }
  })
})

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

describe("failures", () => {
  it.each([
    ["60-http401", "auth", /HTTP 401.*codex login/],
    ["60b-http401-default-retries", "auth", /HTTP 401/],
    ["61-http429", "model", /HTTP 429/],
    ["62-http500", "model", /HTTP 500/],
    ["62c-http400", "model", /mock error 400/],
    ["65-stream-cut", "model", /stream disconnected/],
    ["67-stream-idle-timeout", "model", /idle timeout/],
    ["68-failed-context-length", "model", /context window/],
    ["69-usage-limit-429", "quota", /usage limit/],
    ["70-connection-refused-bounded-r0", "model", /could not reach/],
    ["107-auto-compaction-fails", "model", /compaction/]
  ])("%s: a failure of class %s", (name, failureClass, message) => {
    const [failure] = ends(replay(name).facts).flatMap(({ failure }) => failure ?? [])
    assert.strictEqual(failure?.class, failureClass)
    assert.match(failure?.message ?? "", message)
  })

  it("a used-up account's failure has the time of the reset, where codex reports it", () => {
    const [failure] = ends(replay("69-usage-limit-429").facts).flatMap(({ failure }) => failure ?? [])
    // `Mar 17th, 2030 5:46 PM`, to the end of that minute, in this machine's time zone, as codex writes it.
    assert.strictEqual(failure?.retryAt, new Date(2030, 2, 17, 17, 47).getTime())
  })

  // The failures of codex's own table that are in no trace.
  it.each([
    [{ httpConnectionFailed: { httpStatusCode: 403 } }, "forbidden", "auth", /HTTP 403.*codex login/],
    [{ httpConnectionFailed: { httpStatusCode: 404 } }, "not found", "model", /HTTP 404/],
    [{ httpConnectionFailed: { httpStatusCode: 503 } }, "unavailable", "model", /HTTP 503/],
    ["unauthorized", "no login", "auth", /HTTP 401.*codex login/],
    ["rateLimitExceeded", "slow down", "model", /slow down/],
    ["serverOverloaded", "busy", "model", /busy/],
    ["usageLimitExceeded", "insufficient_quota", "quota", /usage limit/],
    ["other", "Missing environment variable: `KEY`.", "config", /inheritEnv/],
    ["fromTheFuture", "who knows", "model", /who knows/],
    [null, null, "model", /no reason given/]
  ] as const)("%j: a failure that says %j is of class %s", (codexErrorInfo, message, failureClass, says) => {
    const { failure, stopReason } = failedEnd({ message, codexErrorInfo })
    assert.deepStrictEqual([stopReason, failure?.class], ["error", failureClass])
    assert.match(failure?.message ?? "", says)
  })

  it.each([
    ["max_output_tokens", "max_tokens"],
    ["content_filter", "refusal"]
  ] as const)("an answer that was cut short (%s) is an end and no failure", (reason, stopReason) => {
    const message = `Incomplete response returned, reason: ${reason}`
    assert.deepStrictEqual(failedEnd({ message, codexErrorInfo: "other" }), { stopReason, failure: null })
  })

  it("each retry of codex is emitted", () => {
    const retries = updates(replay("60b-http401-default-retries").facts).filter(
      (fact) => "troupe/retry" in metaOf(fact)
    )
    assert.isAbove(retries.length, 1)
    assert.isTrue(retries.every(({ turn }) => turn === 1))
  })

  it("the end of codex's own compaction is no prompt's end", () => {
    assert.deepStrictEqual(
      ends(replay("106-compaction-fails").facts).map(({ turn, stopReason }) => [turn, stopReason]),
      [
        [1, "end_turn"],
        [2, "end_turn"]
      ]
    )
  })

  it("a turn after a failed one is translated as any other", () => {
    assert.deepStrictEqual(
      ends(replay("72-recovers-after-system-error").facts)
        .map(({ stopReason }) => stopReason)
        .at(-1),
      "end_turn"
    )
  })

  it.each(["110-stdin-eof-mid-turn", "111-sigterm-mid-turn", "112-sigkill-mid-turn"])(
    "%s: no end is invented",
    (name) => {
      assert.deepStrictEqual(ends(replay(name).facts), [])
    }
  )
})
