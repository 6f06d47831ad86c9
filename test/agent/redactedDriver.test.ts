/** What a session brings as secrets is in nothing that a driver reports, whatever its protocol. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { AgentFailed, plainSetup } from "../../src/agent/Agent.ts"
import { noCapabilities } from "../../src/agent/Capabilities.ts"
import type { AgentDriver, AgentFact, AgentQuestion, ApprovalRequest, OpenRequest } from "../../src/agent/Agent.ts"
import { redactedDriver } from "../../src/agent/redactedDriver.ts"
import { updateMessage } from "../../src/domain/Acp.ts"
import type { LeaseId, SessionId } from "../../src/domain/Ids.ts"
import { noChoices } from "../../src/domain/Session.ts"
import { textPrompt } from "../../src/domain/Turn.ts"

const variable = "plain value of a variable"
const inServer = 'a "quoted" value of a server'
const bearer = "0f3c-credential-of-a-header"
const configured = "7f3c9a-of-the-agent"
const secrets = [variable, inServer, JSON.stringify(inServer).slice(1, -1), bearer, configured]
const words = `refused ${secrets.join(" | ")}`

const failing = new AgentFailed({ class: "config", message: words, stderr: words, wire: words })

/** Puts every secret into everything that it can report. */
const talkative = (request: Partial<OpenRequest>): AgentDriver => ({
  name: "talkative",
  protocol: "acp",
  capabilities: noCapabilities,
  open: ({ approve, ask, emit }) =>
    Effect.gen(function* () {
      yield* emit({ _tag: "McpFailed", turn: null, server: "tickets", message: words })
      yield* emit({
        _tag: "Update",
        turn: null,
        message: updateMessage("t", { sessionUpdate: "notice", title: words })
      })
      yield* emit({
        _tag: "TurnEnded",
        turn: 1,
        stopReason: "error",
        usage: null,
        failure: { class: "model", message: words, stderr: words },
        wire: words
      })
      yield* emit({ _tag: "Exited", code: 1, signal: null, stderr: words })
      const action = { _tag: "Other" } as unknown as ApprovalRequest["action"]
      yield* approve({
        id: "a",
        turn: 1,
        kind: "other",
        title: words,
        toolCallId: null,
        action,
        raw: { words },
        wire: words
      })
      const fields = [{ id: "f", type: "text", label: words, description: words, required: true }] as const
      yield* ask({ id: "q", turn: 1, title: words, fields, toolCallId: null, raw: [words], wire: words })
      if (request.thread === "fails") return yield* failing
      if (request.thread === "dies") return yield* Effect.die(new Error(words))
      return {
        pid: null,
        thread: "t",
        wire: words,
        contextLost: words,
        version: null,
        capabilities: noCapabilities,
        configured: {},
        choices: () => noChoices,
        prompt: () => Effect.fail(failing),
        compact: () => Effect.fail(failing),
        steer: () => Effect.fail(failing),
        interrupt: Effect.void,
        findProblem: Effect.succeed(words),
        askToExit: Effect.void
      }
    }),
  threads: () => Effect.fail(failing)
})

const reported = Effect.fnUntraced(function* (thread: string | null) {
  const facts: Array<AgentFact> = []
  const asked: Array<ApprovalRequest | AgentQuestion> = []
  const request: OpenRequest = {
    session: "ses_test" as SessionId,
    lease: "lease" as LeaseId,
    cwd: "/",
    ...plainSetup,
    permissions: "ask",
    env: { OPEN_NAME: variable },
    mcpServers: [
      { name: "tickets", command: "tickets", env: { LEVEL: inServer } },
      { name: "remote", type: "http", url: "http://127.0.0.1", headers: { Authorization: `Bearer ${bearer}` } }
    ],
    thread,
    emit: (fact) => Effect.sync(() => void facts.push(fact)),
    approve: (approval) => Effect.sync(() => (asked.push(approval), "deny")),
    ask: (question) => Effect.sync(() => (asked.push(question), null)),
    spawned: () => Effect.void
  }
  const driver = redactedDriver(talkative(request), [configured])
  const opened = yield* Effect.result(driver.open(request))
  if (opened._tag === "Failure") return { facts, asked, failure: opened.failure }
  const connection = opened.success
  const { compact, contextLost, findProblem, prompt, steer, wire } = connection
  const failures = yield* Effect.all([
    Effect.flip(prompt(1, textPrompt("x"))),
    Effect.flip(compact?.(1) ?? Effect.die("absent")),
    Effect.flip(steer?.("x") ?? Effect.die("absent"))
  ])
  return { facts, asked, failures, contextLost, wire, problem: yield* findProblem ?? Effect.succeed(null) }
})

it.effect.each([null, "fails", "dies"])("no report of a driver has a secret of its session (%s)", (thread) =>
  Effect.gen(function* () {
    const all = JSON.stringify(yield* Effect.scoped(reported(thread)))
    assert.include(all, "[redacted]")
    // As they are, and as a text of JSON within this JSON has them.
    const forms = secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)])
    assert.deepStrictEqual(
      forms.filter((form) => all.includes(form)),
      []
    )
  })
)

it.effect("a list of conversations fails without the secrets of the agent's environment", () =>
  Effect.gen(function* () {
    const { threads } = redactedDriver(talkative({}), [configured])
    const request = { session: "ses_test" as SessionId, lease: "lease" as LeaseId, spawned: () => Effect.void }
    const listed = threads?.(request, { cwd: null, cursor: null, limit: 1 }) ?? Effect.die("absent")
    const failure = yield* Effect.scoped(Effect.flip(listed))
    assert.notInclude(JSON.stringify(failure), configured)
  })
)
