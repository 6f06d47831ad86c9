/**
 * One run: Troupe's own machine, actors, journal, supervisor, slots, sweeper and ledger on a simulated clock, with
 * simulated agents, apps and accidents, all from one seed.
 */
import { Cause, Clock, Context, Effect, Exit, Scheduler, Scope } from "effect"
import * as Database from "../../src/ledger/sqlite/Database.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { ThisNode } from "../../src/runtime/ThisNode.ts"
import { Clients } from "./Clients.ts"
import { withClock } from "./clockOfDatabase.ts"
import { actorsMayRest, noFaults } from "./faultyDatabase.ts"
import type { Incarnation, Surroundings } from "./Incarnation.ts"
import { Invariants } from "./invariants.ts"
import type { Running, Stored } from "./invariants.ts"
import { limitsOf, limitsOfContact } from "./limits.ts"
import { runningIn, storedIn } from "./look.ts"
import { isOfContact, planOf } from "./plan.ts"
import type { PlanStep } from "./plan.ts"
import { diceOf } from "./random.ts"
import type { Dice } from "./random.ts"
import { seededIds } from "./seededIds.ts"
import { Channel } from "./simulatedAnnouncements.ts"
import { Calls } from "./simulatedCalls.ts"
import { SimulatedTime } from "./SimulatedTime.ts"
import { Node } from "./Node.ts"
import { Violation, World } from "./World.ts"

export interface Outcome {
  readonly violation: Violation | null
  readonly history: ReadonlyArray<string>
  readonly turns: number
  readonly starts: number
}

/** Of a node, where there are several. */
const leaseMillis = 20_000

/** 2026-01-01. */
const beginning = 1_767_225_600_000

