/** What codex's own record says of turns whose end was not received. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { LostTurns } from "../../src/agent/lostTurns.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { errorReply, hello, on, reply, scripted } from "./codex.agent.ts"
import type { Script } from "./codex.agent.ts"

const resumed: Script = [...hello, on(2, "thread/resume"), reply(2, { thread: { id: "T" } })]

const turn = (id: string, prompt: string, text: string, status = "completed") => ({
  id,
  status,
  items: [
    { type: "userMessage", id: `${id}-u`, content: [{ type: "text", text: prompt }] },
    { type: "agentMessage", id: `${id}-a`, text, phase: "final_answer" }
  ]
})

const lost = (agentTurnId: string | null, prompt = "do it", otherIds: ReadonlyArray<string> = []): LostTurns => ({
  turns: [{ turn: 3, agentTurnId, prompt }],
  otherIds: new Set(otherIds)
})

const recovering = Effect.fnUntraced(function* (answers: Script, turns: LostTurns) {
  const codex = yield* scripted([...resumed, ...answers], "deny", { thread: "T" })
  const connection = yield* codex.opening
  const recovered = yield* connection.recover!(turns)
  return { recovered, wire: yield* codex.wire }
})

/** Newest first, as codex lists them. */
const listed = (...turns: ReadonlyArray<object>): Script => [
  on(3, "thread/turns/list"),
  reply(3, { data: turns, nextCursor: null })
]

layer(Layer.provideMerge(Processes.layer, NodeServices.layer))("codex's record of a thread", (it) => {
  describe("a lost turn", () => {
    it.effect("is found by its id, with all that was said and done in it", () =>
      Effect.gen(function* () {
        const done = {
          ...turn("U", "do it", "Done."),
          items: [
            { type: "userMessage", id: "u1", content: [{ type: "text", text: "do it" }] },
            { type: "commandExecution", id: "c1", command: "make", status: "completed", aggregatedOutput: "ok" },
            { type: "userMessage", id: "u2", content: [{ type: "text", text: "quickly" }] },
            { type: "agentMessage", id: "a1", text: "Done.", phase: "final_answer" }
          ]
        }
        const { recovered, wire } = yield* recovering(listed(done), lost("U"))
        assert.deepStrictEqual(
          recovered.map(({ stopReason, turn, updates }) => [
            turn,
            stopReason,
            updates.map(({ params }) => params.update.sessionUpdate)
          ]),
          [[3, "end_turn", ["tool_call", "tool_call_update", "user_message_chunk", "agent_message_chunk"]]]
        )
        const asked = wire.find(({ method }) => method === "thread/turns/list")
        assert.deepStrictEqual(asked?.params, { threadId: "T", limit: 1, itemsView: "full" })
      })
    )

    it.effect("that codex has not finished is not recovered", () =>
      Effect.gen(function* () {
        for (const status of ["interrupted", "failed", "inProgress"]) {
          const { recovered } = yield* recovering(listed(turn("U", "do it", "Half", status)), lost("U"))
          assert.deepStrictEqual(recovered, [])
        }
      })
    )

    it.effect("whose id was not stored is the last of the thread with the same prompt, and no other turn's", () =>
      Effect.gen(function* () {
        const found = yield* recovering(listed(turn("U", "do it", "Done.")), lost(null))
        assert.lengthOf(found.recovered, 1)
        const otherPrompt = yield* recovering(listed(turn("U", "do that", "Done.")), lost(null))
        assert.deepStrictEqual(otherPrompt.recovered, [])
        const otherTurn = yield* recovering(listed(turn("U", "do it", "Done.")), lost(null, "do it", ["U"]))
        assert.deepStrictEqual(otherTurn.recovered, [])
      })
    )

    it.effect("is read from the whole thread where codex does not list turns, and a refusal is an error", () =>
      Effect.gen(function* () {
        const unknown: Script = [on(3, "thread/turns/list"), errorReply(3, -32600, "unknown method")]
        const thread = { id: "T", turns: [turn("S", "before", "Hm."), turn("U", "do it", "Done.")] }
        const read: Script = [...unknown, on(4, "thread/read"), reply(4, { thread })]
        assert.lengthOf((yield* recovering(read, lost("U"))).recovered, 1)
        const refused: Script = [...unknown, on(4, "thread/read"), errorReply(4, -32600, "thread not loaded: T")]
        const failure = yield* Effect.flip(recovering(refused, lost("U")))
        assert.include(failure.message, "thread not loaded: T")
      })
    )
  })
})
