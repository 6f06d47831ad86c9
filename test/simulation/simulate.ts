/**
 * One run: Troupe's own machine, actors, journal, supervisor, slots, sweeper and ledger on a simulated clock, with
 * simulated agents, apps and accidents, all from one seed.
 */
import { Cause, Clock, Context, Effect, Exit, Scheduler, Scope } from "effect"
import * as Database from "../../src/ledger/sqlite/Database.ts"
import { Operator } from "../../src/services/Operator.ts"
import { Clients } from "./Clients.ts"
import { actorsMayRest, noFaults } from "./faultyDatabase.ts"
import { Incarnation } from "./Incarnation.ts"
import type { Surroundings } from "./Incarnation.ts"
import { Invariants } from "./invariants.ts"
import type { Running, Stored } from "./invariants.ts"
import { limitsOf } from "./limits.ts"
import { runningIn, storedIn } from "./look.ts"
import { planOf } from "./plan.ts"
import type { PlanStep } from "./plan.ts"
import { diceOf } from "./random.ts"
import { seededIds } from "./seededIds.ts"
import { SimulatedTime } from "./SimulatedTime.ts"
import { Watch } from "./Watch.ts"
import { Violation, World } from "./World.ts"

export interface Outcome {
  readonly violation: Violation | null
  readonly history: ReadonlyArray<string>
  readonly turns: number
  readonly starts: number
}

/** 2026-01-01. */
const beginning = 1_767_225_600_000

export const simulate = (seed: number, steps: number, plan = planOf(seed, steps)): Outcome => {
  const restore = seededIds(seed)
  const run = new Run(seed)
  try {
    run.perform(plan)
    return run.outcome(null)
  } catch (error) {
    return run.outcome(error instanceof Violation ? error : new Violation("the simulation ends", String(error)))
  } finally {
    run.dispose()
    restore()
  }
}

class Run {
  readonly #time: SimulatedTime
  readonly #world: World
  readonly #surroundings: Surroundings
  readonly #clients: Clients
  readonly #invariants: Invariants
  readonly #scope = Scope.makeUnsafe()
  readonly #context: Context.Context<never>
  #runtime: Incarnation
  #starts = 0
  #look: { readonly transactions: number; readonly stored: Stored } | null = null

  constructor(seed: number) {
    const time = new SimulatedTime(diceOf(seed + 2), beginning)
    const chance = diceOf(seed + 3)
    this.#time = time
    this.#world = new World(seed, () => time.now)
    this.#context = Context.empty().pipe(
      Context.add(Clock.Clock, time.clock),
      Context.add(Scheduler.Scheduler, time)
    ) as Context.Context<never>
    this.#surroundings = {
      world: this.#world,
      watch: new Watch(this.#world),
      time,
      database: this.#wait(Scope.provide(Database.open(":memory:"), this.#scope)),
      faults: noFaults(),
      behaviour: { isGood: false },
      limits: limitsOf(seed),
      random: {
        nextDoubleUnsafe: chance.next,
        nextIntUnsafe: () => chance.between(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
      }
    }
    this.#runtime = new Incarnation(this.#surroundings)
    this.#clients = new Clients(this.#world, this.#runtime)
    this.#invariants = new Invariants(this.#world, this.#clients)
    this.#start()
  }

  perform(plan: ReadonlyArray<PlanStep>): void {
    for (const step of plan) {
      this.#step(step)
      this.#settle()
      this.#check()
    }
    this.#rest()
  }

  outcome(violation: Violation | null): Outcome {
    const { history } = this.#world
    return { violation, history, turns: this.#clients.accepted.length, starts: this.#starts }
  }

  dispose(): void {
    this.#runtime.isAlive = false
    this.#runtime.close(() => {})
    this.#time.advance(60_000)
    Effect.runForkWith(this.#context)(Scope.close(this.#scope, Exit.void))
    this.#time.run()
  }

  #step(step: PlanStep): void {
    const { a, action, b } = step
    const { faults } = this.#surroundings
    switch (action) {
      case "wait":
        return this.#pass(a % 3 === 0 ? b % 50 : b % 3_000)
      case "waitLong":
        return this.#pass(10_000 + (b % (a % 4 === 0 ? 900_000 : 60_000)))
      case "killProcess": {
        const alive = this.#world.alive()
        const process = alive[a % Math.max(1, alive.length)]
        return process === undefined ? undefined : this.#world.end(process, "SIGKILL")
      }
      case "killTroupe":
        return this.#runtime.kill("between two steps")
      case "killTroupeLater":
        this.#runtime.killAfter = 1 + (b % 12)
        return
      case "drain":
        return this.#drain(b % 20_000)
      case "databaseAway":
        faults.awayUntil = this.#time.now + (b % 40_000)
        return this.#world.note(`the database is away for ${b % 40_000} ms`)
      case "databaseSlow":
        faults.slowMillis = a % 3 === 0 ? 0 : b % 2_000
        return this.#world.note(`each commit takes ${faults.slowMillis} ms`)
      case "databaseRefuses":
        faults.refusals = 1
        return
      case "answersLost":
        faults.lostAnswers = 1 + (b % 2)
        return
      default:
        this.#clients.perform(step)
    }
  }

  #start(): void {
    this.#starts++
    this.#world.note(`Troupe starts for the ${this.#starts}. time`)
    this.#runtime.start()
    // A start waits for its commits, and what it waits for ends at some time.
    this.#time.advance(10 * 60_000, () => this.#runtime.services !== null || !this.#runtime.isAlive)
    if (this.#runtime.isAlive && this.#runtime.services === null) throw new Violation("a start ends", "it did not")
    this.#clients.use(this.#runtime)
    this.#time.run()
  }

  /** Starts Troupe again where it was killed, as often as it takes. */
  #settle(): void {
    this.#time.run()
    for (let tries = 0; !this.#runtime.isAlive; tries++) {
      if (tries > 50) throw new Violation("a start succeeds at last", `it did not in ${tries} attempts`)
      this.#end()
      this.#runtime = new Incarnation(this.#surroundings)
      this.#start()
    }
  }

