/** What becomes of the thread where codex does not start or resume it at once. */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as NodeServices from "@effect/platform-node/NodeServices"
import type { AgentFact } from "../../src/agent/Agent.ts"
import { Processes } from "../../src/agent/Processes.ts"
import type { Script } from "./codex.agent.ts"
import { errorReply, hello, on, reply, say, scripted, wait } from "./codex.agent.ts"
import { metaOf, updates } from "./codex.replay.ts"

const thread = { thread: { id: "T" } }
const resuming = { thread: "T" }
const quick = { overloadedMillis: 5 }

const refuses = (id: number, method: string, code: number, message: string): Script => [
  on(id, method),
  errorReply(id, code, message)
]

const overloaded = (id: number, method: string) => refuses(id, method, -32001, "Server overloaded; retry later.")

const methodsIn = (lines: ReadonlyArray<{ readonly method?: string }>) => lines.map(({ method }) => method)

const retries = (facts: ReadonlyArray<AgentFact>) =>
  updates(facts).flatMap((fact) => metaOf(fact)["troupe/retry"] ?? [])

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("codex's start", (it) => {
  it.effect("a resume that an overloaded codex did not take is made again, and reported", () =>
    Effect.gen(function* () {
      const { facts, opening, wire } = yield* scripted(
        [...hello, ...overloaded(2, "thread/resume"), on(3, "thread/resume"), reply(3, thread)],
        "deny",
        resuming,
        quick
      )
      assert.deepInclude(yield* opening, { thread: "T", contextLost: null })
      const resumes = methodsIn(yield* wire).filter((method) => method === "thread/resume")
      assert.deepStrictEqual(resumes, ["thread/resume", "thread/resume"])
      assert.deepStrictEqual(retries(facts), [
        {
          message: "Codex is overloaded and did not take thread/resume. It is asked again.",
          details: "Server overloaded; retry later."
        }
      ])
    })
  )

  it.effect("a codex that stays overloaded fails the start, and the thread is kept", () =>
    Effect.gen(function* () {
      const always = [2, 3, 4, 5, 6, 7].flatMap((id) => overloaded(id, "thread/resume"))
      const { facts, opening, wire } = yield* scripted([...hello, ...always], "deny", resuming, quick)
      const error = yield* Effect.flip(opening)
      assert.strictEqual(error.class, "protocol")
      assert.match(error.message, /overloaded and did not take thread\/resume.*The conversation is kept\./)
      assert.notInclude(methodsIn(yield* wire), "thread/start")
      assert.strictEqual(retries(facts).length, 5)
    })
  )

  it.effect.each([
    [
      -32603,
      "error creating thread: Fatal error: Failed to initialize session: required MCP servers failed to initialize: x",
      "config"
    ],
    [-32600, "failed to load configuration: Model provider `nope` not found", "config"],
    [-32600, "session T is archived. Unarchive it first", "config"],
    [-32603, "failed to read thread: thread-store internal error: Too many open files (os error 24)", "protocol"],
    [-32601, "thread/resume is not supported yet", "config"]
  ] as const)("a resume that fails with %i, %s, keeps the thread: class %3$s", ([code, message, failureClass]) =>
    Effect.gen(function* () {
      const { opening, wire } = yield* scripted(
        [...hello, ...refuses(2, "thread/resume", code, message), on(3, "thread/start"), reply(3, thread)],
        "deny",
        resuming
      )
      const error = yield* Effect.flip(opening)
      assert.strictEqual(error.class, failureClass)
      assert.include(error.message, message)
      assert.include(error.message, "The conversation is kept.")
      assert.notInclude(methodsIn(yield* wire), "thread/start")
    })
  )

  // Codex's own words, of 0.169.
  it.effect.each([
    [-32600, "no rollout found for thread id T"],
    [-32603, "failed to read thread: thread-store internal error: rollout at /x.jsonl is empty"],
    [-32603, "failed to read thread: rollout at /x.jsonl does not start with session metadata"],
    [-32600, "invalid session id: invalid character: found `x` at 1"]
  ] as const)("a resume that fails with %i, %s, has lost the context", ([code, message]) =>
    Effect.gen(function* () {
      const { opening } = yield* scripted(
        [...hello, ...refuses(2, "thread/resume", code, message), on(3, "thread/start"), reply(3, thread)],
        "deny",
        resuming
      )
      assert.deepInclude(yield* opening, { thread: "T", contextLost: message })
    })
  )

  const starting = (name: string) =>
    say("mcpServer/startupStatus/updated", { name, status: "starting", error: null, threadId: null })

  it.effect("signs of MCP servers that start extend the wait for the thread", () =>
    Effect.gen(function* () {
      const slow: Script = [starting("a"), wait(1_000), starting("b"), wait(1_000), starting("c"), wait(1_000)]
      const { opening } = yield* scripted(
        [...hello, on(2, "thread/start"), ...slow, reply(2, thread)],
        "deny",
        {},
        { threadMillis: 2_500 }
      )
      assert.deepInclude(yield* opening, { thread: "T" })
    })
  )

  it.effect("a start that waits for an MCP server too long names it, and is no crash to try again", () =>
    Effect.gen(function* () {
      const ready = say("mcpServer/startupStatus/updated", { name: "quick", status: "ready", threadId: null })
      const script: Script = [...hello, on(2, "thread/start"), starting("quick"), starting("docs"), ready]
      const { opening } = yield* scripted(script, "deny", {}, { threadMillis: 300 })
      const error = yield* Effect.flip(opening)
      assert.strictEqual(error.class, "config")
      assert.match(error.message, /did not answer thread\/start in time.*"docs" is still starting/)
      assert.notInclude(error.message, "quick")
    })
  )

  it.effect("the wait has an end, however often MCP servers give a sign", () =>
    Effect.gen(function* () {
      const forever = Array.from({ length: 600 }, () => [starting("docs"), wait(100)]).flat()
      const script: Script = [...hello, on(2, "thread/start"), ...forever]
      const { opening } = yield* scripted(script, "deny", {}, { threadMillis: 10_000, openMillis: 500 })
      const error = yield* Effect.flip(opening)
      assert.include(error.message, `"docs" is still starting`)
    })
  )

  // As 0.169 answers under a requirements.toml with `allowed_sandbox_modes=["read-only"]`.
  const granted = (approvalPolicy: string, type: string) => ({ ...thread, approvalPolicy, sandbox: { type } })
  const details =
    "invalid value for `sandbox_mode`: `WorkspaceWrite` is not in the allowed set [ReadOnly] (set by /etc/codex/requirements.toml)"
  const summary = `Configured value for \`permission_profile\` is disallowed by requirements; falling back to required value x. Details: ${details}`
  const warns = say("configWarning", { threadId: null, summary, details: null })

  it.effect("a sandbox that managed requirements forbid fails the start, and the file is named", () =>
    Effect.gen(function* () {
      const { opening } = yield* scripted(
        [
          ...hello,
          on(2, "thread/start"),
          warns,
          reply(2, granted("on-request", "readOnly")),
          on(3, "configRequirements/read"),
          reply(3, { requirements: { allowedSandboxModes: ["read-only"], allowedApprovalPolicies: null } })
        ],
        "deny",
        { permissions: "approve_all" }
      )
      const error = yield* Effect.flip(opening)
      assert.strictEqual(error.class, "config")
      assert.match(error.message, /sandbox "workspace-write".*\/etc\/codex\/requirements\.toml forbids it/)
      assert.include(error.message, `Allowed sandboxes: ["read-only"].`)
      assert.include(error.message, details)
    })
  )

  it.effect("approvals that managed requirements forbid fail the resume, too", () =>
    Effect.gen(function* () {
      const { opening } = yield* scripted(
        [
          ...hello,
          on(2, "thread/resume"),
          reply(2, granted("untrusted", "readOnly")),
          on(3, "configRequirements/read"),
          reply(3, { requirements: { allowedApprovalPolicies: ["untrusted"] } })
        ],
        "deny",
        { ...resuming, permissions: "ask" }
      )
      const error = yield* Effect.flip(opening)
      assert.match(error.message, /approvals "on-request".*requirements\.toml.*Allowed approvals: \["untrusted"\]/)
    })
  )

  it.effect("a start is accepted where requirements forbid something else only", () =>
    Effect.gen(function* () {
      const { opening, wire } = yield* scripted(
        [...hello, on(2, "thread/start"), warns, reply(2, granted("on-request", "workspaceWrite"))],
        "deny",
        { permissions: "approve_all" }
      )
      assert.deepInclude(yield* opening, { thread: "T" })
      assert.notInclude(methodsIn(yield* wire), "configRequirements/read")
    })
  )

  it.effect.each([
    ["never", "workspaceWrite", 'sandbox "read-only"'],
    ["never", "dangerFullAccess", 'sandbox "read-only"'],
    ["on-request", "readOnly", 'approvals "never"']
  ] as const)(
    "a codex that answers %s and %s to `deny` is not used, with no requirements either",
    ([policy, type, named]) =>
      Effect.gen(function* () {
        const { opening } = yield* scripted([
          ...hello,
          on(2, "thread/start"),
          reply(2, granted(policy, type)),
          on(3, "configRequirements/read"),
          reply(3, { requirements: null })
        ])
        const error = yield* Effect.flip(opening)
        assert.strictEqual(error.class, "config")
        assert.include(error.message, named)
      })
  )
})
