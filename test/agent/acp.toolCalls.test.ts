/**
 * Tool calls of ACP agents whose ids are used again in a later turn, as Kimi and the providers behind Ollama do, and of
 * Gemini, which announces a call that needs permission by its request only.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Processes } from "../../src/agent/Processes.ts"
import * as Failures from "../../src/agent/acp/failures.ts"
import * as Permission from "../../src/agent/acp/permission.ts"
import * as TurnTracker from "../../src/agent/acp/TurnTracker.ts"
import { end, scripted, tool, toolUpdate } from "./acp.script.ts"
import type { Step } from "./acp.script.ts"
import { turnRecord } from "../conversation/recorded.ts"
import { project } from "../../src/conversation/Projection.ts"
import type { AgentFact } from "../../src/agent/Agent.ts"

const tracked = () => {
  const tracker = TurnTracker.make(Failures.identify("Kimi"))
  tracker.thread = "t"
  const says = (step: Step) =>
    "update" in step ? (tracker.receive({ sessionId: "t", update: step.update })?.turn ?? null) : null
  const ask = (toolCall: object) => tracker.describe(Permission.read({ sessionId: "t", toolCall })) ?? assert.fail()
  const finish = () => tracker.end({ ok: true, result: { stopReason: "end_turn" } })
  return { tracker, says, ask, finish }
}

/** Turn 1 with a call that has ended, then the begin of turn 2. */
const secondTurn = () => {
  const session = tracked()
  session.tracker.begin(1)
  session.says(tool("call_0", "in_progress", { title: "ls", kind: "read" }))
  session.says(toolUpdate("call_0", "completed"))
  session.finish()
  session.tracker.begin(2)
  return session
}

describe("a tool call id that comes back in a later turn", () => {
  it("a call that is announced belongs to the later turn, whose prompt is not untouched any more", () => {
    const { says, tracker } = secondTurn()
    assert.isTrue(tracker.nothingReceived())
    assert.strictEqual(says(tool("call_0", "pending")), 2)
    assert.isFalse(tracker.nothingReceived())
    assert.deepStrictEqual(tracker.leftRunning(2), ["call_0"])
    assert.strictEqual(says(toolUpdate("call_0", "completed")), 2)
    assert.deepStrictEqual(tracker.leftRunning(2), [])
  })

  it("a call that is announced by a request for permission belongs to the later turn, and has nothing of the earlier call", () => {
    const { ask, says, tracker } = secondTurn()
    assert.deepStrictEqual(ask({ toolCallId: "call_0" }), {
      turn: 2,
      kind: "other",
      title: "other",
      action: { _tag: "Other" }
    })
    assert.isFalse(tracker.nothingReceived())
    assert.strictEqual(says(toolUpdate("call_0", "completed")), 2)
  })

  it("a call that runs again without having been announced belongs to the later turn", () => {
    const { says } = secondTurn()
    assert.strictEqual(says(toolUpdate("call_0", "in_progress")), 2)
  })

  it("a call that an interrupt left without an end does not take the later turn's call", () => {
    const { ask, says, tracker, finish } = tracked()
    tracker.begin(1)
    says(tool("call_0", "in_progress", { title: "rm -r build", kind: "execute" }))
    tracker.noteCancel()
    finish()
    tracker.begin(2)
    assert.deepInclude(ask({ toolCallId: "call_0", title: "ls" }), { turn: 2, title: "ls" })
    assert.strictEqual(says(tool("call_0", "in_progress")), 2)
    assert.strictEqual(says(toolUpdate("call_0", "failed")), 2)
  })

  it("the late end of a command still belongs to the turn that began it", () => {
    const { says, finish, tracker } = tracked()
    tracker.begin(1)
    says(tool("call_0", "in_progress"))
    finish()
    tracker.begin(2)
    assert.strictEqual(says(toolUpdate("call_0", "completed")), 1)
  })
})

layer(Processes.layer, { excludeTestServices: true })("a scripted agent that numbers its calls anew", (it) => {
  const calls: ReadonlyArray<Step> = [
    tool("call_0", "pending", { title: "ls", kind: "read" }),
    { ask: { toolCallId: "call_0" } },
    toolUpdate("call_0", "completed")
  ]

  it.effect("asks for permission in the turn that runs", () =>
    Effect.gen(function* () {
      const session = yield* scripted({ turns: [[...calls, end]] })
      yield* session.turn(1, "one")
      yield* session.turn(2, "two")
      assert.deepStrictEqual(
        session.approvalRequests.map(({ kind, title, turn }) => [turn, kind, title]),
        [
          [1, "read", "ls"],
          [2, "read", "ls"]
        ]
      )
      assert.deepStrictEqual(
        session.facts.flatMap((fact) => (fact._tag === "Update" ? [fact.turn] : [])),
        [1, 1, 2, 2]
      )
    })
  )

  it.effect("is handed a prompt once, where it fails as unknown after its work", () =>
    Effect.gen(function* () {
      const lost: Step = { error: { code: -32002, message: "Resource not found" } }
      const session = yield* scripted({
        initialize: { agentCapabilities: { sessionCapabilities: { resume: {} } } },
        turns: [
          [...calls, end],
          [...calls, lost]
        ]
      })
      yield* session.turn(1, "one")
      assert.strictEqual((yield* session.turn(2, "two")).failure?.class, "crash")
      const prompts = session.folder.received().filter(({ method }) => method === "session/prompt")
      assert.strictEqual(prompts.length, 2)
    })
  )
})

/** What Gemini CLI 0.61 sends of a command that needs permission (recorded); of one that is denied, the request only. */
const asksFirst = (id: string): ReadonlyArray<Step> => [
  {
    ask: { toolCallId: id, status: "pending", title: "touch granted", kind: "execute", rawInput: { command: "touch" } }
  },
  toolUpdate(id, "completed", { title: "touch granted", content: [], locations: [], kind: "execute" })
]

layer(Processes.layer, { excludeTestServices: true })("an agent that announces calls by their requests only", (it) => {
  const updatesOf = (facts: ReadonlyArray<AgentFact>) =>
    facts.flatMap((fact) => (fact._tag === "Update" ? [fact.message] : []))

  it.effect("has its calls begun by their first updates, with what the requests said, and counted", () =>
    Effect.gen(function* () {
      const session = yield* scripted({ turns: [[...asksFirst("call_0"), ...asksFirst("call_0"), end]] })
      yield* session.turn(1, "one")
      const updates = updatesOf(session.facts)
      assert.deepStrictEqual(
        updates.map(({ params: { update } }) => [update.sessionUpdate, update["status"], update["rawInput"]]),
        [
          ["tool_call", "completed", { command: "touch" }],
          ["tool_call", "completed", { command: "touch" }]
        ]
      )
      const { messages, toolIterations } = project(turnRecord({}), updates)
      assert.strictEqual(toolIterations, 2)
      assert.deepStrictEqual(
        messages.map(({ role }) => role),
        ["user", "assistant", "tool", "assistant", "tool"]
      )
    })
  )

  it.effect("has no call begun that it began itself, or that was denied", () =>
    Effect.gen(function* () {
      const begun = [tool("call_1", "pending"), ...asksFirst("call_1")]
      const denied = asksFirst("call_0").slice(0, 1)
      const session = yield* scripted({ turns: [[...denied, ...begun, end]] })
      yield* session.turn(1, "one")
      assert.deepStrictEqual(
        updatesOf(session.facts).map(({ params: { update } }) => [update.sessionUpdate, update["toolCallId"]]),
        [
          ["tool_call", "call_1"],
          ["tool_call_update", "call_1"]
        ]
      )
    })
  )
})
