/** The agent processes of sessions, below a real ledger and the real slots. Their agent has a child of its own. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Queue, Stream } from "effect"
import type { SessionCommand } from "../../machines/session/machine.ts"
import type { AgentDriver, AgentFailed, OpenRequest } from "../../src/agent/Agent.ts"
import { Agents } from "../../src/agent/Agents.ts"
import { noCapabilities } from "../../src/agent/Capabilities.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import { noChoices } from "../../src/domain/Session.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { CircuitBreaker } from "../../src/supervision/CircuitBreaker.ts"
import { DrainState } from "../../src/runtime/DrainState.ts"
import { ProcessSlots } from "../../src/runtime/ProcessSlots.ts"
import { ThisNode } from "../../src/runtime/ThisNode.ts"
import { RuntimeSettings } from "../../src/runtime/RuntimeSettings.ts"
import { CommandHandler } from "../../src/session/CommandHandler.ts"
import type { SessionPort } from "../../src/session/CommandHandler.ts"
import * as FileCopies from "../../src/cluster/fileCopies.ts"
import * as AgentCommandHandler from "../../src/supervision/AgentCommandHandler.ts"
import { Spares } from "../../src/supervision/Spares.ts"
import { isAlive } from "../agent/child.ts"
import { app, opened, session } from "../ledger/samples.ts"

/**
 * Its first line has its pid and that of its child, which leaves the group. Then it says what it was told: a SIGTERM, or a line, which it gives
 * back.
 */
const program = `
  const child = require("node:child_process").spawn("sleep", ["300"], { detached: true })
  process.on("SIGTERM", () => console.log("SIGTERM"))
  process.stdin.on("data", (line) => process.stdout.write(line)).on("end", () => process.exit())
  console.log(process.pid + " " + child.pid)
`

/** What the agents of a test are, and what was asked of them. */
const makeAgents = (processes: Processes["Service"]) => {
  const pids: Array<number> = []
  const asked: Array<string> = []
  /** By which each agent reports, the first one first. */
  const emits: Array<OpenRequest["emit"]> = []
  /** The signals that the newest agent has got up to now. */
  let signals: Effect.Effect<ReadonlyArray<string>, AgentFailed> = Effect.succeed([])
  const driver: AgentDriver = {
    name: "echo",
    protocol: "acp",
    capabilities: noCapabilities,
    open: ({ emit, lease, spawned }) =>
      Effect.gen(function* () {
        emits.push(emit)
        const command = [process.execPath, "-e", program] as const
        const env = { PATH: process.env["PATH"] ?? "" }
        const child = yield* processes.spawn({ lease, command, cwd: import.meta.dirname, env, stdin: true, spawned })
        const lines = yield* Queue.unbounded<string>()
        yield* child.stdout.pipe(
          Stream.decodeText(),
          Stream.splitLines,
          Stream.runForEach((line) => Queue.offer(lines, line)),
          Effect.ignore,
          Effect.forkScoped
        )
        pids.push(...(yield* Queue.take(lines)).split(" ").map(Number))
        // A signal that came first is said before the second answer at the latest.
        signals = Effect.gen(function* () {
          const got: Array<string> = []
          for (const word of ["once", "twice"]) {
            yield* child.write(`${word}\n`)
            for (let line = yield* Queue.take(lines); line !== word; line = yield* Queue.take(lines)) got.push(line)
          }
          return got
        })
        return {
          pid: child.pid,
          thread: "thread",
          contextLost: null,
          version: null,
          capabilities: noCapabilities,
          configured: {},
          choices: () => noChoices,
          prompt: () => Effect.void,
          interrupt: Effect.void,
          askToExit: Effect.sync(() => void asked.push(`to exit, ${child.pid}`))
        }
      })
  }
  return { pids, asked, emits, driver, signals: Effect.suspend(() => signals) }
}

const settings = { dataDir: import.meta.dirname, agents: {}, defaultAgent: null, run: {} }
const limits = { ...defaultLimits, maxProcesses: 1 }

/** A pool of one slot. */
const withProcesses = <A, E>(
  test: (
    agents: ReturnType<typeof makeAgents>
  ) => Effect.Effect<A, E, CommandHandler | Ledger | ProcessSlots | Processes>
) =>
  Effect.gen(function* () {
    const agents = makeAgents(yield* Processes)
    return yield* test(agents).pipe(
      Effect.provide(
        AgentCommandHandler.layer.pipe(
          Layer.provideMerge(FileCopies.layer),
          Layer.provideMerge(Spares.layer),
          Layer.provideMerge(ThisNode.layer),
          Layer.provideMerge(Layer.mergeAll(ProcessSlots.layer, DrainState.layer, CircuitBreaker.layer)),
          Layer.provideMerge(SqliteLedger.layer(":memory:")),
          Layer.provide(Layer.mock(Agents)({ driver: () => Effect.succeed(agents.driver) })),
          Layer.provide(Layer.succeed(RuntimeSettings, { ...settings, limits })),
          Layer.provide(NodeServices.layer)
        )
      )
    )
  }).pipe(Effect.provide(Processes.layer))

