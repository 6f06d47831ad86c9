/** The codex driver over real stdio, against a process that plays traces and scripts. */
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Fiber, Latch, Layer, Option } from "effect"
import * as NodeServices from "@effect/platform-node/NodeServices"
import type { AgentFact, ApprovalDecision, ApprovalRequest, OpenRequest } from "../../src/agent/Agent.ts"
import * as Codex from "../../src/agent/codex/driver.ts"
import { Processes } from "../../src/agent/Processes.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { freshLease, fixture, isAlive } from "./child.ts"
import { ends, textOf, traceFile } from "./codex.replay.ts"

type Script = ReadonlyArray<{ readonly dir: "in" | "out" | "note"; readonly msg: object }>

/** A connection to a scripted codex: the emitted facts, the lines that codex received, and the approval requests. */
const connect = Effect.fnUntraced(function* (
  env: Readonly<Record<string, string>>,
  decide: ApprovalDecision = "deny",
  changes: Partial<OpenRequest> = {}
) {
  const processes = yield* Processes
  const files = yield* FileSystem.FileSystem
  const inputFile = yield* files.makeTempFileScoped()
  const lease = freshLease()
  const facts: Array<AgentFact> = []
  const approvalRequests: Array<ApprovalRequest> = []
  const newFact = yield* Latch.make()
  const driver = yield* Codex.make({
    name: "codex",
    command: [process.execPath, fixture("codex")],
    env: { PATH: process.env["PATH"] ?? "", RECEIVED: inputFile, ...env }
  })
  const opening = driver.open({
    session: "ses_test" as SessionId,
    lease,
    cwd: import.meta.dirname,
    model: null,
    systemPrompt: null,
    permissions: "deny",
    thread: null,
    emit: (fact) =>
      Effect.andThen(
        Effect.sync(() => void facts.push(fact)),
        newFact.open
      ),
    approve: (request) => Effect.sync(() => (approvalRequests.push(request), decide)),
    spawned: () => Effect.void,
    ...changes
  })
  yield* Effect.addFinalizer(() => processes.sweep(lease))
  const until = <A extends AgentFact["_tag"]>(tag: A, nth = 0) =>
    Effect.gen(function* () {
      while (true) {
        // Closed before the search, so that a fact that comes in between opens it again.
        yield* newFact.close
        const fact = facts.filter(
          (candidate): candidate is Extract<AgentFact, { readonly _tag: A }> => candidate._tag === tag
        )[nth]
        if (fact !== undefined) return fact
        yield* newFact.await
      }
    })
  const wire = files
    .readFileString(inputFile)
    .pipe(Effect.map((text) => text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as WireLine]))))
  return { opening, facts, asked: approvalRequests, until, wire, lease }
})

interface WireLine {
  readonly id?: unknown
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number }
}

const playing = (name: string, decide?: ApprovalDecision, changes?: Partial<OpenRequest>) =>
  connect({ TRACE: traceFile(name) }, decide, changes)
const scripted = (script: Script, decide?: ApprovalDecision, changes?: Partial<OpenRequest>) =>
  connect({ SCRIPT: JSON.stringify(script) }, decide, changes)

// ---- parts of scripts

const on = (id: number, method: string) => ({ dir: "in", msg: { id, method } }) as const
const reply = (id: number, result: object) => ({ dir: "out", msg: { id, result } }) as const
const errorReply = (id: number, code: number, message: string) =>
  ({ dir: "out", msg: { id, error: { code, message } } }) as const
const say = (method: string, params: object) =>
  ({ dir: "out", msg: { method, params: { threadId: "T", ...params } } }) as const
const note = (msg: object) => ({ dir: "note", msg }) as const

