/** How an ACP agent's refusal to open a conversation is understood, and how an agent that wants a login is logged in. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Processes } from "../../src/agent/Processes.ts"
import { RpcError } from "../../src/agent/RpcError.ts"
import * as Authenticate from "../../src/agent/acp/authenticate.ts"
import { isUnknownThread } from "../../src/agent/acp/refusedStart.ts"
import { scripted } from "./acp.script.ts"
import type { Script } from "./acp.script.ts"

const refusal = (message: string, code = -32603, details?: string) => ({
  error: { code, message, ...(details === undefined ? {} : { data: { details } }) }
})

const resumes = { agentCapabilities: { sessionCapabilities: { resume: {} } } }

describe("an error of a resume", () => {
  it.each([
    [-32002, "Resource not found", undefined],
    [-32603, "Internal error", "no rollout found for thread id 0199"],
    [-32603, "Internal error", "requires a valid session ID"],
    [-32603, "Internal error", "Session not found: 0199"],
    [-32602, "Invalid params", "Unknown session 0199"],
    [-32603, "Internal error", "No previous sessions found for this project."],
    [-32603, "No conversation found with session ID: 0199", undefined],
    [-32603, "The conversation 0199 does not exist on this server", undefined]
  ])("says that the conversation is unknown: %d %s %s", (code, message, details) =>
    assert.isTrue(isUnknownThread(new RpcError({ code, message, ...(details ? { data: { details } } : {}) })))
  )

  it.each([
    [-32603, "Internal error", "Model opus-9 not found"],
    [-32603, "Internal error", "Claude Code executable not found at /usr/bin/claude"],
    [-32603, "Internal error", "MCP server 'session-store' not found"],
    [-32603, "Cannot resume the session: required MCP servers failed to initialize: x", undefined],
    [-32603, "Internal error", "spawn codex ENOENT"],
    [-32002, "Resource not found", "unknown model gpt-0"],
    [-32603, "Overloaded", undefined],
    [-32001, "Server overloaded; retry later.", undefined]
  ])("says nothing of the conversation: %d %s %s", (code, message, details) =>
    assert.isFalse(isUnknownThread(new RpcError({ code, message, ...(details ? { data: { details } } : {}) })))
  )
})

layer(Processes.layer, { excludeTestServices: true })("an agent that refuses to resume", (it) => {
  it.effect("for a model that is missing keeps the conversation, and says what to mend", () =>
    Effect.gen(function* () {
      const script: Script = {
        initialize: resumes,
        replies: { "session/resume": [refusal("Internal error", -32603, "Model opus-9 not found")] }
      }
      const error = yield* Effect.flip(scripted(script, { thread: "kept" }))
      assert.strictEqual(error.class, "config")
      assert.match(error.message, /Model opus-9 not found\. Mend its configuration .* The conversation is kept\.$/)
    })
  )

  it.effect("because it does not know the conversation begins a new one, and says so", () =>
    Effect.gen(function* () {
      const session = yield* scripted(
        { initialize: resumes, replies: { "session/resume": [refusal("Session not found")] } },
        { thread: "lost" }
      )
      assert.match(session.connection.contextLost ?? "", /does not know the conversation lost any more/)
    })
  )
})

layer(Processes.layer, { excludeTestServices: true })("an agent that does not get ready", (it) => {
  // Longer than a busy machine takes to start the program; both wait at once.
  const startTimeout = "8 seconds"

  it.effect("fails its start when its own deadline has passed, with how long it took and its last words", () =>
    Effect.gen(function* () {
      const failureOf = (method: string) =>
        Effect.flip(scripted({ replies: { [method]: ["silent"] } }, {}, { startTimeout }))
      const methods = ["initialize", "session/new"]
      const failures = yield* Effect.all(methods.map(failureOf), { concurrency: 2 })
      for (const [nth, method] of methods.entries()) {
        const failure = failures[nth]
        assert.strictEqual(failure?.class, "timeout")
        const message = failure?.message ?? ""
        assert.match(message, new RegExp(`did not answer ${method} in time; it was started \\d+ s ago\\.`))
        assert.include(message, `The last line of its stderr: silent about ${method}.`)
        assert.include(message, 'set "startTimeout" in its configuration')
      }
    })
  )
})

const wantsLogin = refusal("Authentication required", -32000)
const google = { id: "oauth-personal", name: "Log in with Google" }
const gemini = { id: "gemini-api-key", name: "Use Gemini API key", description: "Requires GEMINI_API_KEY" }
const grok = { id: "grok.com", name: "grok.com", description: "Log in with a browser" }
const cached = { id: "cached_token", name: "Cached login" }

layer(Processes.layer, { excludeTestServices: true })("an agent that wants authenticate", (it) => {
  const script = (authMethods: ReadonlyArray<object>, more: Script = {}): Script => ({
    ...more,
    initialize: { authMethods, ...more.initialize },
    replies: { "session/new": [wantsLogin, { result: { sessionId: "thread-1" } }], ...more.replies }
  })
  const methodsOf = (received: ReadonlyArray<{ readonly method?: string; readonly params?: unknown }>) =>
    received.map(({ method, params }) =>
      method === "authenticate" ? (params as { readonly methodId: string }).methodId : method
    )

  it.effect("is logged in once, by its default method, and then asked again", () =>
    Effect.gen(function* () {
      const { folder } = yield* scripted(
        script([grok, cached], { initialize: { _meta: { defaultAuthMethodId: "cached_token" } } })
      )
      assert.deepStrictEqual(methodsOf(folder.received()), ["initialize", "session/new", "cached_token", "session/new"])
    })
  )

  it.effect("is logged in before it resumes a conversation, too", () =>
    Effect.gen(function* () {
      const { connection, folder } = yield* scripted(
        script([cached], { initialize: resumes, replies: { "session/resume": [wantsLogin, { result: {} }] } }),
        { thread: "kept" }
      )
      assert.isNull(connection.contextLost)
      assert.deepStrictEqual(methodsOf(folder.received()).slice(1), [
        "session/resume",
        "cached_token",
        "session/resume"
      ])
    })
  )

  it.effect("is logged in by the configured method", () =>
    Effect.gen(function* () {
      const { folder } = yield* scripted(script([google, gemini]), {}, { authMethod: "oauth-personal" })
      assert.include(methodsOf(folder.received()), "oauth-personal")
    })
  )

  it.effect("and offers only a browser is not logged in: the failure names its methods and what to do", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(scripted(script([google, gemini])))
      assert.strictEqual(error.class, "auth")
      assert.strictEqual(
        error.message,
        'scripted is not logged in (Authentication required). Log in with the agent\'s own program, or give it its key in `env` or `inheritEnv`, and try again. It offers Log in with Google (oauth-personal), Use Gemini API key (gemini-api-key, reads GEMINI_API_KEY); "authMethod" in its configuration chooses one.'
      )
    })
  )

  it.effect("and does not offer the configured method says so", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(scripted(script([google]), {}, { authMethod: "api-key" }))
      assert.strictEqual(error.class, "auth")
      assert.include(error.message, "It does not offer the configured method api-key.")
    })
  )

  it.effect.each([
    [
      "refuses the method",
      { authenticate: [refusal("token expired", -32603)] },
      "Its method cached_token failed: token expired."
    ],
    ["still wants a login", { "session/new": [wantsLogin] }, "Its method cached_token did not help."]
  ] as const)("and %s is not logged in, and is not asked a third time", ([, replies, sentence]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(scripted(script([cached], { replies })))
      assert.strictEqual(error.class, "auth")
      assert.include(error.message, sentence)
    })
  )
})

describe("the choice of a login", () => {
  const choose = (authMethods: ReadonlyArray<object>, env: Record<string, string> = {}, more: object = {}) =>
    Authenticate.choose(Authenticate.offerIn({ authMethods, ...more }), undefined, env)?.id ?? null
  const key = { id: "api-key", name: "API Key", _meta: { "api-key": { provider: "openai" } } }
  const vars = { id: "key", name: "Key", type: "env_var", vars: [{ name: "A" }, { name: "B", optional: true }] }

  it("a method whose variables are set is taken, and none whose variables are not", () => {
    assert.strictEqual(choose([google, gemini], { GEMINI_API_KEY: "x" }), "gemini-api-key")
    assert.strictEqual(choose([google, gemini], { GEMINI_API_KEY: "" }), null)
    assert.strictEqual(choose([google, key], { OPENAI_API_KEY: "x" }), "api-key")
    assert.strictEqual(choose([google, vars], { A: "x" }), "key")
    assert.strictEqual(choose([google, vars], { B: "x" }), null)
    assert.strictEqual(choose([google, { id: "xai.api_key" }], { XAI_API_KEY: "x" }), "xai.api_key")
  })

  it("a default that needs a person is not taken", () =>
    assert.strictEqual(choose([grok, google], {}, { _meta: { defaultAuthMethodId: "grok.com" } }), null))

  it("a method of a terminal is not taken, and the only other one is", () => {
    assert.strictEqual(choose([{ id: "setup", type: "terminal", args: ["--setup"] }]), null)
    assert.strictEqual(choose([{ id: "agent", name: "Agent" }]), "agent")
  })

  it("what is no list of methods offers none", () => {
    assert.strictEqual(choose([null, 7, {}, { name: "nameless" }] as never), null)
    assert.strictEqual(Authenticate.choose(Authenticate.offerIn({ authMethods: "x" }), undefined, {}), null)
  })
})
