/** Model and effort of a session and of its turns on claude-agent-acp and codex-acp, as their models see them. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Processes } from "../../src/agent/Processes.ts"
import { home } from "./harness/acpAgent.ts"
import type { Adapter } from "./harness/acpAgent.ts"

const adapters: ReadonlyArray<Adapter> = ["claude-agent-acp", "codex-acp"]

const other = { "claude-agent-acp": { model: "haiku", seen: "claude-haiku-5-5" }, "codex-acp": null }

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("an adapter", (it) => {
  describe.each(adapters)("%s", (adapter) => {
    it.effect("takes model and effort of a session and of a turn, and goes back, also after a resume", () =>
      Effect.gen(function* () {
        const { open, settingsFor } = yield* home(adapter)
        const session = yield* open({ effort: "high" })
        yield* session.turn(1, "SAY:one")
        const own = settingsFor("SAY:one")
        assert.strictEqual(own.effort, "high")
        const choice = other[adapter]
        yield* session.turn(2, "SAY:two", { effort: "low", ...(choice === null ? {} : { model: choice.model }) })
        assert.deepStrictEqual(settingsFor("SAY:two"), { model: choice?.seen ?? own.model, effort: "low" })
        yield* session.turn(3, "SAY:three")
        assert.deepStrictEqual(settingsFor("SAY:three"), own)
        const unknown = yield* Effect.flip(session.turn(4, "SAY:four", { effort: "enormous" }))
        assert.strictEqual(unknown.class, "config")
        assert.match(unknown.message, /does not know the effort enormous\. It takes: .*low, medium, high/)
        const { thread } = session.connection
        yield* session.leave
        const resumed = yield* open({ effort: "high", thread })
        assert.isNull(resumed.connection.contextLost)
        yield* resumed.turn(1, "SAY:five")
        assert.deepStrictEqual(settingsFor("SAY:five"), own)
      })
    )
  })

  it.effect("Claude goes back from a turn's model after its process has ended, also in a copy", () =>
    Effect.gen(function* () {
      const { open, settingsFor } = yield* home("claude-agent-acp")
      const { model, seen } = other["claude-agent-acp"]
      const session = yield* open()
      yield* session.turn(1, "SAY:one")
      const own = settingsFor("SAY:one")
      yield* session.turn(2, "SAY:two", { model })
      assert.strictEqual(settingsFor("SAY:two").model, seen)
      const { thread } = session.connection
      yield* session.leave
      // By itself it goes on with the model of its last answer.
      const left = yield* open({ thread })
      yield* left.turn(1, "SAY:left")
      assert.strictEqual(settingsFor("SAY:left").model, seen)
      yield* left.leave
      const resumed = yield* open({ thread, turnsChoseModel: true })
      assert.isNull(resumed.connection.contextLost)
      yield* resumed.turn(1, "SAY:resumed")
      assert.deepStrictEqual(settingsFor("SAY:resumed"), own)
      yield* resumed.turn(2, "SAY:again", { model })
      yield* resumed.leave
      const copy = yield* open({ fork: { threadId: thread, agentTurnId: null } })
      yield* copy.turn(1, "SAY:copied")
      assert.deepStrictEqual(settingsFor("SAY:copied"), own)
    })
  )
})
