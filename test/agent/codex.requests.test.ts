/** Requests of codex over real stdio: several at once, in any order, withdrawn ones, and unknown ones. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Deferred, Effect, FileSystem, Layer } from "effect"
import type { ApprovalRequest, OpenRequest } from "../../src/agent/Agent.ts"
import * as Codex from "../../src/agent/codex/driver.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { connect } from "./acp.agent.ts"
import { fixture } from "./child.ts"
import { traceFile } from "./codex.replay.ts"

/** A connection to a codex that plays a trace or a script, and the replies that it received, by the id of its request. */
const playing = Effect.fnUntraced(function* (
  played: { readonly TRACE: string } | { readonly SCRIPT: string },
  approve: OpenRequest["approve"]
) {
  const files = yield* FileSystem.FileSystem
  const inputFile = yield* files.makeTempFileScoped()
  const driver = yield* Codex.make({
    name: "codex",
    command: [process.execPath, fixture("codex")],
    env: { PATH: process.env["PATH"] ?? "", RECEIVED: inputFile, ...played }
  })
  const session = yield* connect(driver, { approve })
  const lines = Effect.map(files.readFileString(inputFile), (text) =>
    text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Line]))
  )
  const replies = Effect.map(lines, (messages) =>
    messages.flatMap(({ error, id, method, result }) =>
      method === undefined ? [[id, result ?? error?.code] as const] : []
    )
  )
  return { ...session, lines, replies }
})

interface Line {
  readonly id?: unknown
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: unknown
  readonly error?: { readonly code: number }
}

const asks = (id: number, method: string, params: object = {}) => ({
  dir: "out",
  msg: { id, method, params: { threadId: "T", turnId: "U", itemId: `item-${id}`, ...params } }
})
const replied = (id: number) => ({ dir: "in", msg: { id } })
const says = (method: string, params: object) => ({ dir: "out", msg: { method, params: { threadId: "T", ...params } } })

/** The script of one turn with these messages. */
const turnOf = (...lines: ReadonlyArray<object>) => ({
  SCRIPT: JSON.stringify([
    { dir: "in", msg: { id: 1, method: "initialize" } },
    { dir: "out", msg: { id: 1, result: {} } },
    { dir: "in", msg: { id: 2, method: "thread/start" } },
    { dir: "out", msg: { id: 2, result: { thread: { id: "T" } } } },
    { dir: "in", msg: { id: 3, method: "turn/start" } },
    { dir: "out", msg: { id: 3, result: { turn: { id: "U" } } } },
    says("turn/started", { turn: { id: "U" } }),
    ...lines,
    says("turn/completed", { turn: { id: "U", status: "completed" } })
  ])
})

const command = "item/commandExecution/requestApproval"

layer(Layer.merge(Processes.layer, NodeServices.layer), { excludeTestServices: true })("requests of codex", (it) => {
  it.effect("requests can be open at once, each with its own answer: the first waits for the second (34)", () =>
    Effect.gen(function* () {
      const second = yield* Deferred.make<void>()
      const requests: Array<ApprovalRequest> = []
      const session = yield* playing({ TRACE: traceFile("34-approvals-two-outstanding") }, (request) =>
        requests.push(request) === 1
          ? Effect.as(Deferred.await(second), "once" as const)
          : Effect.as(Deferred.succeed(second, undefined), "deny" as const)
      )
      const { failure } = yield* session.turn(1, "both")
      assert.isNull(failure)
      assert.strictEqual(new Set(requests.map(({ toolCallId }) => toolCallId)).size, 2)
      assert.sameDeepMembers(
        [...(yield* session.replies)],
        [
          [1, { decision: "decline" }],
          [0, { decision: "accept" }]
        ]
      )
    })
  )

  it.effect("a request that codex has resolved is withdrawn, and the others stay open", () =>
    Effect.gen(function* () {
      const withdrawn = yield* Deferred.make<void>()
      const requests: Array<ApprovalRequest> = []
      const session = yield* playing(
        turnOf(
          asks(0, command, { command: "ls" }),
          asks(1, command, { command: "pwd" }),
          says("serverRequest/resolved", { requestId: 1 }),
          replied(1),
          replied(0)
        ),
        (request) =>
          requests.push(request) === 1
            ? Effect.as(Deferred.await(withdrawn), "once" as const)
            : Effect.onInterrupt(Effect.never, () => Deferred.succeed(withdrawn, undefined))
      )
      yield* session.turn(1, "both")
      assert.deepStrictEqual(
        requests.map(({ title }) => title),
        ["ls", "pwd"]
      )
      assert.sameDeepMembers(
        [...(yield* session.replies)],
        [
          [1, { decision: "decline" }],
          [0, { decision: "accept" }]
        ]
      )
    })
  )

  it.effect("an approval allows only the change that was requested, whatever root it names", () =>
    Effect.gen(function* () {
      const change = "item/fileChange/requestApproval"
      const session = yield* playing(
        turnOf(asks(0, change, { grantRoot: "/" }), replied(0), asks(1, change), replied(1)),
        () => Effect.succeed("session" as const)
      )
      yield* session.turn(1, "write")
      assert.deepStrictEqual(yield* session.replies, [
        [0, { decision: "accept" }],
        [1, { decision: "acceptForSession" }]
      ])
    })
  )

  it.effect("a request for network access has the kind fetch", () =>
    Effect.gen(function* () {
      const requests: Array<ApprovalRequest> = []
      const session = yield* playing(
        turnOf(asks(0, command, { command: "curl x", networkApprovalContext: { host: "x" } }), replied(0)),
        (request) =>
          Effect.as(
            Effect.sync(() => requests.push(request)),
            "deny" as const
          )
      )
      yield* session.turn(1, "fetch")
      assert.deepStrictEqual(
        requests.map(({ kind, title }) => [kind, title]),
        [["fetch", "curl x"]]
      )
    })
  )

  it.effect("every request is answered, an unknown one with -32601", () =>
    Effect.gen(function* () {
      const unknown = [
        "account/chatgptAuthTokens/refresh",
        "attestation/generate",
        "applyPatchApproval",
        "execCommandApproval",
        "from/the/future"
      ]
      const session = yield* playing(
        turnOf(
          ...unknown.flatMap((method, id) => [asks(id, method), replied(id)]),
          asks(9, "currentTime/read"),
          replied(9)
        ),
        () => Effect.die("nobody is to be asked")
      )
      yield* session.turn(1, "ask")
      const replies = new Map(yield* session.replies)
      for (const id of unknown.keys()) assert.strictEqual(replies.get(id), -32601)
      assert.isAbove((replies.get(9) as { readonly currentTimeAt: number }).currentTimeAt, 1_700_000_000)
    })
  )

  it.effect(
    "the thread's settings ask for bounded retries, for the tool for plans, and for no turns of codex's own",
    () =>
      Effect.gen(function* () {
        const session = yield* playing(turnOf(), () => Effect.succeed("deny" as const))
        yield* session.turn(1, "hello")
        const start = (yield* session.lines).find(({ method }) => method === "thread/start")
        assert.deepInclude(start?.params?.["config"], {
          "features.unbounded_connection_retries": false,
          "features.goals": false,
          "tools.update_plan.enabled": true
        })
      })
  )
})