/** A session that the ledger knows, with what is posted to it. `perform` gives the event that answers the command. */
const makeSession = Effect.fnUntraced(function* (name: string) {
  const record = session({ id: SessionId.make(name), agent: "echo", permissions: "approve_all", setup: {} })
  const handler = yield* CommandHandler
  yield* (yield* Ledger).write([opened(record)])
  const posted = yield* Queue.unbounded<string>()
  const post: SessionPort["post"] = ({ event }) =>
    Effect.asVoid(Queue.offer(posted, typeof event === "object" && "type" in event ? event.type : String(event)))
  const port: SessionPort = {
    record: () => record,
    post,
    postNow: post,
    append: () => Effect.void,
    agentTurn: () => Effect.void,
    requestApproval: () => Effect.succeed("deny"),
    ask: () => Effect.succeed(null),
    promptOf: () => Effect.die("no turn is run here"),
    writes: yield* Ledger
  }
  const perform = (command: SessionCommand) => handler.perform(port, command)
  return {
    id: record.id,
    perform,
    next: Queue.take(posted),
    posted: Effect.sync(() => Queue.sizeUnsafe(posted)),
    start: (generation: number) =>
      Effect.gen(function* () {
        yield* perform({ type: "startProcess", params: { generation, thread: null } })
        assert.strictEqual(yield* Queue.take(posted), "process.ready")
      })
  }
})

describe("the process of a session", () => {
  it.live("is ended with its children before it is said to be gone, and only then is its slot another's", () =>
    withProcesses(({ pids }) =>
      Effect.gen(function* () {
        const ledger = yield* Ledger
        const slots = yield* ProcessSlots
        const first = yield* makeSession("ses_first")
        const second = yield* makeSession("ses_second")
        const take = { app, urgent: true, notBefore: 0 }
        assert.strictEqual(yield* slots.take({ session: first.id, ...take }), "granted")
        const waiting = yield* Effect.forkChild(slots.take({ session: second.id, ...take }), { startImmediately: true })
        yield* first.start(1)
        assert.lengthOf(pids, 2)
        assert.deepStrictEqual(pids.filter(isAlive), pids)
        const [lease] = yield* ledger.leases
        assert.deepStrictEqual([lease?.session, lease?.generation, lease?.pid], [first.id, 1, pids[0] ?? 0])
        assert.deepStrictEqual(slots.state().waiting, [second.id])

        const whoLives = <A, E>(event: Effect.Effect<A, E>) =>
          Effect.forkChild(
            Effect.map(event, (value) => [value, ...pids.filter(isAlive)]),
            { startImmediately: true }
          )
        const gone = yield* whoLives(first.next)
        const granted = yield* whoLives(Fiber.join(waiting))
        yield* first.perform({ type: "endProcess", params: { generation: 1 } })
        assert.deepStrictEqual(yield* Fiber.join(gone), ["process.gone"])
        assert.deepStrictEqual(yield* Fiber.join(granted), ["granted"])
        assert.deepStrictEqual(slots.state(), { busy: [second.id], idle: [], leaving: [], waiting: [] })
      })
    )
  )

  it.live("is left alone by commands that mean an earlier one", () =>
    withProcesses(({ asked, pids, signals }) =>
      Effect.gen(function* () {
        const handler = yield* CommandHandler
        const { id, perform, start } = yield* makeSession("ses_again")
        yield* start(1)
        // It ends the first, with its children.
        yield* start(2)
        const [agent, child] = pids.slice(2)
        assert.deepStrictEqual(pids.filter(isAlive), [agent, child])
        yield* perform({ type: "askToExit", params: { generation: 1 } })
        yield* perform({ type: "terminateProcess", params: { generation: 1 } })
        assert.deepStrictEqual([yield* signals, asked], [[], []])
        assert.strictEqual(handler.pid(id), agent)
        yield* perform({ type: "askToExit", params: { generation: 2 } })
        yield* perform({ type: "terminateProcess", params: { generation: 2 } })
        assert.deepStrictEqual([yield* signals, asked], [["SIGTERM"], [`to exit, ${agent}`]])
      })
    )
  )

  it.live("dies as the session's process, and an earlier one no more", () =>
    withProcesses(({ emits }) =>
      Effect.gen(function* () {
        const { next, posted, start } = yield* makeSession("ses_dies")
        yield* start(1)
        yield* start(2)
        const exited = { _tag: "Exited", code: 1, signal: null, stderr: "" } as const
        const [first, second] = emits
        yield* first?.(exited) ?? Effect.die("no agent")
        assert.strictEqual(yield* posted, 0)
        yield* second?.(exited) ?? Effect.die("no agent")
        assert.strictEqual(yield* next, "process.exited")
      })
    )
  )
})
