/** Questions and plans of the ACP adapters' agents, where a person can be asked and where nobody can. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { AgentQuestion } from "../../src/agent/Agent.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { home } from "./harness/acpAgent.ts"

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("an adapter's agent", (it) => {
  const option = (label: string, description: string) => ({ label, description })
  const questions = [
    {
      id: "color",
      header: "Color",
      question: "Which one?",
      options: [option("Red", "warm"), option("Blue", "cold")]
    }
  ]
  const ask = `CALL:request_user_input ${JSON.stringify({ questions })}\nSAY:thanks`

  it.effect("codex behind codex-acp asks a person, and nobody where no person can be asked", () =>
    Effect.gen(function* () {
      const { open, requestFor } = yield* home("codex-acp")
      const asked: Array<AgentQuestion> = []
      const answering = yield* open({
        questions: true,
        ask: (question) => Effect.sync(() => (asked.push(question), { color: "Blue" }))
      })
      assert.strictEqual((yield* answering.turn(1, ask)).stopReason, "end_turn")
      assert.deepStrictEqual(
        asked.map(({ fields }) => fields.map(({ id, label, type }) => [id, label, type])),
        [
          [
            ["color", "Which one?", "choice"],
            ["color_note", "Additional answer or note", "text"]
          ]
        ]
      )
      assert.include(JSON.stringify(requestFor(ask)), String.raw`{\"answers\":{\"color\":{\"answers\":[\"Blue\"]}}}`)
      const nobody = yield* open({ questions: false, ask: () => Effect.die("nobody can be asked") })
      assert.strictEqual((yield* nobody.turn(1, ask)).stopReason, "end_turn")
      assert.include(JSON.stringify(requestFor(ask)), "unavailable in Default mode")
    })
  )

  it.effect("Claude has no tool for questions where no person can be asked", () =>
    Effect.gen(function* () {
      const { open, requestFor } = yield* home("claude-agent-acp")
      const toolsOf = Effect.fnUntraced(function* (questions: boolean) {
        const session = yield* open({ questions })
        yield* session.turn(1, `SAY:${questions}`)
        return (requestFor(`SAY:${questions}`)["tools"] as ReadonlyArray<{ readonly name: string }>).map(
          ({ name }) => name
        )
      })
      assert.include(yield* toolsOf(true), "AskUserQuestion")
      assert.notInclude(yield* toolsOf(false), "AskUserQuestion")
    })
  )

  it.effect("codex behind codex-acp has its tool for plans, which come typed", () =>
    Effect.gen(function* () {
      const { open } = yield* home("codex-acp")
      const session = yield* open()
      const plan = [
        { step: "look", status: "completed" },
        { step: "write", status: "in_progress" }
      ]
      yield* session.turn(1, `CALL:update_plan ${JSON.stringify({ plan })}\nSAY:done`)
      const plans = session.facts.flatMap((fact) => {
        const update = fact._tag === "Update" ? fact.message.params.update : undefined
        return update?.sessionUpdate === "plan" ? [update["entries"]] : []
      })
      assert.deepStrictEqual(plans, [
        [
          { content: "look", priority: "medium", status: "completed" },
          { content: "write", priority: "medium", status: "in_progress" }
        ]
      ])
    })
  )
})
