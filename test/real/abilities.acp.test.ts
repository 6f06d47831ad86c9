/** What claude-agent-acp and codex-acp do with all that a session and a turn can bring them, as their models see it. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { AgentQuestion, ApprovalRequest } from "../../src/agent/Agent.ts"
import { Processes } from "../../src/agent/Processes.ts"
import type { PromptBlock } from "../../src/domain/PromptContent.ts"
import type { Answers } from "../../src/domain/Question.ts"
import { home } from "./harness/acpAgent.ts"
import type { Adapter } from "./harness/acpAgent.ts"

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

const adapters: ReadonlyArray<Adapter> = ["claude-agent-acp", "codex-acp"]

const mcpServer = (file: string) => ({
  name: "traces",
  command: process.execPath,
  args: [join(import.meta.dirname, "harness", "mcpServer.ts"), file],
  env: { TOKEN: "a secret of the server" }
})

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("an adapter", (it) => {
  describe.each(adapters)("%s", (adapter) => {
    it.effect("has what it is said to have before it is started", () =>
      Effect.gen(function* () {
        const { driver, open } = yield* home(adapter)
        const { connection } = yield* open()
        assert.deepStrictEqual(connection.capabilities, driver.capabilities)
        const { efforts, models, modes } = connection.choices()
        assert.includeMembers(
          efforts.map(({ id }) => id),
          ["low", "medium", "high"]
        )
        assert.isNotEmpty(models)
        const kept = adapter === "codex-acp" ? ["read-only"] : ["default", "plan"]
        assert.sameMembers(
          modes.map(({ id }) => id),
          kept
        )
      })
    )

    it.effect("gives images, links and resources to its model", () =>
      Effect.gen(function* () {
        const { at, model, open } = yield* home(adapter)
        const session = yield* open()
        const path = at("image.png")
        writeFileSync(path, Buffer.from(png, "base64"))
        const blocks: ReadonlyArray<PromptBlock> = [
          { type: "image", mimeType: "image/png", path },
          { type: "resource_link", uri: "file:///link.txt", name: "link.txt" },
          { type: "resource", resource: { uri: "file:///unsaved.txt", text: "not saved yet" } },
          { type: "text", text: "SAY:seen" }
        ]
        assert.strictEqual((yield* session.turn(1, "SAY:seen", {}, blocks)).failure, null)
        // Claude has the text of a resource behind the words of the prompt.
        const requests = model.asked().map(({ request }) => JSON.stringify(request))
        const request = requests.find((body) => body.includes("not saved yet")) ?? assert.fail("no resource came")
        for (const part of [png, "link.txt", "SAY:seen"]) assert.include(request, part)
        rmSync(path)
        const gone = yield* Effect.flip(session.turn(2, "SAY:again", {}, blocks))
        assert.strictEqual(gone.class, "config")
        assert.match(gone.message, /The image image\.png of the prompt can't be read/)
        assert.strictEqual((yield* session.turn(3, "SAY:alive")).stopReason, "end_turn")
      })
    )

    it.effect("starts the MCP servers of a session, asks before their tools, and reports one that does not start", () =>
      Effect.gen(function* () {
        const { at, open } = yield* home(adapter)
        const broken = { name: "broken", command: "/nonexistent/server" }
        const mcpServers = [mcpServer(at("mcp")), broken]
        const refused: Array<ApprovalRequest> = []
        const approve = (request: ApprovalRequest) => Effect.sync(() => (refused.push(request), "deny" as const))
        const refusing = yield* open({ mcpServers, permissions: "deny", approve })
        // A server on a busy machine may not be ready for the first turn.
        for (let turn = 1; turn <= 5 && refused.length === 0; turn++) {
          yield* refusing.turn(turn, "MCP:traces/poke\nSAY:done")
        }
        assert.lengthOf(refused, 1)
        const failed = yield* refusing.until(({ _tag }) => _tag === "McpFailed")
        assert.deepInclude(failed, { server: "broken" })
        assert.isTrue(existsSync(at("mcp.started")))
        assert.isFalse(existsSync(at("mcp.called")))
        const asking = yield* open({ mcpServers, permissions: "ask" })
        for (let turn = 1; turn <= 5 && asking.approvalRequests.length === 0; turn++) {
          yield* asking.turn(turn, "MCP:traces/poke\nSAY:done")
        }
        assert.deepStrictEqual(
          asking.approvalRequests.map(({ action }) => action),
          [{ _tag: "McpTool", server: "traces", tool: "poke" }]
        )
        assert.isTrue(existsSync(at("mcp.called")))
      })
    )

    it.effect("compacts on request, and says so", () =>
      Effect.gen(function* () {
        const { open } = yield* home(adapter)
        const session = yield* open()
        yield* session.turn(1, "SAY:one")
        yield* session.connection.compact?.(2) ?? Effect.die("it can't compact")
        assert.strictEqual((yield* session.ended(2)).failure, null)
        const reports = session.facts.flatMap((fact) =>
          fact._tag === "Update" && fact.turn === 2 ? [fact.message.params.update] : []
        )
        const call = reports.find(({ title }) => title === "Compact conversation")
        assert.deepInclude(call, { kind: "think" })
        assert.isTrue(
          reports.some(({ status, toolCallId }) => status === "completed" && toolCallId === call?.["toolCallId"])
        )
      })
    )

    it.effect("lists its conversations, copies one that is open, and goes on with one of another process", () =>
      Effect.gen(function* () {
        const { cwd, driver, open } = yield* home(adapter)
        const session = yield* open()
        yield* session.turn(1, "SAY:remembered")
        const { thread } = session.connection
        const copy = yield* open({ fork: { threadId: thread, agentTurnId: null } })
        assert.notStrictEqual(copy.connection.thread, thread)
        yield* copy.turn(1, "RECALL")
        assert.include(copy.text(1), "SAY:remembered")
        const noTurn = yield* Effect.flip(open({ fork: { threadId: thread, agentTurnId: "turn" } }))
        assert.strictEqual(noTurn.class, "config")
        yield* session.leave
        const listing = { lease: copy.lease, session: "ses_list" as never, spawned: () => Effect.void }
        const list = driver.threads?.(listing, { cwd, cursor: null, limit: 50 }) ?? Effect.die("it lists nothing")
        const { threads } = yield* Effect.scoped(list)
        assert.includeMembers(
          threads.map(({ id }) => id),
          [thread]
        )
        const adopted = yield* open({ thread })
        yield* adopted.turn(1, "RECALL")
        assert.include(adopted.text(1), "SAY:remembered")
      })
    )

    it.effect("gets directories and variables of a session", () =>
      Effect.gen(function* () {
        const { open, requestFor } = yield* home(adapter)
        const outside = mkdtempSync("/var/tmp/troupe-real-")
        yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(outside, { recursive: true })))
        const session = yield* open({ additionalDirectories: [outside], env: { OF_SESSION: "a value of the session" } })
        yield* session.turn(1, "SAY:one")
        assert.include(JSON.stringify(requestFor("SAY:one")), outside)
        const [pid = 0] = session.pids
        assert.include(readFileSync(`/proc/${pid}/environ`, "utf8"), "OF_SESSION=a value of the session")
      })
    )
  })

  const question = {
    questions: [
      {
        question: "Which color?",
        header: "Color",
        options: [
          { label: "Red", description: "As a rose" },
          { label: "Blue", description: "As the sky" }
        ],
        multiSelect: false
      }
    ]
  }
  const asks = (say: string) => `CALL:AskUserQuestion ${JSON.stringify(question)}\nSAY:${say}`

  it.effect(
    "Claude's questions are asked, answered from the options or freely, and declined where nobody answers",
    () =>
      Effect.gen(function* () {
        const { open, requestFor } = yield* home("claude-agent-acp")
        const questions: Array<AgentQuestion> = []
        const answers: Array<Answers | null> = [{ question_0: "Blue" }, { question_0: "Green" }, null]
        const session = yield* open({
          permissions: "deny",
          questions: true,
          ask: (asked) => Effect.sync(() => answers[questions.push(asked) - 1] ?? null)
        })
        for (const [index, said] of ["one", "two", "three"].entries()) {
          assert.strictEqual((yield* session.turn(index + 1, asks(said))).stopReason, "end_turn")
        }
        const result = (say: string) => JSON.stringify(requestFor(asks(say)))
        assert.include(result("one"), String.raw`\"Which color?\"=\"Blue\"`)
        assert.include(result("two"), String.raw`\"Which color?\"=\"Green\"`)
        assert.deepInclude(questions[0], { title: "Which color?", turn: 1 })
        assert.deepStrictEqual(questions[0]?.fields, [
          {
            id: "question_0",
            label: "Color",
            type: "choice",
            options: [
              { value: "Red", label: "Red", description: "As a rose" },
              { value: "Blue", label: "Blue", description: "As the sky" }
            ],
            other: true,
            required: false
          }
        ])
        assert.lengthOf(questions, 3)
        assert.deepStrictEqual(session.approvalRequests, [])
      })
  )

  it.effect("Claude leaves its plan mode for the one that asks, and is in it again without a wish", () =>
    Effect.gen(function* () {
      const { at, open } = yield* home("claude-agent-acp")
      const approvalRequests: Array<ApprovalRequest> = []
      const session = yield* open({
        approve: (request) => Effect.sync(() => (approvalRequests.push(request) === 1 ? "session" : "deny"))
      })
      const mode = () =>
        session.facts.flatMap((fact) => {
          const update = fact._tag === "Update" ? fact.message.params.update : undefined
          return update?.sessionUpdate === "current_mode_update" ? [update["currentModeId"]] : []
        })
      yield* session.turn(1, `CALL:ExitPlanMode ${JSON.stringify({ plan: "Do it" })}\nSAY:left`, { mode: "plan" })
      assert.deepStrictEqual(mode(), ["default"])
      const refused = yield* Effect.flip(session.turn(2, "SAY:x", { mode: "acceptEdits" }))
      assert.strictEqual(refused.class, "config")
      // In plan mode each command is asked about, and no model decides on it.
      const asked = approvalRequests.length
      yield* session.turn(3, `RUN:touch ${at("work/touched")}\nSAY:planning`, { mode: "plan" })
      assert.isFalse(existsSync(at("work/touched")))
      assert.lengthOf(approvalRequests, asked + 1)
      yield* session.leave
      const { thread } = session.connection
      const denying = yield* open({ thread, permissions: "deny", approve: () => Effect.succeed("deny") })
      assert.deepInclude(denying.connection.configured, { mode: "default" })
      yield* denying.turn(1, `WRITE:${at("work/written")}|x\nSAY:done`)
      assert.isFalse(existsSync(at("work/written")))
    })
  )
})