const hello: Script = [
  on(1, "initialize"),
  reply(1, { userAgent: "troupe/9.9.9 (x)" }),
  { dir: "in", msg: { method: "initialized" } }
]
const started: Script = [...hello, on(2, "thread/start"), reply(2, { thread: { id: "T" } })]
const turning: Script = [
  ...started,
  on(3, "turn/start"),
  reply(3, { turn: { id: "U" } }),
  say("turn/started", { turn: { id: "U" } })
]
const turnEnds = (status: string) => say("turn/completed", { turn: { id: "U", status, error: null } })

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("the codex driver", (it) => {
  it.effect("a connection opens a thread, runs a prompt, emits the turn, and exits when asked", () =>
    Effect.gen(function* () {
      const { opening, facts, until, wire } = yield* playing("01-handshake-text", "deny", {
        model: "mock-model",
        systemPrompt: "Be brief."
      })
      const connection = yield* opening
      assert.strictEqual(connection.version, "0.169.0")
      assert.isNull(connection.contextLost)
      yield* connection.prompt(7, "hello")
      const end = yield* until("TurnEnded")
      assert.deepInclude(end, { turn: 7, stopReason: "end_turn", failure: null })
      assert.match(textOf(facts), /^echo: /)
      yield* connection.askToExit
      assert.deepStrictEqual(yield* until("Exited"), { _tag: "Exited", code: 0, signal: null, stderr: "" })
      assert.strictEqual(facts.at(-1)?._tag, "Exited")

      const [initialize, , start, turn] = yield* wire
      assert.deepInclude(initialize?.params?.["clientInfo"], { name: "troupe" })
      assert.deepInclude(initialize?.params?.["capabilities"], { experimentalApi: true })
      assert.deepInclude(start?.params, {
        cwd: import.meta.dirname,
        model: "mock-model",
        developerInstructions: "Be brief.",
        approvalPolicy: "on-request",
        sandbox: "workspace-write"
      })
      assert.deepStrictEqual(turn?.params?.["input"], [{ type: "text", text: "hello" }])
    })
  )

  it.effect("a turn gets its id from turn/started where the reply comes later", () =>
    Effect.gen(function* () {
      const { opening, until } = yield* scripted([
        ...started,
        on(3, "turn/start"),
        say("turn/started", { turn: { id: "U" } }),
        reply(3, { turn: { id: "U" } }),
        turnEnds("completed")
      ])
      const connection = yield* opening
      yield* connection.prompt(1, "x")
      assert.deepInclude(yield* until("TurnStarted"), { turn: 1, agentTurnId: "U" })
      assert.deepInclude(yield* until("TurnEnded"), { turn: 1 })
    })
  )

  it.effect("the next prompt is accepted as soon as the end of the last turn is emitted", () =>
    Effect.gen(function* () {
      const again: Script = [
        on(4, "turn/start"),
        reply(4, { turn: { id: "V" } }),
        say("turn/completed", { turn: { id: "V", status: "completed" } })
      ]
      const { opening, until } = yield* scripted([...turning, turnEnds("completed"), ...again])
      const connection = yield* opening
      yield* connection.prompt(1, "x")
      yield* until("TurnEnded")
      yield* connection.prompt(2, "y")
      assert.deepInclude(yield* until("TurnEnded", 1), { turn: 2 })
    })
  )

  it.effect("a prompt during a turn is a defect of its caller", () =>
    Effect.gen(function* () {
      const { opening } = yield* scripted(turning)
      const connection = yield* opening
      yield* connection.prompt(1, "x")
      const exit = yield* Effect.exit(connection.prompt(2, "y"))
      assert.include(JSON.stringify(exit), "Die")
    })
  )

  it.effect("a prompt that codex refuses fails, and the next one is accepted", () =>
    Effect.gen(function* () {
      const { opening, until } = yield* scripted([
        ...started,
        on(3, "turn/start"),
        errorReply(3, -32602, "input_too_large"),
        on(4, "turn/start"),
        reply(4, { turn: { id: "U" } }),
        turnEnds("completed")
      ])
      const connection = yield* opening
      const error = yield* Effect.flip(connection.prompt(1, "x"))
      assert.strictEqual(error.class, "config")
      assert.include(error.message, "1,048,576 characters")
      yield* connection.prompt(2, "y")
      assert.deepInclude(yield* until("TurnEnded"), { turn: 2 })
    })
  )

  it.effect.each([
    ["20-approval-command-accept", "once", { decision: "accept" }, "execute"],
    ["21-approval-command-accept-for-session", "session", { decision: "acceptForSession" }, "execute"],
    ["22-approval-command-decline", "deny", { decision: "decline" }, "execute"],
    ["29-approval-file-change-accept", "once", { decision: "accept" }, "edit"],
    ["47-mcp-tool-approval", "once", { action: "accept", content: {} }, "other"]
  ] as const)("a request of codex is passed on and answered with the decision: %s", ([name, decide, answer, kind]) =>
    Effect.gen(function* () {
      const { opening, asked: approvalRequests, until, wire } = yield* playing(name, decide)
      const connection = yield* opening
      yield* connection.prompt(1, "x")
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
      const { opening, asked: approvalRequests, until, wire } = yield* playing(name, "once")
      const connection = yield* opening
      yield* connection.prompt(1, "x")
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
      yield* connection.prompt(1, "x")
      yield* until("TurnEnded")
      assert.deepInclude((yield* wire).at(-1), { id: 0 })
      assert.strictEqual((yield* wire).at(-1)?.error?.code, -32601)
    })
  )

  it.effect("a sub-agent's request is passed on for the running turn", () =>
    Effect.gen(function* () {
      const {
        opening,
        asked: approvalRequests,
        until
      } = yield* scripted([
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
      yield* connection.prompt(5, "x")
      yield* until("TurnEnded")
      assert.deepInclude(approvalRequests[0], { turn: 5, toolCallId: null, title: "ls" })
    })
  )

  it.effect("the end of an interrupted turn is held until its commands are dead", () =>
    Effect.gen(function* () {
      const command = (status: string) => ({
        turnId: "U",
        item: { type: "commandExecution", id: "c", command: "sleep 9", status }
      })
      const { opening, facts, until, wire } = yield* scripted([
        ...turning,
        say("item/started", command("inProgress")),
        on(4, "turn/interrupt"),
        reply(4, {}),
        turnEnds("interrupted"),
        on(5, "thread/backgroundTerminals/clean"),
        reply(5, {}),
        say("item/completed", command("failed"))
      ])
      const connection = yield* opening
      yield* connection.prompt(1, "x")
      yield* until("Update")
      yield* connection.interrupt
      assert.deepStrictEqual(
        facts.map((fact) => fact._tag),
        ["TurnStarted", "Update", "Update", "TurnEnded"]
      )
      assert.deepInclude(facts.at(-1), { stopReason: "cancelled", failure: null })
      assert.deepInclude((yield* wire).find(({ method }) => method === "turn/interrupt")?.params, {
        threadId: "T",
        turnId: "U"
      })
    })
  )

  it.effect("an interrupt of a turn that codex has not begun is requested again", () =>
    Effect.gen(function* () {
      const { opening, facts, wire } = yield* scripted([
        ...started,
        on(3, "turn/start"),
        reply(3, { turn: { id: "U" } }),
        on(4, "turn/interrupt"),
        errorReply(4, -32600, "no active turn to interrupt"),
        say("turn/started", { turn: { id: "U" } }),
        on(5, "turn/interrupt"),
        reply(5, {}),
        turnEnds("interrupted")
      ])
      const connection = yield* opening
      const prompting = yield* Effect.forkChild(connection.prompt(1, "x"), { startImmediately: true })
      yield* connection.interrupt
      yield* Fiber.join(prompting)
      assert.deepInclude(ends(facts)[0], { turn: 1, stopReason: "cancelled" })
      assert.strictEqual((yield* wire).filter(({ method }) => method === "turn/interrupt").length, 2)
    })
  )

  it.effect("an interrupt that codex does not answer ends within five seconds", () =>
    Effect.gen(function* () {
      const { opening, facts } = yield* scripted([...turning, on(4, "turn/interrupt"), on(99, "never")])
      const connection = yield* opening
      yield* connection.prompt(1, "x")
      const done = yield* Effect.timeoutOption(connection.interrupt, "6 seconds")
      assert.isTrue(Option.isSome(done))
      assert.deepStrictEqual(ends(facts), [])
    })
  )

  it.effect("an interrupt does nothing where no turn runs", () =>
    Effect.gen(function* () {
      const { opening, wire } = yield* scripted(started)
      const connection = yield* opening
      yield* connection.interrupt
      assert.deepStrictEqual(
        (yield* wire).map(({ method }) => method),
        ["initialize", "initialized", "thread/start"]
      )
    })
  )

  it.effect("Exited is emitted once, last, and the turn that ran gets no end", () =>
    Effect.gen(function* () {
      const { opening, facts, until } = yield* scripted([...turning, note({ __event: "die" })])
      const connection = yield* opening
      yield* connection.prompt(1, "x")
      assert.deepInclude(yield* until("Exited"), { code: null, signal: "SIGKILL" })
      assert.deepStrictEqual(
        facts.map((fact) => fact._tag),
        ["TurnStarted", "Exited"]
      )
      const error = yield* Effect.flip(connection.prompt(2, "y"))
      assert.strictEqual(error.class, "crash")
    })
  )

  it.effect("a thread is resumed with the same settings and without its history", () =>
    Effect.gen(function* () {
      const { opening, wire } = yield* scripted(
        [...hello, on(2, "thread/resume"), reply(2, { thread: { id: "T" } })],
        "deny",
        { thread: "T" }
      )
      const connection = yield* opening
      assert.deepInclude(connection, { thread: "T", contextLost: null })
      assert.deepInclude((yield* wire).at(-1)?.params, {
        threadId: "T",
        excludeTurns: true,
        sandbox: "workspace-write"
      })
    })
  )

  it.effect("a new thread is started where the old one is gone, and the context is lost", () =>
    Effect.gen(function* () {
      const { opening } = yield* scripted(
        [
          ...hello,
          on(2, "thread/resume"),
          errorReply(2, -32600, "no rollout found for thread id X"),
          on(3, "thread/start"),
          reply(3, { thread: { id: "T" } })
        ],
        "deny",
        { thread: "X" }
      )
      assert.deepInclude(yield* opening, { thread: "T", contextLost: "no rollout found for thread id X" })
    })
  )

  it.effect("a resume waits for the thread's last holder for a limited time", () =>
    Effect.gen(function* () {
      const busy = (id: number): Script => [
        on(id, "thread/resume"),
        errorReply(id, -32600, "thread T already has an active writer")
      ]
      const patient = yield* scripted(
        [...hello, ...busy(2), ...busy(3), on(4, "thread/resume"), reply(4, { thread: { id: "T" } })],
        "deny",
        { thread: "T" }
      )
      assert.deepInclude(yield* patient.opening, { thread: "T", contextLost: null })
      const impatient = yield* scripted([...hello, ...[2, 3, 4, 5, 6, 7, 8, 9].flatMap(busy)], "deny", { thread: "T" })
      const error = yield* Effect.flip(impatient.opening)
      assert.include(error.message, "Another process still has this codex thread open")
    })
  )

  it.effect("an open fails with codex's last words where codex exits before it is ready", () =>
    Effect.gen(function* () {
      const { opening } = yield* scripted([
        on(1, "initialize"),
        note({ __event: "exit", code: 1, stderr: 'CODEX_HOME points to "/nowhere", but that path does not exist\n' })
      ])
      const error = yield* Effect.flip(opening)
      assert.strictEqual(error.class, "config")
      assert.include(error.message, "CODEX_HOME points to")
      assert.include(error.stderr, "CODEX_HOME points to")
    })
  )

  it.effect("an open fails with codex's words where codex refuses the thread", () =>
    Effect.gen(function* () {
      const { opening } = yield* scripted([
        ...hello,
        on(2, "thread/start"),
        errorReply(2, -32600, "unknown model provider")
      ])
      const error = yield* Effect.flip(opening)
      assert.deepInclude(error, { class: "config", message: "Codex refused thread/start: unknown model provider" })
    })
  )

  it.effect("no process is left when the connection's scope is closed", () =>
    Effect.gen(function* () {
      const { opening } = yield* scripted(turning)
      const pid = yield* Effect.scoped(Effect.map(opening, (connection) => connection.pid))
      assert.isNotNull(pid)
      assert.isFalse(isAlive(pid ?? 0))
    })
  )
})
