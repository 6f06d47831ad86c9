/**
 * What is outside of Troupe in a simulation, and outlives it: the processes that it started, what agents were asked and
 * answered, and what happened in which order.
 */
import type { LeaseId, SessionId } from "../../src/domain/Ids.ts"
import { diceOf } from "./random.ts"
import type { Dice } from "./random.ts"

/** Whose a process is that no session has yet. */
export const nobody = "nobody" as SessionId

export interface SimulatedProcess {
  readonly pid: number
  /** `nobody`: it is a spare. */
  session: SessionId
  readonly lease: LeaseId
  /** The name of the node that started it. */
  readonly node: string
  /** An agent's child that left its group: a signal to the group does not reach it. */
  readonly isDetached: boolean
  /** Heeds neither SIGTERM nor a request to exit. */
  readonly isStubborn: boolean
  isAlive: boolean
  /** Told to the connection that still listens. */
  onExit: (signal: string | null) => void
}

export interface Handed {
  readonly session: SessionId
  readonly turn: number
  readonly pid: number
  readonly at: number
}

export class Violation extends Error {
  override readonly name = "Violation"
  readonly invariant: string

  constructor(invariant: string, detail: string) {
    super(`${invariant}: ${detail}`)
    this.invariant = invariant
  }
}

export class World {
  readonly processes = new Map<number, SimulatedProcess>()
  /** Every prompt that reached an agent. */
  readonly handed: Array<Handed> = []
  /** Every end of a turn that an agent reported, as `session turn`. */
  readonly ended = new Set<string>()
  /** The agents' own conversations, by thread. */
  readonly threads = new Set<string>()
  /** What happened, for a reader of a failure. */
  readonly history: Array<string> = []
  /** The first invariant that was seen not to hold. */
  violation: Violation | null = null
  /** The sessions by the order of their creation: their ids are random. */
  readonly #sessions: Array<SessionId> = []
  readonly #draws = new Map<SessionId, number>()
  readonly #now: () => number
  readonly #seed: number
  readonly #began: number
  #lastPid = 100

  constructor(seed: number, now: () => number) {
    this.#seed = seed
    this.#now = now
    this.#began = now()
  }

  get now(): number {
    return this.#now()
  }

  created(session: SessionId): void {
    this.#sessions.push(session)
    this.note(`${this.name(session)} was created`)
  }

  /** Ids are long; the history needs them only to tell sessions apart. */
  name(session: SessionId): string {
    return session === nobody ? "nobody" : `session ${this.#sessions.indexOf(session) + 1}`
  }

  /** Dice of its own for each process, so that a shorter history leaves the other sessions' agents as they were. */
  diceFor(session: SessionId): Dice {
    const draw = (this.#draws.get(session) ?? 0) + 1
    this.#draws.set(session, draw)
    return diceOf(this.#seed * 7_919 + (this.#sessions.indexOf(session) + 1) * 104_729 + draw * 1_299_709)
  }

  note(line: string): void {
    this.history.push(`${String(this.#now() - this.#began).padStart(9)} ms  ${line}`)
  }

  start(of: Pick<SimulatedProcess, "session" | "lease" | "node" | "isDetached" | "isStubborn">): SimulatedProcess {
    const earlier = this.alive({ session: of.session }).find(({ isDetached }) => !isDetached)
    const process = { ...of, pid: ++this.#lastPid, isAlive: true, onExit: () => {} }
    if (earlier !== undefined && !of.isDetached && of.session !== nobody) {
      const detail = `${process.pid} at ${of.node} started beside ${earlier.pid} at ${earlier.node}`
      this.violate("a session has one agent at most", `${this.name(of.session)}: process ${detail}`)
    }
    this.processes.set(process.pid, process)
    this.note(`process ${process.pid} of ${this.name(of.session)} started${of.isDetached ? ", detached" : ""}`)
    return process
  }

  alive(of: Partial<Pick<SimulatedProcess, "session" | "lease" | "node">> = {}): ReadonlyArray<SimulatedProcess> {
    return [...this.processes.values()].filter(
      ({ isAlive, lease, node, session }) =>
        isAlive && (of.session ?? session) === session && (of.lease ?? lease) === lease && (of.node ?? node) === node
    )
  }

  end(process: SimulatedProcess, signal: string | null): void {
    if (!process.isAlive) return
    process.isAlive = false
    this.note(`process ${process.pid} ended (${signal ?? "by itself"})`)
    process.onExit(signal)
  }

  /** From within a fiber, whose own failures Troupe handles: the run ends after this step. */
  violate(invariant: string, detail: string): void {
    this.violation ??= new Violation(invariant, detail)
  }

  /** As the kernel delivers a signal to the group of a lease's leader. */
  signalGroup(lease: LeaseId, signal: string): void {
    for (const process of this.alive({ lease })) {
      if (process.isDetached || (process.isStubborn && signal !== "SIGKILL")) continue
      this.end(process, signal)
    }
  }

  /** As a sweep by marker: how many there were. */
  endAll(lease: LeaseId): number {
    const found = this.alive({ lease })
    for (const process of found) this.end(process, "SIGKILL")
    return found.length
  }

  hand(handed: Omit<Handed, "at">): void {
    this.note(`prompt ${handed.turn} of ${this.name(handed.session)} reached process ${handed.pid}`)
    const earlier = this.handed.findLast(({ session }) => session === handed.session)
    this.handed.push({ ...handed, at: this.#now() })
    if (earlier === undefined || earlier.turn < handed.turn) return
    this.violate(
      earlier.turn === handed.turn ? "a prompt reaches an agent at most once" : "prompts reach an agent in their order",
      `turn ${handed.turn} of ${this.name(handed.session)} was handed over after turn ${earlier.turn}`
    )
  }
}
