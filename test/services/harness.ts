/**
 * A runtime for tests of sessions.
 *
 * Real: the ledger file, process slots, supervisor, sweeper, reviews and public services. Scripted: the agents, by a
 * command handler that holds no process. What services ask of sessions goes as JSON (`overJson.ts`), as it would to another
 * machine. Time is `TestClock`'s; waits are for commits (`until`), never for time.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Fiber, Layer, Metric } from "effect"
import { TestClock } from "effect/testing"
import type { SessionSnapshot } from "../../machines/session/machine.ts"
import { layerWith } from "../../src/services/layer.ts"
import { Files } from "../../src/services/Files.ts"
import type { ReviewOptions } from "../../src/review/ReviewOptions.ts"
import { Reviews } from "../../src/review/Reviews.ts"
import { RuntimeSettings } from "../../src/runtime/RuntimeSettings.ts"
import { News } from "../../src/runtime/News.ts"
import { noCapabilities } from "../../src/agent/Capabilities.ts"
import type { AgentDriver } from "../../src/agent/Agent.ts"
import { Agents } from "../../src/agent/Agents.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { AppName } from "../../src/domain/Ids.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { UnknownAgent } from "../../src/domain/Refusal.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import type { Limits, NodeSettings } from "../../src/domain/Settings.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { LedgerWrites, withNotices } from "../ledger/LedgerWrites.ts"
import { scratch } from "../ledger/samples.ts"
import * as OverJson from "../supervision/overJson.ts"
import { untilNoticed } from "../until.ts"
import { AgentScript } from "./AgentScript.ts"
import type { PerformedCommand } from "./ScriptedCommandHandler.ts"
import * as ScriptedCommandHandler from "./ScriptedCommandHandler.ts"
import { PerformedCommands } from "./ScriptedCommandHandler.ts"

export const app = AppName.make("ours")
export const other = AppName.make("theirs")
export const ours = { _tag: "App", app } as const
export const theirs = { _tag: "App", app: other } as const

const driver = (name: string): AgentDriver => ({
  name,
  protocol: "acp",
  capabilities: { ...noCapabilities, resume: true, steer: name === "scripted", compact: name === "scripted" },
  open: () => Effect.die("the scripted command handler opens no agent")
})

const ScriptedAgents = Layer.mock(Agents)({
  driver: (name) =>
    name === "nobody" ? Effect.fail(new UnknownAgent({ name })) : Effect.succeed(driver(name ?? "scripted")),
  missing: Effect.succeed([])
})

/** What a test has of the agents, whichever runtime it runs. */
export const scriptLayer = Layer.merge(PerformedCommands.layer, AgentScript.layer)

/** The real ledger with something done to it, such as a write that is held. */
type ChangeLedger = (real: Ledger["Service"]) => Ledger["Service"]

/** The scripted agents have no processes. */
export const noProcesses = Layer.mock(Processes)({
  mayRunUntil: () => Effect.void,
  bootId: "boot",
  self: { pid: process.pid, startTime: null, pidNamespace: null }
})

/** One runtime on a directory. What was performed and the script outlive it, so that a test can run two in a row. */
export const runtimeIn = (
  directory: string,
  limits: Partial<Limits> = {},
  reviews: ReviewOptions = {},
  ledgerOf: ChangeLedger = (real) => real,
  processes: Layer.Layer<Processes> = noProcesses,
  node?: NodeSettings
) => {
  const settings = Layer.succeed(RuntimeSettings, {
    dataDir: directory,
    limits: { ...defaultLimits, ...limits },
    ...(node === undefined ? {} : { node }),
    agents: {},
    defaultAgent: null,
    run: {}
  })
  return layerWith(ScriptedCommandHandler.layer, OverJson.layer).pipe(
    Layer.provideMerge(Reviews.layer(reviews, {})),
    Layer.provideMerge(Files.layer),
    Layer.provideMerge(
      withNotices(
        Layer.effect(Ledger, Effect.map(Ledger, ledgerOf)).pipe(
          Layer.provide(SqliteLedger.layer(`${directory}/ledger.sqlite`))
        )
      )
    ),
    Layer.provide(ScriptedAgents),
    Layer.provide(processes),
    Layer.provide(settings),
    Layer.provide(NodeServices.layer),
    Layer.fresh
  )
}

