/** Codex's questions to a person, over real stdio: their fields, their answers, and those that codex takes back. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Deferred, Effect, Layer } from "effect"
import type { AgentQuestion, OpenRequest } from "../../src/agent/Agent.ts"
import { Processes } from "../../src/agent/Processes.ts"
import type { Answers } from "../../src/domain/Question.ts"
import { textPrompt } from "../../src/domain/Turn.ts"
import { playing, say, scripted, turnEnds, turning } from "./codex.agent.ts"

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("codex's questions", (it) => {
  const asking = (answers: Answers | null) => {
    const questions: Array<AgentQuestion> = []
    const ask: OpenRequest["ask"] = (question) => Effect.sync(() => (questions.push(question), answers))
    return { ask, questions }
  }

  it.effect.each([
    ["42-request-user-input", { colour: "red" }, { answers: { colour: { answers: ["red"] } } }],
    ["42-request-user-input", null, { answers: { colour: { answers: [] } } }],
    ["45-mcp-elicitation-accept", { colour: "grey" }, { action: "accept", content: { colour: "grey" } }],
    ["45-mcp-elicitation-accept", null, { action: "decline", content: null }]
  ] as const)("a question of codex's is put to a person and answered: %s, %o", ([name, answers, answer]) =>
    Effect.gen(function* () {
      const { ask, questions } = asking(answers)
      const { approvalRequests, opening, until, wire } = yield* playing(name, "once", { ask, questions: true })
      yield* (yield* opening).prompt(1, textPrompt("x"))
      yield* until("TurnEnded")
      assert.deepStrictEqual([questions.length, approvalRequests.length], [1, 0])
      assert.strictEqual(questions[0]?.turn, 1)
      assert.deepStrictEqual((yield* wire).find((line) => line.method === undefined)?.result, answer)
    })
  )

  it.effect("a question that codex takes back is withdrawn from its person", () =>
    Effect.gen(function* () {
      const withdrawn = yield* Deferred.make<void>()
      const questions = [
        {
          id: "a",
          header: "A",
          question: "Which?",
          isOther: true,
          isSecret: true,
          options: [{ label: "x", description: "" }]
        },
        { id: "b", header: "", question: "Why?", isOther: false, isSecret: false, options: null }
      ]
      const fields: Array<AgentQuestion["fields"]> = []
      const { opening, until, wire } = yield* scripted(
        [
          ...turning,
          {
            dir: "out",
            msg: { id: 0, method: "item/tool/requestUserInput", params: { threadId: "T", turnId: "U", questions } }
          },
          say("serverRequest/resolved", { requestId: 0 }),
          { dir: "in", msg: { id: 0 } },
          turnEnds("interrupted")
        ],
        "deny",
        {
          ask: (question) =>
            Effect.onInterrupt(
              Effect.andThen(
                Effect.sync(() => void fields.push(question.fields)),
                Effect.never
              ),
              () => Deferred.succeed(withdrawn, undefined)
            )
        }
      )
      yield* (yield* opening).prompt(1, textPrompt("x"))
      yield* Deferred.await(withdrawn)
      yield* until("TurnEnded")
      assert.deepStrictEqual(fields, [
        [
          {
            id: "a",
            label: "Which?",
            description: "A",
            required: false,
            secret: true,
            type: "choice",
            options: [{ value: "x", label: "x" }],
            other: true
          },
          { id: "b", label: "Why?", required: false, type: "text" }
        ]
      ])
      assert.deepStrictEqual((yield* wire).find((line) => line.method === undefined)?.result, {
        answers: { a: { answers: [] }, b: { answers: [] } }
      })
    })
  )
})
