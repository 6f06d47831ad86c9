/** Every recorded conversation with a real ACP agent, replayed through the turn tracker. */
import { assert, describe, it } from "@effect/vitest"
import type { AgentFact } from "../../src/agent/Agent.ts"
import * as TurnTracker from "../../src/agent/acp/TurnTracker.ts"
import * as Failures from "../../src/agent/acp/failures.ts"
import { subagentKind } from "../../src/domain/Acp.ts"
import { at, objectIn } from "../../src/domain/json.ts"
import { RpcError } from "../../src/agent/RpcError.ts"
import { acpTraces, replay } from "./acp.replay.ts"

const updates = (facts: ReadonlyArray<AgentFact>) => facts.filter((fact) => fact._tag === "Update")

const kinds = (facts: ReadonlyArray<AgentFact>, turn: number | null) =>
  updates(facts)
    .filter((fact) => fact.turn === turn)
    .map((fact) => fact.message.params.update.sessionUpdate)

const textOf = (facts: ReadonlyArray<AgentFact>, turn: number) =>
  updates(facts)
    .filter((fact) => fact.turn === turn && fact.message.params.update.sessionUpdate === "agent_message_chunk")
    .map((fact) => at(fact.message.params.update, "content", "text"))
    .join("")

const endsOf = (name: string) => replay(name).ends.map(({ failure, stopReason }) => failure?.class ?? stopReason)

/** The end of a call that was announced by a permission request only, as observers see it. */
const begun = (update: unknown) =>
  at(update, "sessionUpdate") === "tool_call_update" ? { ...objectIn(update), sessionUpdate: "tool_call" } : update

describe("a recorded ACP trace", () => {
  it.each(acpTraces)("%s: each prompt ends once, in order, and by its name", (name) => {
    const { ends, replies } = replay(name)
    assert.deepStrictEqual(
      ends.map(({ turn }) => turn),
      Array.from({ length: replies }, (_, i) => i + 1)
    )
    for (const { failure, stopReason } of ends) assert.strictEqual(stopReason === "error", failure !== null)
  })

  it.each(acpTraces)(
    "%s: the updates of its session are emitted once, unchanged but for calls that a request began, and those of other sessions are marked",
    (name) => {
      const { facts, thread, written } = replay(name)
      const emitted = updates(facts)
      assert.deepStrictEqual(
        emitted
          .map(({ message }) => message.params.update)
          .filter(({ sessionUpdate }) => sessionUpdate !== subagentKind),
        // Gemini's update says all that its request said.
        name.startsWith("gemini") ? written.map(begun) : written
      )
      assert.isTrue(emitted.every(({ message }) => message.params.sessionId === thread))
    }
  )

  it.each(acpTraces)("%s: each permission request is answered with an option that was offered", (name) => {
    for (const { answers, offered, title, turn } of replay(name).permissionRequests) {
      assert.isNotNull(turn)
      assert.isAbove(title.length, 0)
      for (const { outcome } of Object.values(answers)) {
        if (outcome.outcome === "selected") assert.include(offered, outcome.optionId)
      }
      assert.strictEqual(answers.once.outcome.outcome, "selected")
      assert.strictEqual(answers.deny.outcome.outcome, "selected")
      assert.notDeepEqual(answers.once, answers.deny)
    }
  })
})

describe("the turns of an ACP agent", () => {
  it("tokens are counted as OpenAI counts: cached ones are part of the input", () => {
    assert.deepStrictEqual(replay("claude-basic").ends[0]?.usage, {
      inputTokens: 22,
      cachedInputTokens: 7,
      outputTokens: 5,
      reasoningTokens: 0,
      totalTokens: 27
    })
    assert.deepStrictEqual(replay("codex-fail-err-400-typed").ends[1]?.usage, {
      inputTokens: 105,
      cachedInputTokens: 10,
      outputTokens: 20,
      reasoningTokens: 5,
      totalTokens: 125
    })
  })

  it("the usage is null where the agent reports none", () => {
    assert.isNull(replay("codex-cancel-stream").ends.find(({ stopReason }) => stopReason === "cancelled")?.usage)
  })

  it("the late end of a command belongs to the turn that started it, whichever turn runs by then", () => {
    const { facts } = replay("codex-long-tool")
    const ended = facts.findIndex((fact) => fact._tag === "TurnEnded" && fact.turn === 1)
    const late = facts
      .slice(ended)
      .find((fact) => fact._tag === "Update" && at(fact.message.params.update, "status") === "completed")
    assert.isAbove(ended, 0)
    assert.strictEqual(late?._tag === "Update" ? late.turn : null, 1)
  })

  it("what Claude writes by itself after a turn belongs to that turn", () => {
    const { ends, facts } = replay("claude-background-tool")
    const ended = facts.findIndex((fact) => fact._tag === "TurnEnded")
    const later = facts.slice(ended + 1)
    assert.strictEqual(ends.length, 1)
    assert.include(kinds(later, 1), "agent_message_chunk")
  })

  it("the updates that a load plays back are not emitted, those behind it are", () => {
    for (const name of ["claude-load", "codex-load"]) {
      const { facts } = replay(name)
      assert.isFalse(kinds(facts, null).includes("user_message_chunk"), name)
      assert.match(textOf(facts, 1), /remember|first/i, name)
    }
  })

  it("a turn that codex ends after a denial is not cancelled", () => {
    assert.deepStrictEqual(endsOf("codex-perm-reject_once"), endsOf("claude-perm-reject_once"))
    assert.notInclude(endsOf("codex-perm-reject_once"), "cancelled")
  })

  it("a turn that we cancelled is cancelled, with a permission request open or not", () => {
    for (const name of ["claude-perm-none", "codex-perm-none", "claude-cancel-tool", "codex-cancel-tool"]) {
      assert.include(endsOf(name), "cancelled", name)
    }
  })

  it("a cancelled turn of codex has the commands that it left running, and one of Claude has none", () => {
    for (const [name, left] of [
      ["codex-cancel-tool", 1],
      ["claude-cancel-tool", 0]
    ] as const) {
      const { facts } = replay(name)
      const tracker = TurnTracker.make(Failures.identify("x"))
      const turn = facts.find((fact) => fact._tag === "TurnEnded" && fact.stopReason === "cancelled")
      for (const fact of facts) {
        if (fact._tag === "Update" && fact.turn === 1) {
          tracker.thread = fact.message.params.sessionId
          if (tracker.running() === null) tracker.begin(1)
          tracker.receive(fact.message.params)
        }
      }
      assert.strictEqual(turn?._tag === "TurnEnded" ? turn.turn : 0, 1, name)
      assert.strictEqual(tracker.leftRunning(1).length, left, name)
    }
  })

  it("a permission request has the kind and the title that its tool call reported before", () => {
    assert.deepStrictEqual(
      replay("claude-air-tools").permissionRequests.map(({ kind, title }) => [kind, title]),
      [
        ["execute", "touch f1; echo out"],
        ["edit", "Write n.txt"]
      ]
    )
  })

  it("a yes for once, or for the session, is never widened to a yes for ever", () => {
    const [first] = replay("codex-perm-allow_always").permissionRequests
    assert.deepStrictEqual(first?.answers.once, { outcome: { outcome: "selected", optionId: "allow_once" } })
    assert.deepStrictEqual(first?.answers.session, first?.answers.once)
  })
})