/** With more than one node they work on the same ledger, and nothing else is shared. */
export const simulate = (seed: number, steps: number, plan?: ReadonlyArray<PlanStep>, nodes = 1): Outcome => {
  const restore = seededIds(seed)
  const run = new Run(seed, nodes)
  try {
    run.perform(plan ?? planOf(seed, steps, nodes))
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
  readonly #nodes: ReadonlyArray<Node>
  #look: { readonly transactions: number; readonly stored: Stored } | null = null

  constructor(seed: number, nodes: number) {
    const time = new SimulatedTime(diceOf(seed + 2), beginning)
    const chance = diceOf(seed + 3)
    const where = diceOf(seed + 4)
    this.#time = time
    this.#world = new World(seed, () => time.now)
    this.#context = Context.empty().pipe(
      Context.add(Clock.Clock, time.clock),
      Context.add(Scheduler.Scheduler, time)
    ) as Context.Context<never>
    const database = this.#wait(Scope.provide(Database.open(":memory:"), this.#scope))
    this.#surroundings = {
      world: this.#world,
      time,
      database: withClock(database, time),
      faults: noFaults(),
      behaviour: { isGood: false },
      limits: { ...limitsOf(seed), ...(nodes > 1 && isOfContact(seed) ? limitsOfContact : {}) },
      random: {
        nextDoubleUnsafe: chance.next,
        nextIntUnsafe: () => chance.between(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
      },
      leaseMillis: nodes === 1 ? null : leaseMillis,
      channel: new Channel(diceOf(seed + 99)),
      calls: new Calls(diceOf(seed + 98))
    }
    this.#nodes = Array.from({ length: nodes }, (_, nth) => {
      const name = nodes === 1 ? "Troupe" : `node ${nth + 1}`
      return new Node(name, this.#surroundings, diceOf(seed + 5 + nth))
    })
    this.#clients = new Clients(this.#world, (session) => this.#choose(session, where))
    this.#invariants = new Invariants(this.#world, this.#clients)
    for (const node of this.#nodes) this.#start(node)
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
    const starts = this.#nodes.reduce((sum, node) => sum + node.starts, 0)
    return { violation, history: this.#world.history, turns: this.#clients.accepted.length, starts }
  }

  dispose(): void {
    for (const { runtime } of this.#nodes) {
      runtime.isAlive = false
      runtime.close(() => {})
    }
    this.#time.advance(60_000)
    Effect.runForkWith(this.#context)(Scope.close(this.#scope, Exit.void))
    this.#time.run()
  }

  /** Mostly the owner of the session, as a router would; now and then any node. */
  #choose(session: SessionId | null, dice: Dice): Incarnation {
    const up = this.#nodes.filter(({ runtime }) => runtime.isUp).map(({ runtime }) => runtime)
    const [first = this.#nodes[0]!.runtime, ...others] = up
    if (others.length === 0) return first
    const any = dice.pick(up)
    const owner = this.#look?.stored.sessions.find(({ id }) => id === session)?.owner ?? null
    const its = up.find(({ services }) => services !== null && Context.get(services, ThisNode).token === owner)
    return its === undefined || dice.chance(0.1) ? any : its
  }

  #step(step: PlanStep): void {
    const { a, action, b } = step
    const { faults } = this.#surroundings
    const node = this.#nodes[a % this.#nodes.length]!
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
        return node.runtime.kill("between two steps")
      case "killTroupeLater":
        node.runtime.killAfter = 1 + (b % 12)
        return
      case "stop":
        return node.runtime.stop(b % 60_000)
      case "stopLater":
        node.runtime.stopAfter = { crossings: 1 + (b % 12), millis: b % 60_000 }
        return
      case "drain":
        return this.#drain(node, b % 20_000)
      case "databaseAway":
        faults.awayUntil = this.#time.now + (b % 40_000)
        return this.#world.note(`the database is away for ${b % 40_000} ms`)
      case "cutOff":
        faults.cutOff.set(node.runtime.name, this.#time.now + (b % 150_000))
        return this.#world.note(`${node.runtime.name} can't reach the database for ${b % 150_000} ms`)
      case "breakCalls":
        this.#surroundings.calls.brokenUntil = this.#time.now + (b % 60_000)
        return this.#world.note(`nodes can't call each other for ${b % 60_000} ms`)
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

  #start(node: Node): void {
    node.start()
    this.#clients.followAll()
    this.#time.run()
  }

  /** Starts nodes again that were killed, as often as it takes. */
  #settle(): void {
    this.#time.run()
    for (let tries = 0; ; tries++) {
      const node = this.#nodes.find((down) => down.isDue)
      if (node === undefined) break
      if (tries > 50) throw new Violation("a start succeeds at last", `it did not in ${tries} attempts`)
      this.#clients.lose(node.runtime)
      node.end()
      node.renew()
      this.#start(node)
    }
  }

  #drain(node: Node, deadlineMillis: number): void {
    const left = node.drain(deadlineMillis)
    if (left.length > 0 && !this.#actorsMayRest()) {
      throw new Violation("no process is left after a drain", left.map(({ pid }) => pid).join(", "))
    }
  }

  /** In pieces, so that what must hold is looked at in between. */
  #pass(millis: number): void {
    for (let left = millis; left > 0; left -= 20_000) {
      this.#time.advance(Math.min(left, 20_000), () => this.#nodes.some((node) => node.isDue))
      this.#settle()
      this.#check()
    }
  }

  #rest(): void {
    const { behaviour, calls, faults } = this.#surroundings
    this.#world.note("all faults stop")
    calls.brokenUntil = 0
    faults.cutOff.clear()
    behaviour.isGood = true
    Object.assign(faults, { awayUntil: 0, slowMillis: 0, refusals: 0, lostAnswers: 0 })
    for (const node of this.#nodes) node.stopFaults()
    this.#settle()
    const until = this.#time.now + 4 * 3_600_000
    while (this.#time.now < until) {
      this.#clients.answerAll()
      this.#pass(60_000)
      if (this.#stored().turns.every(({ status }) => status !== "queued" && status !== "running")) break
    }
    this.#check((stored) => this.#invariants.checkRest(stored))
    this.#clients.followAll()
    for (let minutes = 0; minutes < 15; minutes++) {
      this.#clients.closeAll(this.#stored().sessions.flatMap(({ id, substate }) => (substate === "closed" ? [] : [id])))
      this.#pass(60_000)
    }
    // What was refused to be stored is done again by the next start at the latest.
    if (this.#surroundings.faults.refusedAt > 0) for (const node of this.#nodes) this.#drain(node, 0)
    this.#settle()
    this.#pass(60_000)
    this.#check((stored, running) => this.#invariants.checkClosed(stored, running))
  }

  #check(more: (stored: Stored, running: ReadonlyArray<Running>) => void = () => {}): void {
    const { defect } = this.#surroundings.faults
    if (this.#world.violation !== null) throw this.#world.violation
    if (defect !== null) throw new Violation("nothing dies of a defect", defect)
    const stored = this.#stored()
    for (const { id } of stored.sessions) this.#clients.know(id)
    const up = this.#nodes.filter(({ runtime }) => runtime.isUp && !runtime.isFrozen)
    const running = up.map(({ runtime }) => runningIn(runtime.services!, this.#actorsMayRest()))
    this.#invariants.check(stored, running)
    if (up.length === this.#nodes.length) more(stored, running)
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
