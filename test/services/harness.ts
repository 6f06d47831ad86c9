/**
 * A house for actor tests: real ledger file, real pool, supervisor, sweeper and doors; hands that do what a prompt says
 * instead of holding a process, so that `TestClock` turns every deadline.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, FileSystem, Layer, Ref } from "effect"
import { TestClock } from "effect/testing"
import { layerWith } from "../../src/services/layer.ts"
import { Files } from "../../src/services/Files.ts"
import type { ReviewOptions } from "../../src/review/ReviewOptions.ts"
import { Reviews } from "../../src/review/Reviews.ts"
import { RuntimeSettings } from "../../src/runtime/RuntimeSettings.ts"
import type { AgentDriver } from "../../src/agent/Agent.ts"
import { Agents } from "../../src/agent/Agents.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { AppName } from "../../src/domain/Ids.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { UnknownAgent } from "../../src/domain/Refusal.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import type { Limits } from "../../src/domain/Settings.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { Done, Rig, RiggedHands } from "./ScriptedCommandHandler.ts"

export const app = AppName.make("ours")
export const other = AppName.make("theirs")
export const ours = { _tag: "App", app } as const
export const theirs = { _tag: "App", app: other } as const

const driver = (name: string): AgentDriver => ({
  name,
  protocol: "acp",
  capabilities: { resume: true, steer: name === "rig", compact: name === "rig", images: false },
  open: () => Effect.die("the rigged hands open nothing")
})

const RiggedAgents = Layer.mock(Agents)({
  driver: (name) =>
    name === "nobody" ? Effect.fail(new UnknownAgent({ name })) : Effect.succeed(driver(name ?? "rig"))
})

/** One life of a house on a file. What is `Done` and the `Rig` outlive it, so a test can have two lives in a row. */
export const house = (directory: string, limits: Partial<Limits> = {}, reviews: ReviewOptions = {}) => {
  const settings = Layer.succeed(RuntimeSettings, {
    dataDir: directory,
    limits: { ...defaultLimits, ...limits },
    agents: {},
    defaultAgent: null,
    run: {}
  })
  return layerWith(RiggedHands).pipe(
    Layer.provideMerge(Reviews.layer(reviews, {})),
    Layer.provideMerge(Files.layer),
    Layer.provideMerge(SqliteLedger.layer(`${directory}/ledger.sqlite`)),
    Layer.provide(RiggedAgents),
    Layer.provide(Layer.mock(Processes)({ bootId: "boot" })),
    Layer.provide(settings),
    Layer.provide(NodeServices.layer),
    Layer.fresh
  )
}

export const scratch = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  return yield* files.makeTempDirectoryScoped({ prefix: "troupe-test-" })
}).pipe(Effect.provide(NodeServices.layer))

/** A house for one test, with its own directory. */
export const inHouse =
  (limits: Partial<Limits> = {}, reviews: ReviewOptions = {}) =>
  <A, E, R>(test: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const directory = yield* scratch
      return yield* test.pipe(Effect.provide(house(directory, limits, reviews)))
    }).pipe(Effect.provide(Layer.mergeAll(Done.layer, Rig.layer)), Effect.scoped)

/** Lets every fiber that can go on go on; real I/O included, so it is a little more than a yield. */
export const settle = Effect.gen(function* () {
  for (let n = 0; n < 20; n++) {
    yield* Effect.yieldNow
    yield* TestClock.adjust("5 millis")
    yield* TestClock.withLive(Effect.sleep("1 millis"))
  }
})

export const stateOf = (id: SessionId) =>
  Effect.gen(function* () {
    const ledger = yield* Ledger
    const found = yield* ledger.session(id)
    return found._tag === "Some" ? found.value.substate : "gone"
  })

/** Turns the clock in small steps until the session stands there, or fails with where it stands instead. */
export const until = (id: SessionId, wanted: string) =>
  Effect.gen(function* () {
    let state = ""
    for (let n = 0; n < 150; n++) {
      state = yield* stateOf(id)
      if (state === wanted) return
      yield* settle
    }
    return yield* Effect.die(new Error(`${id} stands at ${state}, not at ${wanted}`))
  })

export const commandsOf = (id: SessionId) =>
  Effect.gen(function* () {
    const done = yield* Done
    return (yield* Ref.get(done)).filter(({ of }) => of === id).map(({ type }) => type)
  })
