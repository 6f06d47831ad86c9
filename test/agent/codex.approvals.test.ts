/** The requests of codex over real stdio: which are passed on for a decision, and how each is answered. */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Processes } from "../../src/agent/Processes.ts"
import { playing, scripted, turning, turnEnds } from "./codex.agent.ts"
import { textPrompt } from "../../src/domain/Turn.ts"

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("codex approvals", (it) => {
  it.effect.each([
    ["20-approval-command-accept", "once", { decision: "accept" }, "execute"],
    ["21-approval-command-accept-for-session", "session", { decision: "acceptForSession" }, "execute"],
    ["22-approval-command-decline", "deny", { decision: "decline" }, "execute"],
    ["29-approval-file-change-accept", "once", { decision: "accept" }, "edit"],
    ["47-mcp-tool-approval", "once", { action: "accept", content: {} }, "other"]
  ] as const)("a request of codex is passed on and answered with the decision: %s", ([name, decide, answer, kind]) =>
    Effect.gen(function* () {
      const { opening, approvalRequests, until, wire } = yield* playing(name, decide)
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("x"))
      yield* until("TurnEnded")
      assert.deepInclude(approvalRequests[0], { turn: 1, kind })
      assert.isNotEmpty(approvalRequests[0]?.title)
      assert.deepStrictEqual((yield* wire).find((line) => line.method === undefined)?.result, answer)
    })
  )

  it.effect.each([
    ["44-request-permissions", { permissions: {}, scope: "turn" }],
    ["42-request-user-input", { answers: { colour: { answers: [] } } }],
    ["45-mcp-elicitation-accept", { action: "decline", content: null }],
    [
      "40-dynamic-tool-call",
      { contentItems: [{ type: "inputText", text: "This tool is not available here." }], success: false }
    ]
  ] as const)("a request that nobody can grant or answer gets an answer without a decision: %s", ([name, answer]) =>
    Effect.gen(function* () {
      const { opening, approvalRequests, until, wire } = yield* playing(name, "once")
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("x"))
      yield* until("TurnEnded")
      assert.deepStrictEqual(approvalRequests, [])
      assert.deepStrictEqual((yield* wire).find((line) => line.method === undefined)?.result, answer)
    })
  )

  it.effect("an unknown request is answered with -32601", () =>
    Effect.gen(function* () {
      const { opening, until, wire } = yield* scripted([
        ...turning,
        { dir: "out", msg: { id: 0, method: "attestation/generate", params: {} } },
        { dir: "in", msg: { id: 0 } },
        turnEnds("completed")
      ])
      const connection = yield* opening
      yield* connection.prompt(1, textPrompt("x"))
      yield* until("TurnEnded")
      assert.strictEqual((yield* wire).find(({ id, method }) => id === 0 && method === undefined)?.error?.code, -32601)
    })
  )

  it.effect(
    "a command is what it runs where the model wants it, and no repository's own shell is taken for a shell",
    () =>
      Effect.gen(function* () {
        const asks = (id: number, command: string, cwd: string) => [
          {
            dir: "out" as const,
            msg: { id, method: "item/commandExecution/requestApproval", params: { itemId: "c", command, cwd } }
          },
          { dir: "in" as const, msg: { id } }
        ]
        const { opening, approvalRequests, until } = yield* scripted([
          ...turning,
          ...asks(0, "/bin/bash -lc 'git status'", "/elsewhere"),
          ...asks(1, "/repo/bash -lc 'git status'", "/repo"),
          turnEnds("completed")
        ])
        const connection = yield* opening
        yield* connection.prompt(1, textPrompt("x"))
        yield* until("TurnEnded")
        assert.deepInclude(approvalRequests[0]?.action, { argv: ["git", "status"], directories: ["/elsewhere"] })
        const forged = { text: "/repo/bash -lc 'git status'", argv: ["/repo/bash", "-lc", "git status"] }
        assert.deepInclude(approvalRequests[1]?.action, forged)
      })
  )

  it.effect("a sub-agent's request is passed on for the running turn", () =>
    Effect.gen(function* () {
      const { opening, approvalRequests, until } = yield* scripted([
        ...turning,
        {
          dir: "out",
          msg: {
            id: 0,
            method: "item/commandExecution/requestApproval",
            params: { threadId: "ANOTHER", turnId: "W", itemId: "c", command: "ls", commandActions: [] }
          }
        },
        { dir: "in", msg: { id: 0 } },
        turnEnds("completed")
      ])
      const connection = yield* opening
      yield* connection.prompt(5, textPrompt("x"))
      yield* until("TurnEnded")
      assert.deepInclude(approvalRequests[0], { turn: 5, toolCallId: null, title: "ls" })
    })
  )
})
