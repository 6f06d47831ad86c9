/** What a session and a turn choose, over real stdio: what codex is told, and how its questions are answered. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Layer } from "effect"
import type { OpenRequest } from "../../src/agent/Agent.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { textPrompt } from "../../src/domain/Turn.ts"
import type { Prompt } from "../../src/domain/Turn.ts"
import { hello, on, reply, say, scripted, turnEnds, turning } from "./codex.agent.ts"
import type { Script } from "./codex.agent.ts"

const models = {
  data: [
    {
      model: "big",
      displayName: "Big",
      description: "",
      hidden: false,
      isDefault: true,
      supportedReasoningEfforts: [
        { reasoningEffort: "low", description: "fast" },
        { reasoningEffort: "high", description: "" }
      ],
      defaultReasoningEffort: "low"
    },
    { model: "small", displayName: "Small", hidden: false, isDefault: false, supportedReasoningEfforts: [] },
    { model: "secret", displayName: "Secret", hidden: true, isDefault: false, supportedReasoningEfforts: [] }
  ],
  nextCursor: null
}

const configured: Script = [on(91, "config/read"), reply(91, { config: {} })]
const listed: Script = [on(90, "model/list"), reply(90, models)]

const aTurn = (nth: number): Script => [
  on(10 + nth, "turn/start"),
  reply(10 + nth, { turn: { id: `U${nth}` } }),
  say("turn/started", { turn: { id: `U${nth}` } }),
  say("turn/completed", { turn: { id: `U${nth}`, status: "completed", error: null } })
]

/** Opens a thread by this method and runs the turns; gives the parameters of the opening and of each turn. */
const told = Effect.fnUntraced(function* (
  method: string,
  opened: object,
  changes: Partial<OpenRequest>,
  prompts: ReadonlyArray<Partial<Prompt>>
) {
  const { opening, until, wire } = yield* scripted(
    [
      ...hello,
      ...configured,
      on(2, method),
      reply(2, { thread: { id: "T" }, ...opened }),
      ...listed,
      ...prompts.flatMap((_, nth) => aTurn(nth))
    ],
    "deny",
    changes
  )
  const connection = yield* opening
  for (const [nth, prompt] of prompts.entries()) {
    yield* connection.prompt(nth, { ...textPrompt("x"), ...prompt })
    yield* until("TurnEnded", nth)
  }
  const lines = yield* wire
  const paramsOf = (name: string) => lines.flatMap((line) => (line.method === name ? [line.params ?? {}] : []))
  return { opening: paramsOf(method)[0] ?? {}, turns: paramsOf("turn/start"), connection }
})

