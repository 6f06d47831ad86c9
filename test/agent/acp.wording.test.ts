/** What scripted ACP agents say of a failure or of what they ask leave for, and what of it reaches a person. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Processes } from "../../src/agent/Processes.ts"
import { claude, codexAcp } from "./acp.adapters.ts"
import { chunk, end, scripted, tool } from "./acp.script.ts"

layer(Processes.layer, { excludeTestServices: true })("the words of an adapter about a failure", (it) => {
  const prose = chunk("API Error: 400 no", { messageId: "c324c395-1b07-4e85-bd4f-15db160d8316" })
  const words = chunk("so far", { messageId: "msg_1" })
  const refused = {
    error: { code: -32603, message: "Internal error: API Error: 400 no", data: { errorKind: "unknown" } }
  }

  it.effect("are not in the answer of the turn that fails", () =>
    Effect.gen(function* () {
      const session = yield* scripted({ ...claude, turns: [[words, prose, refused]] })
      assert.strictEqual((yield* session.turn(1, "go")).failure?.class, "model")
      assert.strictEqual(session.text(1), "so far")
    })
  )

  it.effect("are in the answer of a turn that goes on, or ends well, in their order", () =>
    Effect.gen(function* () {
      const usage = { update: { sessionUpdate: "usage_update", used: 1, size: 2 } }
      const session = yield* scripted({ ...claude, turns: [[prose, usage, tool("a", "completed"), prose, usage, end]] })
      assert.isNull((yield* session.turn(1, "go")).failure)
      assert.deepStrictEqual(
        session.facts.flatMap((fact) => (fact._tag === "Update" ? [fact.message.params.update.sessionUpdate] : [])),
        ["agent_message_chunk", "usage_update", "tool_call", "agent_message_chunk", "usage_update"]
      )
    })
  )

  it.effect("of codex-acp are the failure, and not in the answer", () =>
    Effect.gen(function* () {
      const status = {
        sessionUpdate: "session_info_update",
        _meta: { codex: { threadStatus: { type: "systemError" } } }
      }
      const result = { result: { stopReason: "end_turn", usage: null } }
      const full = "Codex ran out of room in the model's context window. Start a new conversation."
      const session = yield* scripted({ ...codexAcp, turns: [[words, { update: status }, chunk(full), result]] })
      const { failure } = yield* session.turn(1, "go")
      assert.strictEqual(failure?.class, "conversation")
      assert.include(failure?.message, "ran out of room")
      assert.strictEqual(session.text(1), "so far")
    })
  )
})

layer(Processes.layer, { excludeTestServices: true })("the title of an approval", (it) => {
  it.effect("is the command that would run, whatever codex-acp says of it, and names the files of a change", () =>
    Effect.gen(function* () {
      const title = "Read file '/work/a.txt'"
      const session = yield* scripted({
        ...codexAcp,
        turns: [
          [
            tool("1", "in_progress", { kind: "read", title, locations: [{ path: "/work/a.txt" }] }),
            {
              ask: {
                toolCallId: "1",
                title,
                kind: "execute",
                rawInput: { command: "awk 'BEGIN{system(\"x\")}' a.txt" }
              }
            },
            { ask: { toolCallId: "2", title: "Edit files", kind: "edit", locations: [{ path: "/work/b.txt" }] } },
            end
          ]
        ]
      })
      yield* session.turn(1, "go")
      assert.deepStrictEqual(
        session.approvalRequests.map(({ action, kind, title }) => [action._tag, kind, title]),
        [
          ["Command", "execute", "awk 'BEGIN{system(\"x\")}' a.txt"],
          ["Edit", "edit", "Edit files: /work/b.txt"]
        ]
      )
    })
  )
})