describe("the failures of an ACP agent", () => {
  it.each([
    ["claude-no-auth", ["auth"]],
    ["claude-fail-err-401", ["auth", "end_turn"]],
    ["claude-fail-err-401-typed", ["auth", "end_turn"]],
    ["claude-fail-err-400", ["model", "end_turn"]],
    ["claude-fail-err-400-typed", ["model", "end_turn"]],
    ["claude-fail-err-429", ["quota", "end_turn"]],
    ["claude-fail-err-529-typed", ["model", "end_turn"]],
    ["claude-fail-err-529x2-typed", ["end_turn", "end_turn"]],
    ["codex-fail-err-400", ["model", "end_turn"]],
    ["codex-fail-err-400-typed", ["model", "end_turn"]],
    ["codex-fail-err-401", ["auth", "end_turn"]],
    ["codex-fail-err-403", ["auth", "end_turn"]],
    ["codex-fail-err-429", ["quota", "end_turn"]],
    ["codex-fail-err-529", ["model", "end_turn"]],
    ["codex-fail-err-529-typed", ["model", "end_turn"]],
    ["codex-fail-cut-3x1", ["end_turn", "end_turn"]]
  ])("%s ends as %s", (name, ends) => {
    assert.deepStrictEqual(endsOf(name), ends)
  })

  it.each(["claude-kill-native", "claude-kill-native-tool", "codex-kill-native", "codex-kill-native-tool"])(
    "%s: the death of the agent's own process is a crash",
    (name) => {
      assert.include(endsOf(name), "crash")
    }
  )

  it("a conversation that another process has open is named as the failure", () => {
    const error = new RpcError({ code: -32600, message: "Invalid request", data: { reason: "thread_active_writer" } })
    const failure = Failures.ofError(Failures.identify("Codex"), "to start", error)
    assert.strictEqual(failure.class, "crash")
    assert.match(failure.message, /Another process still has this conversation of Codex open\. End that process/)
  })

  it.each(["The Claude Agent process exited unexpectedly.", "Claude Code process aborted by user"])(
    "an agent's own process that died is no failure of the model: %s",
    (details) => {
      const error = new RpcError({ code: -32603, message: "Internal error", data: { details } })
      const tracker = TurnTracker.make(Failures.identify("Claude Agent"))
      tracker.begin(1)
      const ended = tracker.end({ ok: false, error })
      assert.strictEqual(ended?.failure?.class, "crash")
      assert.match(ended?.failure?.message ?? "", /It is started again; send the turn again\.$/)
      // Where we cancelled the turn these words are the cancel's effect.
      tracker.begin(2)
      tracker.noteCancel()
      assert.strictEqual(tracker.end({ ok: false, error })?.failure, null)
    }
  )

  it.each([
    ["Gemini API key is missing or not configured.", "auth", /is not logged in/],
    [
      "--dangerously-skip-permissions cannot be used with root/sudo privileges for security reasons",
      "config",
      /refuses to run as root: .* Run Troupe as another user/
    ]
  ] as const)("an agent that is not set up is not taken for a model that failed: %s", (words, kind, message) => {
    const identity = Failures.identify("Some Agent")
    const error = new RpcError({ code: -32603, message: "Internal error", data: { details: words } })
    for (const failure of [Failures.ofError(identity, "to start", error), Failures.ofText(identity, words)]) {
      assert.strictEqual(failure.class, kind)
      assert.match(failure.message, message)
    }
  })

  it("the message of a failure says what to do", () => {
    const { ends } = replay("codex-fail-err-401")
    assert.match(ends[0]?.failure?.message ?? "", /Log in with `codex login`/)
  })
})