/** What the turns choose of a thread. */
const chosen = ({ collaborationMode, effort, model, outputSchema }: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries({ collaborationMode, effort, model, outputSchema }).filter(([, value]) => value !== undefined)
  )

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("codex's abilities", (it) => {
  it.effect("texts, images and resources of a prompt are handed over in their order", () =>
    Effect.gen(function* () {
      const image = yield* (yield* FileSystem.FileSystem).makeTempFileScoped({ suffix: ".png" })
      const { turns } = yield* told("thread/start", {}, {}, [
        {
          blocks: [
            { type: "text", text: "look" },
            { type: "image", mimeType: "image/png", path: image },
            { type: "resource", resource: { uri: "a.md", text: "A" } }
          ]
        }
      ])
      assert.deepStrictEqual(turns[0]?.["input"], [
        { type: "text", text: "look" },
        { type: "localImage", path: image },
        { type: "text", text: "a.md:\n```\nA\n```" }
      ])
    })
  )

  it.effect("a prompt with an image that can't be read is not handed over, and the next one is", () =>
    Effect.gen(function* () {
      const { opening, until, wire } = yield* scripted([...turning, turnEnds("completed")])
      const connection = yield* opening
      const blocks = [{ type: "image", mimeType: "image/png", path: "/nonexistent/a.png" }] as const
      const failure = yield* Effect.flip(connection.prompt(1, { ...textPrompt("x"), blocks }))
      assert.deepInclude(failure, { class: "config" })
      assert.match(failure.message, /a\.png of the prompt can't be read \(ENOENT\)/)
      yield* connection.prompt(2, textPrompt("y"))
      assert.strictEqual((yield* until("TurnEnded")).turn, 2)
      assert.strictEqual((yield* wire).filter(({ method }) => method === "turn/start").length, 1)
    })
  )

  it.effect("a turn's trace is a member of its request, beside the parameters", () =>
    Effect.gen(function* () {
      const { opening, until, wire } = yield* scripted([...turning, turnEnds("completed")])
      const connection = yield* opening
      const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
      yield* connection.prompt(1, { ...textPrompt("x"), traceparent })
      yield* until("TurnEnded")
      const line = (yield* wire).find(({ method }) => method === "turn/start") as
        | { readonly params?: object; readonly trace?: unknown }
        | undefined
      assert.deepStrictEqual(line?.trace, { traceparent })
      assert.notProperty(line?.params, "traceparent")
    })
  )

  it.effect("a thread for which nothing is chosen is told nothing", () =>
    Effect.gen(function* () {
      const { turns } = yield* told("thread/start", { model: "big" }, {}, [{}, {}])
      assert.deepStrictEqual(turns.map(chosen), [{}, {}])
    })
  )

  it.effect("after a turn with settings of its own the session's are sent again, and the schema is not", () =>
    Effect.gen(function* () {
      const schema = { type: "object" }
      const { turns } = yield* told("thread/start", { model: "small" }, {}, [
        { settings: { model: "big", effort: "high", outputSchema: schema } },
        {},
        { settings: { mode: "plan" } },
        {}
      ])
      const mode = (name: string) => ({
        collaborationMode: {
          mode: name,
          settings: { model: "small", reasoning_effort: null, developer_instructions: null }
        }
      })
      assert.deepStrictEqual(turns.map(chosen), [
        { model: "big", effort: "high", outputSchema: schema },
        { model: "small" },
        mode("plan"),
        mode("default")
      ])
    })
  )

  it.effect("a resumed thread keeps nothing of an earlier turn: not its model, its effort nor its mode", () =>
    Effect.gen(function* () {
      const left = { model: "small", reasoningEffort: "high", collaborationMode: { mode: "plan", settings: {} } }
      const plain = yield* told("thread/resume", { ...left, collaborationMode: null }, { thread: "T" }, [{}])
      assert.deepStrictEqual(plain.turns.map(chosen), [{ model: "big", effort: "low" }])
      const planned = yield* told("thread/resume", left, { thread: "T" }, [{}])
      assert.deepStrictEqual(planned.turns.map(chosen), [
        {
          collaborationMode: {
            mode: "default",
            settings: { model: "big", reasoning_effort: "low", developer_instructions: null }
          }
        }
      ])
    })
  )

  it.effect("what there is to choose from is what codex lists, without what it hides", () =>
    Effect.gen(function* () {
      const { connection } = yield* told("thread/start", { model: "big" }, {}, [{ settings: { effort: "high" } }])
      assert.deepStrictEqual(connection.choices(), {
        models: [
          { id: "big", name: "Big" },
          { id: "small", name: "Small" }
        ],
        modes: [
          { id: "default", name: "Default" },
          {
            id: "plan",
            name: "Plan",
            description: "Codex explores and asks, and proposes a plan instead of changing anything."
          }
        ],
        efforts: [
          { id: "low", name: "low", description: "fast" },
          { id: "high", name: "high" }
        ]
      })
    })
  )

  it.effect("a codex that lists no models takes any: its provider decides", () =>
    Effect.gen(function* () {
      const { opening, until, wire } = yield* scripted([...turning, turnEnds("completed")])
      const connection = yield* opening
      yield* connection.prompt(1, { ...textPrompt("x"), settings: { model: "any", effort: "some" } })
      yield* until("TurnEnded")
      const start = (yield* wire).find(({ method }) => method === "turn/start")
      assert.deepStrictEqual(chosen(start?.params ?? {}), { model: "any", effort: "some" })
    })
  )

  it.effect(
    "a session's MCP servers, directories and questions are in the settings of a thread that starts, resumes, forks",
    () =>
      Effect.gen(function* () {
        const changes: Partial<OpenRequest> = {
          permissions: "approve_all",
          additionalDirectories: ["/srv/beside"],
          questions: true,
          mcpServers: [
            { name: "tickets", command: "tickets", args: ["-v"], env: { TOKEN: "t" } },
            { name: "web", type: "http", url: "http://127.0.0.1:1", headers: { Authorization: "Bearer b" } }
          ]
        }
        const fork = { threadId: "S", agentTurnId: "U7" }
        for (const [method, how] of [
          ["thread/start", {}],
          ["thread/resume", { thread: "T" }],
          ["thread/fork", { fork }]
        ] as const) {
          const { opening, turns } = yield* told(method, {}, { ...changes, ...how }, [{}])
          const asks = { enabled: true, required: false, default_tools_approval_mode: "prompt" }
          assert.deepInclude(opening["config"], {
            "mcp_servers.tickets": { command: "tickets", args: ["-v"], env: { TOKEN: "t" }, ...asks },
            "mcp_servers.web": { url: "http://127.0.0.1:1", http_headers: { Authorization: "Bearer b" }, ...asks },
            "features.default_mode_request_user_input": true
          })
          assert.deepInclude(turns[0]?.["sandboxPolicy"], { type: "workspaceWrite", writableRoots: ["/srv/beside"] })
          if (method === "thread/fork") assert.deepInclude(opening, { threadId: "S", lastTurnId: "U7" })
        }
      })
  )
})