  #end(): void {
    let isClosed = false
    this.#runtime.isAlive = false
    this.#runtime.close(() => (isClosed = true))
    this.#time.advance(10 * 60_000, () => isClosed)
    if (!isClosed) throw new Violation("what is left of a killed runtime ends", "it did not")
  }

  #drain(deadlineMillis: number): void {
    this.#world.note(`Troupe is drained within ${deadlineMillis} ms`)
    let isDone = false
    this.#runtime.run(
      Effect.flatMap(Operator, ({ drain }) => drain(deadlineMillis)),
      () => (isDone = true)
    )
    this.#time.advance(3 * 60_000, () => isDone || !this.#runtime.isAlive)
    if (!this.#runtime.isAlive) return
    if (!isDone) throw new Violation("a drain ends", "it did not")
    let isClosed = false
    this.#runtime.close(() => (isClosed = true))
    this.#time.advance(3 * 60_000, () => isClosed || !this.#runtime.isAlive)
    const left = this.#world.alive()
    if (this.#runtime.isAlive && isClosed && left.length > 0 && !this.#actorsMayRest()) {
      throw new Violation("no process is left after a drain", left.map(({ pid }) => pid).join(", "))
    }
    this.#runtime.isAlive = false
  }

  /** In pieces, so that what must hold is looked at in between. */
  #pass(millis: number): void {
    for (let left = millis; left > 0; left -= 20_000) {
      this.#time.advance(Math.min(left, 20_000), () => !this.#runtime.isAlive)
      this.#settle()
      this.#check()
    }
  }

  #rest(): void {
    const { behaviour, faults } = this.#surroundings
    this.#world.note("all faults stop")
    behaviour.isGood = true
    Object.assign(faults, { awayUntil: 0, slowMillis: 0, refusals: 0, lostAnswers: 0 })
    this.#runtime.killAfter = null
    this.#settle()
    const until = this.#time.now + 4 * 3_600_000
    while (this.#time.now < until) {
      this.#clients.answerAll()
      this.#pass(60_000)
      if (this.#stored().turns.every(({ status }) => status !== "queued" && status !== "running")) break
    }
    this.#check((stored) => this.#invariants.checkRest(stored))
    for (const reader of this.#clients.readers) this.#clients.follow(reader)
    for (let minutes = 0; minutes < 15; minutes++) {
      this.#clients.closeAll(this.#stored().sessions.flatMap(({ id, substate }) => (substate === "closed" ? [] : [id])))
      this.#pass(60_000)
    }
    // What was refused to be stored is done again by the next start at the latest.
    if (this.#surroundings.faults.refusedAt > 0) this.#drain(0)
    this.#settle()
    this.#pass(60_000)
    this.#check((stored, running) => this.#invariants.checkClosed(stored, running))
  }

  #check(more: (stored: Stored, running: Running) => void = () => {}): void {
    const { defect } = this.#surroundings.faults
    if (this.#world.violation !== null) throw this.#world.violation
    if (defect !== null) throw new Violation("nothing dies of a defect", defect)
    const stored = this.#stored()
    for (const { id } of stored.sessions) this.#clients.know(id)
    const running = this.#running()
    this.#invariants.check(stored, running)
    if (running !== null) more(stored, running)
  }

  #actorsMayRest(): boolean {
    return actorsMayRest(this.#surroundings.faults, this.#time.now)
  }

  /** Read anew only after a transaction. */
  #stored(): Stored {
    const { transactions } = this.#surroundings.faults
    if (this.#look?.transactions !== transactions)
      this.#look = { transactions, stored: storedIn(this.#surroundings.database, (rows) => this.#wait(rows)) }
    return this.#look.stored
  }

  #running(): Running | null {
    const { services } = this.#runtime
    return services === null || !this.#runtime.isAlive ? null : runningIn(services, this.#actorsMayRest())
  }

  /** Runs what needs no time. */
  #wait<A, E>(effect: Effect.Effect<A, E>): A {
    const fiber = Effect.runForkWith(this.#context)(effect)
    this.#time.run()
    const exit = fiber.pollUnsafe()
    if (exit === undefined) throw new Error("it needs time")
    if (Exit.isFailure(exit)) throw Cause.squash(exit.cause)
    return exit.value
  }
}
