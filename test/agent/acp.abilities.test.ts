/** What the ACP driver hands an agent of a session and a turn: against the demo agent, and against scripted ones. */
import { assert, layer } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { AgentQuestion } from "../../src/agent/Agent.ts"
import * as Modes from "../../src/agent/acp/modes.ts"
import { Processes } from "../../src/agent/Processes.ts"
import type { PromptBlock } from "../../src/domain/PromptContent.ts"
import { textPrompt } from "../../src/domain/Turn.ts"
import { claude } from "./acp.adapters.ts"
import { demo } from "./acp.agent.ts"
import { scripted } from "./acp.script.ts"

layer(Processes.layer, { excludeTestServices: true })("the ACP driver", (it) => {
  it.effect("hands images, links and resources over in their order, and refuses an image that is gone", () =>
    Effect.gen(function* () {
      const session = yield* demo()
      const path = join(session.cwd, "dot.png")
      writeFileSync(path, "0123456789")
      const blocks: ReadonlyArray<PromptBlock> = [
        { type: "image", mimeType: "image/png", path },
        { type: "resource_link", uri: "file:///a", name: "a" },
        { type: "resource", resource: { uri: "file:///b", text: "four" } }
      ]
      yield* session.connection.prompt(1, { text: "", blocks, settings: {} })
      yield* session.ended(1)
      const words = "an image, image/png, 10 bytes; a link to a, file:///a; the resource file:///b, 4 characters"
      assert.include(session.text(1), words)
      rmSync(path)
      const gone = yield* Effect.flip(session.connection.prompt(2, { text: "", blocks, settings: {} }))
      assert.strictEqual(gone.class, "config")
      assert.strictEqual((yield* session.turn(3, "hello")).stopReason, "end_turn")
    })
  )

  it.effect("writes a resource as text for an agent that takes none, and refuses an image", () =>
    Effect.gen(function* () {
      const session = yield* scripted({})
      const resource = { type: "resource", resource: { uri: "file:///b", text: "a ``` b" } } as const
      yield* session.connection.prompt(1, { text: "", blocks: [resource], settings: {} })
      yield* session.ended(1)
      const { params } = session.folder.received().find(({ method }) => method === "session/prompt") ?? {}
      assert.deepInclude(params, { prompt: [{ type: "text", text: "file:///b:\n````\na ``` b\n````" }] })
      const image = { type: "image", mimeType: "image/png", path: "/nowhere" } as const
      const refused = yield* Effect.flip(session.connection.prompt(2, { text: "", blocks: [image], settings: {} }))
      assert.match(refused.message, /takes no images/)
    })
  )

  it.effect(
    "sets what a turn asks for, goes back for the next, and names the choices where it knows no such value",
    () =>
      Effect.gen(function* () {
        const session = yield* demo({ model: "demo-large" })
        const turn = Effect.fnUntraced(function* (index: number, settings: object) {
          yield* session.connection.prompt(index, { ...textPrompt("session"), settings })
          yield* session.ended(index)
          return session.text(index).split("\n")[0]
        })
        assert.strictEqual(yield* turn(1, {}), "Model demo-large, effort medium, mode ask.")
        const wishes = { model: "demo-small", effort: "high", mode: "plan" }
        assert.strictEqual(yield* turn(2, wishes), "Model demo-small, effort high, mode plan.")
        assert.strictEqual(yield* turn(3, {}), "Model demo-large, effort medium, mode ask.")
        const unknown = yield* Effect.flip(turn(4, { effort: "huge" }))
        assert.match(
          String((unknown as Error).message),
          /does not know the effort huge\. It takes: low, medium, high\./
        )
        const widening = yield* Effect.flip(turn(5, { mode: "default" }))
        assert.match(String((widening as Error).message), /would decide what the session's permissions decide/)
        assert.strictEqual(yield* turn(6, {}), "Model demo-large, effort medium, mode ask.")
        const { efforts, modes, models } = session.connection.choices()
        const ids = [models, modes, efforts].map((choices) => choices.map(({ id }) => id))
        assert.deepStrictEqual(ids, [
          ["demo-small", "demo-large"],
          ["ask", "plan"],
          ["low", "medium", "high"]
        ])
      })
  )

  it.effect("takes no mode back that the agent itself went to, unless it widens the permissions", () =>
    Effect.gen(function* () {
      const to = (currentModeId: string) => ({ update: { sessionUpdate: "current_mode_update", currentModeId } })
      const end = { result: { stopReason: "end_turn" } }
      const session = yield* scripted({ ...claude, turns: [[to("plan"), end], [to("acceptEdits"), end], [end]] })
      for (const turn of [1, 2, 3]) yield* session.turn(turn, "go on")
      const sent = session.folder
        .received()
        .flatMap(({ method, params }) =>
          method === "session/set_mode" ? [(params as { readonly modeId: string }).modeId] : []
        )
      assert.deepStrictEqual(sent, ["default", "default"], "at the opening, and after acceptEdits")
    })
  )

  it.effect("gives a session its servers, directories and variables, and reports a server that did not start", () =>
    Effect.gen(function* () {
      const session = yield* demo({
        mcpServers: [
          { name: "tickets", type: "http", url: "http://127.0.0.1:1/", headers: { authorization: "Bearer x" } },
          { name: "broken", command: "/nonexistent/server" }
        ],
        additionalDirectories: ["/srv/more"],
        env: { OF_SESSION: "yes" }
      })
      yield* session.turn(1, "session\nenv OF_SESSION")
      const text = session.text(1)
      assert.include(text, "MCP servers: tickets (http), broken (stdio).\nAdditional directories: /srv/more.")
      assert.include(text, "OF_SESSION is yes")
      assert.deepInclude(yield* session.until(({ _tag }) => _tag === "McpFailed"), { server: "broken" })
    })
  )

  it.effect("refuses servers and directories that the agent does not announce", () =>
    Effect.gen(function* () {
      const server = { name: "tickets", type: "sse", url: "http://127.0.0.1:1/" } as const
      const noServer = yield* Effect.flip(scripted({}, { mcpServers: [server] }))
      assert.match(String(noServer), /announces no transport "sse"/)
      const noDirectory = yield* Effect.flip(scripted({}, { additionalDirectories: ["/srv"] }))
      assert.match(String(noDirectory), /takes no additional directories/)
      const noFork = yield* Effect.flip(scripted({}, { fork: { threadId: "a", agentTurnId: null } }))
      assert.match(String(noFork), /announces no session\/fork/)
    })
  )

  it.effect("asks a person what the agent asks, and declines where nobody answers", () =>
    Effect.gen(function* () {
      const questions: Array<AgentQuestion> = []
      const answers = [{ color: "green", sizes: ["S"], count: 2, gift: true }, null]
      const session = yield* demo({
        questions: true,
        ask: (one) => Effect.sync(() => answers[questions.push(one) - 1] ?? null)
      })
      yield* session.turn(1, "form")
      assert.include(
        session.text(1),
        JSON.stringify({ action: "accept", content: { color_custom: "green", sizes: ["S"], count: 2, gift: true } })
      )
      yield* session.turn(2, "form")
      assert.include(session.text(2), '{"action":"decline"}')
      const types = questions[0]?.fields.map(({ id, type }) => [id, type])
      assert.deepStrictEqual(types, [
        ["color", "choice"],
        ["sizes", "choices"],
        ["count", "number"],
        ["gift", "boolean"],
        ["note", "text"]
      ])
    })
  )

  it.effect("announces no way to ask where no person can be asked", () =>
    Effect.gen(function* () {
      const session = yield* demo({ questions: false, ask: () => Effect.die("nobody can be asked") })
      yield* session.turn(1, "form")
      assert.include(session.text(1), "The client takes no forms.")
    })
  )

  it.effect("withdraws an open question with its turn", () =>
    Effect.gen(function* () {
      const opened = yield* Deferred.make<void>()
      let withdrawn = false
      const session = yield* demo({
        questions: true,
        ask: () =>
          Deferred.succeed(opened, undefined).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Effect.sync(() => (withdrawn = true)))
          )
      })
      yield* session.connection.prompt(1, textPrompt("form"))
      yield* Deferred.await(opened)
      yield* session.connection.interrupt
      assert.strictEqual((yield* session.ended(1)).stopReason, "cancelled")
      assert.isTrue(withdrawn)
    })
  )

  it.effect("copies a conversation, and does not up to a turn", () =>
    Effect.gen(function* () {
      const state = yield* demo({})
      const env = { TROUPE_DEMO_STATE: join(state.cwd, "state") }
      const first = yield* demo({}, env)
      yield* first.turn(1, "remember me")
      const threadId = first.connection.thread
      const copy = yield* demo({ fork: { threadId, agentTurnId: null } }, env)
      assert.notStrictEqual(copy.connection.thread, threadId)
      yield* copy.turn(1, "recall")
      assert.include(copy.text(1), "remember me")
      const refused = yield* Effect.flip(demo({ fork: { threadId, agentTurnId: "t" } }, env))
      assert.match(String(refused), /copies whole conversations only/)
    })
  )

  it.effect("knows the modes that widen nothing", () =>
    Effect.sync(() => {
      const problem = (agent: Parameters<typeof Modes.modeProblem>[0], mode: string, word: "deny" | "approve_all") =>
        Modes.modeProblem(agent, "it", mode, word) === null
      for (const word of ["deny", "approve_all"] as const) {
        assert.isTrue(problem("claude", "plan", word))
        for (const mode of ["acceptEdits", "auto", "dontAsk", "bypassPermissions"]) {
          assert.isFalse(problem("claude", mode, word))
        }
        assert.isFalse(problem("codex", "agent-full-access", word))
        assert.strictEqual(problem("codex", "workspace-write", word), word === "approve_all")
        assert.strictEqual(problem(null, "anything", word), word === "approve_all")
      }
      const rules = { rules: [], default: "approve_all" } as const
      assert.isNull(Modes.modeProblem(null, "it", "anything", rules))
    })
  )
})