/** Runs a test in a runtime with its own directory and its own metrics, which other tests of the process don't count in. */
export const withRuntime =
  (limits: Partial<Limits> = {}, reviews: ReviewOptions = {}, ledgerOf?: ChangeLedger) =>
  <A, E, R>(test: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const directory = yield* scratch
      return yield* test.pipe(Effect.provide(runtimeIn(directory, limits, reviews, ledgerOf)))
    }).pipe(Effect.provide(scriptLayer), Effect.provideService(Metric.MetricRegistry, new Map()), Effect.scoped)

/**
 * Waits for commits until the condition holds: a session's step, its creation or removal, any other write of the ledger,
 * a command that was begun or is done.
 */
export const until = <E, R>(what: string | (() => string), condition: Effect.Effect<boolean, E, R>) =>
  Effect.gen(function* () {
    const news = yield* News
    const performed = yield* PerformedCommands
    const writes = yield* LedgerWrites
    yield* untilNoticed(typeof what === "string" ? () => what : what, condition, [
      (notify) => news.watchUnsafe(null, notify),
      news.watchLifecycleUnsafe,
      performed.observe,
      writes.observe
    ])
  })

/** As stored; `gone` of a session that was deleted. */
export const stateOf = (id: SessionId) =>
  Effect.gen(function* () {
    const row = yield* (yield* Ledger).session(id)
    return row._tag === "Some" ? row.value.substate : "gone"
  })

export const untilState = (id: SessionId, wanted: string) => {
  let state = ""
  const condition = Effect.map(stateOf(id), (stored) => (state = stored) === wanted)
  return until(() => `${wanted} of ${id}, which is in ${state},`, condition)
}

/** Until the session's turn runs and the agent has done what its prompt says. */
export const untilRunning = (id: SessionId) =>
  Effect.gen(function* () {
    const ledger = yield* Ledger
    const performed = yield* PerformedCommands
    const condition = Effect.gen(function* () {
      if ((yield* stateOf(id)) !== "turning.running") return false
      const { context } = (yield* ledger.snapshot(id)) as SessionSnapshot
      return performed
        .of(id)
        .some((command) => command.type === "handPrompt" && command.params.turn === context.turn && command.isDone)
    })
    yield* until(`the running turn of ${id}`, condition)
  })

/** Until a command of this type was begun for the session. */
export const untilBegun = (id: SessionId, type: PerformedCommand["type"]) =>
  Effect.gen(function* () {
    const performed = yield* PerformedCommands
    yield* until(
      `${type} of ${id}`,
      Effect.sync(() => performed.of(id).some((command) => command.type === type))
    )
  })

/** Leads a session through both deadlines of a retirement: the scripted process heeds no request to exit. */
export const retire = (id: SessionId, to: "idle.asleep" | "idle.parked" | "closed") =>
  Effect.gen(function* () {
    yield* untilState(id, "retiring.asking")
    yield* TestClock.adjust("5 seconds")
    yield* untilState(id, "retiring.terminating")
    yield* TestClock.adjust("3 seconds")
    yield* untilState(id, to)
  })

export const commandsOf = (id: SessionId) =>
  Effect.map(PerformedCommands, (performed) => performed.of(id).map(({ type }) => type))

/** Time passes in small steps until the fiber has ended. */
export const whileTimePasses = <A, E>(fiber: Fiber.Fiber<A, E>) =>
  Effect.gen(function* () {
    yield* TestClock.adjust("50 millis").pipe(
      Effect.andThen(Effect.yieldNow),
      Effect.repeat({ until: () => fiber.pollUnsafe() !== undefined })
    )
    return yield* Fiber.join(fiber)
  })
