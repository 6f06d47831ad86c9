/**
 * One start of Troupe in a simulation, until it is killed or drained: the real services over a database that fails, and
 * agents that are simulated.
 *
 * A kill is not an interruption: from that moment nothing of it reaches the database or a process, and no finalizer
 * changes the world.
 */
import {
  ByteSize,
  Cause,
  Context,
  Effect,
  Exit,
  FileSystem,
  Layer,
  Logger,
  Option,
  Path,
  Random,
  Scheduler,
  Scope,
  Clock,
  Fiber
} from "effect"
import { stateName } from "../../machines/session/stateInfo.ts"
import { Agents } from "../../src/agent/Agents.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { UnknownAgent } from "../../src/domain/Refusal.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import type { Limits } from "../../src/domain/Settings.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import type { Database } from "../../src/ledger/sql/Database.ts"
import { ledgerOver } from "../../src/ledger/sql/ledgerOver.ts"
import { Reviews } from "../../src/review/Reviews.ts"
import { HeldLeases } from "../../src/agent/HeldLeases.ts"
import type { Instant } from "../../src/agent/warden/instant.ts"
import { ProcessSlots } from "../../src/runtime/ProcessSlots.ts"
import { RuntimeSettings } from "../../src/runtime/RuntimeSettings.ts"
import { News } from "../../src/runtime/News.ts"
import { Files } from "../../src/services/Files.ts"
import * as SessionServices from "../../src/services/layer.ts"
import { faultyDatabase, mayHaveKilledActors } from "./faultyDatabase.ts"
import type { DatabaseFaults } from "./faultyDatabase.ts"
import { ThisNode } from "../../src/runtime/ThisNode.ts"
import { simulatedDriver } from "./simulatedAgent.ts"
import type { Behaviour } from "./simulatedAgent.ts"
import { Freezing } from "./freezing.ts"
import type { Channel } from "./simulatedAnnouncements.ts"
import type { Calls } from "./simulatedCalls.ts"
import type { SimulatedTime } from "./SimulatedTime.ts"
import type { Watch } from "./Watch.ts"
import { Violation } from "./World.ts"
import type { World } from "./World.ts"

export type RuntimeServices = Layer.Success<ReturnType<typeof servicesOf>>

/** What a run has for all of its incarnations. */
export interface Surroundings {
  readonly world: World
  readonly time: SimulatedTime
  readonly database: Database
  readonly faults: DatabaseFaults
  readonly behaviour: Behaviour
  readonly limits: Partial<Limits>
  readonly random: Random.Random
  /** How long others leave a node's sessions alone without a sign of life; `null`: there is one node. */
  readonly leaseMillis: number | null
  /** What nodes tell each other. */
  readonly channel: Channel
  /** And what they ask each other. */
  readonly calls: Calls
}

/** When a node is killed, its warden ends its agents at most so much later. */
const wardenMillis = 1_000

export class Incarnation {
  isAlive = true
  /** The services, when they are built; `null` before, and after a start that failed. */
  services: Context.Context<RuntimeServices> | null = null
  /** The runtime is killed at the so manyth crossing from now; `null`: it is not. */
  killAfter: number | null = null
  /** The runtime is stopped at the so manyth crossing from now, and for how long; `null`: it is not. */
  stopAfter: { crossings: number; readonly millis: number } | null = null
  readonly name: string
  readonly surroundings: Surroundings
  readonly watch: Watch
  readonly #freezing = new Freezing()
  /** What Troupe's end of the warden knows. */
  readonly held = new HeldLeases()
  #notYet = (): void => {}
  readonly #scope = Scope.makeUnsafe()
  readonly #context: Context.Context<never>

