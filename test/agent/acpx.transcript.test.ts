/** The recorded output of the real acpx for its prompts, read by the transcript. */
import { assert, describe, it } from "@effect/vitest"
import * as TurnTracker from "../../src/agent/acp/TurnTracker.ts"
import * as Failures from "../../src/agent/acp/failures.ts"
import * as Transcript from "../../src/agent/acpx/Transcript.ts"
import type { TranscriptEvent } from "../../src/agent/acpx/Transcript.ts"
import * as AcpxFailures from "../../src/agent/acpx/failures.ts"
import { acpxPrompts, linesOf } from "./acp.replay.ts"

const readTrace = (name: string) => {
  const identity = Failures.identify(name.startsWith("acpx-claude") ? "claude" : "codex")
  const tracker = TurnTracker.make(identity)
  const transcript = Transcript.make(tracker)
  tracker.begin(1)
  const events = linesOf(name).flatMap(({ msg }): ReadonlyArray<TranscriptEvent> => {
    const event = msg === undefined ? null : transcript.read(JSON.stringify(msg))
    return event === null ? [] : [event]
  })
  const isRefused = tracker.nothingReceived()
  const last = events.find(({ _tag }) => _tag === "Reply" || _tag === "AcpxError")
  const outcome =
    last?._tag === "Reply"
      ? tracker.end(last.reply)
      : last?._tag === "AcpxError"
        ? { stopReason: "error", failure: AcpxFailures.ofAcpxError(identity, last.error) }
        : null
  return { events, isRefused, outcome, ending: outcome?.failure?.class ?? outcome?.stopReason }
}

describe("the transcript of an acpx prompt", () => {
  it.each(acpxPrompts)("%s: the transcript has one end, and updates of one session", (name) => {
    const { events } = readTrace(name)
    assert.strictEqual(events.filter(({ _tag }) => _tag === "Reply" || _tag === "AcpxError").length, 1)
    const sessions = events.flatMap((event) => (event._tag === "Update" ? [event.message.params.sessionId] : []))
    assert.isAtMost(new Set(sessions).size, 1)
    assert.isTrue(events.every((event) => event._tag !== "Update" || event.turn === 1))
  })

  it.each([
    ["acpx-claude-prompt-cold", "end_turn"],
    ["acpx-codex-prompt-warm", "end_turn"],
    ["acpx-claude-prompt-tool-approved", "end_turn"],
    ["acpx-claude-prompt-denied-exit5", "end_turn"],
    ["acpx-codex-prompt-denied-exit5", "end_turn"],
    ["acpx-claude-prompt-auto-mode", "end_turn"],
    ["acpx-claude-prompt-asking-mode", "end_turn"],
    ["acpx-claude-prompt-cancelled", "cancelled"],
    ["acpx-claude-prompt-model-400", "model"],
    ["acpx-codex-prompt-model-400", "model"],
    ["acpx-claude-prompt-adapter-killed", "crash"],
    ["acpx-codex-prompt-adapter-killed", "crash"],
    ["acpx-claude-prompt-owner-killed", "crash"],
    ["acpx-claude-prompt-native-killed", "crash"],
    ["acpx-codex-prompt-native-killed", "crash"],
    ["acpx-claude-prompt-after-native-killed", "crash"],
    ["acpx-codex-prompt-after-native-killed", "end_turn"]
  ])("the prompt of %s ends as %s", (name, ending) => {
    assert.strictEqual(readTrace(name).ending, ending)
  })

  it.each([
    // Both with --deny-all, of claude-agent-acp 0.101: as it starts by itself, and after `set-mode default`.
    ["acpx-claude-prompt-auto-mode", "completed"],
    ["acpx-claude-prompt-asking-mode", "failed"]
  ])("a command that is to be denied has the status by the mode: %s", (name, status) => {
    const statuses = readTrace(name).events.flatMap((event) =>
      event._tag === "Update" && event.message.params.update.sessionUpdate === "tool_call_update"
        ? [event.message.params.update["status"]]
        : []
    )
    assert.strictEqual(
      statuses.findLast((value) => value !== undefined),
      status
    )
  })

  it("a prompt that was refused unread is told from one that failed later", () => {
    assert.isTrue(readTrace("acpx-claude-prompt-after-native-killed").isRefused)
    assert.isFalse(readTrace("acpx-claude-prompt-native-killed").isRefused)
  })

  it("the transcript shows whether acpx began a new session or resumed one", () => {
    const begun = (name: string) => readTrace(name).events.some(({ _tag }) => _tag === "NewSession")
    assert.isTrue(begun("acpx-claude-prompt-cold"))
    assert.isFalse(begun("acpx-claude-prompt-after-adapter-killed"))
  })

  it("codex-acp's own texts become notices, and those of the model stay texts", () => {
    const kinds = readTrace("acpx-codex-prompt-model-400").events.flatMap((event) =>
      event._tag === "Update" ? [event.message.params.update.sessionUpdate] : []
    )
    assert.include(kinds, "notice")
    assert.notInclude(kinds, "agent_message_chunk")
  })

  it("acpx's answer to a permission request is not taken for the agent's reply to the prompt with the same id", () => {
    const tracker = TurnTracker.make(Failures.identify("claude"))
    const transcript = Transcript.make(tracker)
    tracker.begin(1)
    const say = (message: unknown) => transcript.read(JSON.stringify(message))
    say({ id: 0, method: "session/prompt", params: { sessionId: "s" } })
    say({ id: 0, method: "session/request_permission", params: { options: [{ optionId: "n", kind: "reject_once" }] } })
    assert.isNull(say({ id: 0, result: { outcome: { outcome: "selected", optionId: "n" } } }))
    const end = say({ id: 0, result: { stopReason: "cancelled", usage: null } })
    assert.strictEqual(end?._tag, "Reply")
    // A request was denied, and nobody cancelled the turn.
    if (end?._tag === "Reply") assert.strictEqual(tracker.end(end.reply)?.stopReason, "end_turn")
  })

  it("lines that are no message are skipped", () => {
    const transcript = Transcript.make(TurnTracker.make(Failures.identify("claude")))
    for (const line of ["", "npm warn", "[]", "null", '{"action":"cancel_result"}', '{"id":9,"result":{}}']) {
      assert.isNull(transcript.read(line))
    }
  })
})