  constructor(surroundings: Surroundings, name: string, watch: Watch) {
    this.surroundings = surroundings
    this.name = name
    this.watch = watch
    const { random, time } = surroundings
    this.#context = Context.empty().pipe(
      Context.add(Clock.Clock, this.#freezing.clock(time)),
      Context.add(Scheduler.Scheduler, this.#freezing.scheduler(time)),
      Context.add(Random.Random, random),
      Context.add(Logger.CurrentLoggers, new Set([loggerOf(this)]))
    ) as Context.Context<never>
  }

  /** Builds the services, as a start of Troupe does; it is up when `services` are there. */
  start(): void {
    const build = Layer.buildWithScope(servicesOf(this), this.#scope)
    this.fork(build, (exit) => {
      if (Exit.isSuccess(exit)) {
        this.services = exit.value
      } else if (this.isAlive) {
        this.surroundings.world.note(`the start failed: ${String(exit.cause)}`)
        this.isAlive = false
      }
    })
  }

  fork<A, E>(effect: Effect.Effect<A, E, never>, onExit: (exit: Exit.Exit<A, E>) => void = () => {}): void {
    Effect.runForkWith(this.#context)(effect).addObserver(onExit)
  }

  /** Runs with the services that are up. */
  run<A, E>(effect: Effect.Effect<A, E, RuntimeServices>, onExit?: (exit: Exit.Exit<A, E>) => void): void {
    if (this.services === null || !this.isAlive) return
    const inScope = Effect.flatMap(Effect.forkIn(Effect.provide(effect, this.services), this.#scope), Fiber.await)
    this.whenAwake(() => this.fork(Effect.flatten(inScope), onExit))
  }

  get isUp(): boolean {
    return this.isAlive && this.services !== null
  }

  get isFrozen(): boolean {
    return this.#freezing.isFrozen
  }

  get whenAwake(): (call: () => void) => void {
    return this.#freezing.whenAwake
  }

  /** What another process does for this one, such as a database: it goes on while this one is stopped. */
  outside<A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    const { leaseMillis, time } = this.surroundings
    if (leaseMillis === null) return effect
    return Effect.callback<A, E>((resume) => {
      const context = Context.empty().pipe(Context.add(Clock.Clock, time.clock), Context.add(Scheduler.Scheduler, time))
      Effect.runForkWith(context as Context.Context<never>)(effect).addObserver((exit) =>
        this.whenAwake(() => resume(exit))
      )
    })
  }

  /** As SIGSTOP, and SIGCONT when the time is over. */
  stop(millis: number): void {
    if (!this.isAlive || this.isFrozen) return
    const { time, world } = this.surroundings
    world.note(`${this.name} is stopped for ${millis} ms`)
    this.#freezing.freeze()
    time.later(millis, () => {
      if (this.isFrozen) world.note(`${this.name} goes on`)
      this.#freezing.thaw()
    })
  }

  goOn(): void {
    this.#freezing.thaw()
  }

  now(): Instant {
    const { now } = this.surroundings.time
    return { wall: now, monotonic: now }
  }

  /** The warden is told of it, and is another process: it goes on while this one is stopped. */
  mayRunUntil(until: Instant): void {
    const { time } = this.surroundings
    if (!this.isAlive || !this.held.extend(until, this.now())) return
    this.#notYet()
    this.#notYet = time.later(until.wall - time.now, () => {
      if (this.isAlive) this.#endAgents()
    })
  }

  /** What the warden of a node does. */
  readonly #endAgents = (): void => {
    const { world } = this.surroundings
    for (const process of world.alive({ node: this.name })) world.end(process, "SIGKILL")
  }

  kill(why: string): void {
    if (!this.isAlive) return
    this.isAlive = false
    const { leaseMillis, time, world } = this.surroundings
    world.note(`${this.name} is killed ${why}`)
    // Where nobody else takes its sessions over, the next start ends what is left.
    if (leaseMillis !== null) time.later(wardenMillis, this.#endAgents)
  }

  /** Ends what is left of its fibers. After a kill that changes nothing outside. */
  close(onClosed: () => void): void {
    this.goOn()
    this.fork(Scope.close(this.#scope, Exit.void), onClosed)
  }

  /** A point at which a kill can come: between Troupe and what is outside of it. */
  crossing(where: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.killAfter !== null && this.isAlive && --this.killAfter <= 0) this.kill(where)
      if (this.stopAfter !== null && --this.stopAfter.crossings <= 0) {
        this.stop(this.stopAfter.millis)
        this.stopAfter = null
      }
      return Effect.suspend(() => (this.isAlive ? Effect.void : Effect.interrupt)).pipe((alive) =>
        Effect.andThen(this.#freezing.pause, alive)
      )
    })
  }
}

const boot = { bootId: "boot", self: { pid: 1, startTime: "1", pidNamespace: null } }

const processesOf = (runtime: Incarnation) => {
  const { held } = runtime
  const { world } = runtime.surroundings
  const alive = <A>(dead: A, act: () => A) => Effect.sync(() => (runtime.isAlive ? act() : dead))
  return Layer.succeed(
    Processes,
    Processes.of({
      ...boot,
      spawn: () => Effect.die(new Violation("simulation", "no real process is started")),
      temporary: () => Effect.die(new Violation("simulation", "nothing starts in a real directory")),
      signal: (lease, signal) => alive(undefined, () => world.signalGroup(lease, signal)),
      sweep: (lease) => alive(0, () => (world.endAll(lease), held.delete(lease), 0)),
      tree: () => Effect.succeed([]),
      use: () => Effect.succeed(new Map()),
      vitals: () => Effect.succeed(null),
      startTime: (pid) => Effect.succeed(`started ${pid}`),
      hold: (lease) => Effect.sync(() => void (held.hold(lease).isOver = false)),
      mayStart: (lease) => Effect.sync(() => held.mayStart(lease, runtime.now())),
      mayRunUntil: (until) => Effect.sync(() => runtime.mayRunUntil(until)),
      reap: ({ lease }) =>
        Effect.andThen(
          runtime.crossing("before a lease is reaped"),
          alive({ _tag: "Ended", found: 0, left: 0 } as const, () => ({
            _tag: "Ended" as const,
            found: world.endAll(lease),
            left: 0
          }))
        )
    })
  )
}

const servicesOf = (runtime: Incarnation) => {
  const { behaviour, calls, channel, database, faults, leaseMillis, limits, world } = runtime.surroundings
  const { name, watch } = runtime
  const driver = simulatedDriver(world, behaviour, runtime)
  const settings = {
    dataDir: "/data",
    limits: { ...defaultLimits, ...limits },
    ...(leaseMillis === null ? {} : { node: { name, url: null, version: "1", leaseMillis, place: name } }),
    agents: {},
    defaultAgent: null,
    run: {}
  }
  const ledger = Layer.effect(
    Ledger,
    ledgerOver(faultyDatabase(database, faults, runtime), {
      patienceMillis: settings.limits.ledgerPatienceMillis,
      ...(leaseMillis === null ? {} : { announcements: channel.join(runtime) })
    })
  )
  const agents = Layer.mock(Agents)({
    driver: (wanted) =>
      wanted === null || wanted === driver.name
        ? Effect.succeed(driver)
        : Effect.fail(new UnknownAgent({ name: wanted }))
  })
  const steps = Layer.effectDiscard(
    Effect.gen(function* () {
      const news = yield* News
      const slots = yield* ProcessSlots
      const { askBy, holdOff, token } = yield* ThisNode
      askBy((node) => calls.holdOff(runtime, node))
      calls.listens(runtime, token, holdOff)
      watch.restarted()
      news.watchUnsafe(null, ({ stored }) => {
        const committed = stored?.step ?? null
        if (committed === null || !runtime.isAlive) return
        const { before, event, record, snapshot } = committed
        const [from, to] = [stateName(before), stateName(snapshot)]
        world.note(`  ${world.name(record.id)}: ${event.type}${from === to ? "" : `, ${from} → ${to}`}`)
        watch.committed(committed, slots.state())
      })
    })
  )
  return steps.pipe(
    Layer.provideMerge(SessionServices.layer),
    Layer.provideMerge(Reviews.layer({}, {})),
    Layer.provideMerge(Files.layer),
    Layer.provideMerge(
      Layer.mergeAll(
        ledger,
        agents,
        processesOf(runtime),
        Layer.succeed(RuntimeSettings, settings),
        noFiles,
        Path.layer
      )
    ),
    Layer.fresh
  )
}

/** No file is read or written: each work directory is there. */
const noFiles = FileSystem.layerNoop({
  exists: () => Effect.succeed(true),
  makeDirectory: () => Effect.void,
  remove: () => Effect.void,
  realPath: (path) => Effect.succeed(path),
  readDirectory: () => Effect.succeed([]),
  stat: () =>
    Effect.succeed({
      type: "Directory",
      mtime: Option.none(),
      atime: Option.none(),
      birthtime: Option.none(),
      dev: 0n,
      ino: Option.none(),
      mode: 0o700,
      nlink: Option.none(),
      uid: Option.none(),
      gid: Option.none(),
      rdev: Option.none(),
      size: ByteSize.bytes(0),
      blksize: Option.none(),
      blocks: Option.none()
    })
})

/** A death of an actor is a defect of ours, unless the database refused something for no reason that we know. */
const loggerOf = (runtime: Incarnation) =>
  Logger.make(({ cause, logLevel, message }) => {
    if (!runtime.isAlive || logLevel === "Debug" || logLevel === "Trace") return
    const { faults, world } = runtime.surroundings
    const line = `${logLevel}: ${String(message)}`
    world.note(line)
    if (
      mayHaveKilledActors(faults, world.now) ||
      !/actor of session .* died|was given up|would not die|could not be brought back/.test(line)
    )
      return
    faults.defect ??= `${line} ${Cause.pretty(cause)}`
  })
