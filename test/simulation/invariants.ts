/** What must hold after every step of a simulation, whatever happened in it. */
import type { SessionId } from "../../src/domain/Ids.ts"
import type { Clients } from "./Clients.ts"
import { nobody, Violation } from "./World.ts"
import type { World } from "./World.ts"

/** What the database holds, read past all faults. */
export interface Stored {
  readonly sessions: ReadonlyArray<{
    readonly id: SessionId
    readonly substate: string
    readonly snapshot: string
    /** The token of its node. */
    readonly owner: string | null
  }>
  readonly turns: ReadonlyArray<StoredTurn>
  readonly steps: ReadonlyArray<{
    readonly session: SessionId
    readonly seq: number
    readonly from_state: string
    readonly to_state: string
  }>
  readonly owed: ReadonlyArray<{ readonly session: SessionId; readonly type: string; readonly attempted: number }>
  readonly timers: ReadonlyArray<{ readonly session: SessionId; readonly timer: string; readonly due_at: number }>
  readonly leases: ReadonlyArray<{ readonly id: string; readonly session: SessionId }>
  readonly events: ReadonlyArray<{ readonly session: SessionId; readonly last: number; readonly count: number }>
  /** Events that are not between the bounds of their turn. */
  readonly unbound: ReadonlyArray<{ readonly session: SessionId; readonly turn: number; readonly seq: number }>
  readonly approvals: ReadonlyArray<{ readonly id: string; readonly session: SessionId; readonly status: string }>
}

export interface StoredTurn {
  readonly session: SessionId
  readonly idx: number
  readonly status: string
  readonly stop_reason: string | null
  readonly failure: string | null
  readonly submitted_at: number
  readonly ended_at: number | null
}

/** What a runtime that is up says of itself. */
export interface Running {
  /** Its token. */
  readonly node: string
  readonly slots: {
    readonly size: number
    readonly held: ReadonlyArray<SessionId>
    /** Of sessions that may be let go of just now: a slow commit of theirs is waited for, and then the slot is given back. */
    readonly letGo: ReadonlyArray<SessionId>
    readonly waiting: ReadonlyArray<SessionId>
    readonly spares: number
    readonly unsettled: number
  }
  /** Spares that have or had a process, those that end included: some of them have no place any more. */
  readonly spares: number
  readonly views: ReadonlyArray<{ readonly id: SessionId; readonly snapshot: unknown; readonly substate: string }>
  /** Timers that are armed, those that are not stored included. */
  readonly armed: number
  /** Something was refused a short time ago, so that an actor may wait to be started again. */
  readonly actorsMayRest: boolean
}

/** Of all turns that the apps submit. */
const shortestTimeoutMillis = 20_000

const failureOf = ({ failure }: Pick<StoredTurn, "failure">) =>
  failure === null ? null : (JSON.parse(failure) as { readonly class: string }).class

const isOver = ({ status }: StoredTurn) => status !== "queued" && status !== "running"

export class Invariants {
  readonly #outcomes = new Map<string, string>()
  readonly #world: World
  readonly #clients: Clients

  constructor(world: World, clients: Clients) {
    this.#world = world
    this.#clients = clients
  }

  check(stored: Stored, running: ReadonlyArray<Running>): void {
    this.#outcomesStay(stored)
    this.#acceptedIsStored(stored)
    this.#keysHaveOneTurn(stored)
    this.#resultsAreStored(stored)
    this.#stepsAreAChain(stored)
    this.#eventsAreGapless(stored)
    this.#turnsHaveTheirEvents(stored)
    this.#processesAreLeased(stored)
    for (const runtime of running) this.#runningIsStored(stored, runtime)
  }

  #outcomesStay({ turns }: Stored): void {
    for (const turn of turns) {
      if (!isOver(turn)) continue
      const key = `${turn.session} ${turn.idx}`
      const outcome = JSON.stringify([turn.status, turn.stop_reason, turn.failure, turn.ended_at])
      const before = this.#outcomes.get(key)
      if (before === undefined) {
        this.#outcomes.set(key, outcome)
        this.#world.note(`turn ${turn.idx} of ${this.#world.name(turn.session)} is ${turn.status}`)
        this.#outcomeIsTrue(turn)
      } else if (before !== outcome) {
        fail("a turn has one outcome", `turn ${turn.idx}: ${before}, then ${outcome}`)
      }
    }
  }

  /** A turn of which it is said that no agent had it must not have reached one. */
  #outcomeIsTrue({ ended_at, failure, idx, session, status, submitted_at }: StoredTurn): void {
    const handed = this.#world.handed.some((prompt) => prompt.session === session && prompt.turn === idx)
    const kind = failureOf({ failure })
    const ran = (ended_at ?? 0) - submitted_at
    if (status === "timed_out" && ran < shortestTimeoutMillis) fail("a turn has its time", `turn ${idx}: ${ran} ms`)
    if (status === "completed" && !handed) fail("a completed turn was with an agent", `turn ${idx} was not`)
    if (status === "completed" && !this.#world.ended.has(`${session} ${idx}`)) {
      fail("a completed turn was ended by its agent", `turn ${idx} was not`)
    }
    if (failure?.includes("constraint failed")) fail("no turn fails of what Troupe itself has left", failure)
    if ((kind === "not_delivered" || kind === "pool_full") && handed) {
      fail("a turn that was not delivered reached no agent", `turn ${idx} did`)
    }
  }

  #acceptedIsStored({ sessions, turns }: Stored): void {
    const there = new Set(sessions.map(({ id }) => id))
    const known = new Set(turns.map(({ idx, session }) => `${session} ${idx}`))
    for (const { session, turn } of this.#clients.accepted) {
      if (there.has(session) && !known.has(`${session} ${turn}`)) {
        fail("an accepted turn is stored", `turn ${turn} of ${this.#world.name(session)} is not`)
      }
    }
  }

  /** A turn that never got a slot is none: nothing of it began, and its key is free again. */
  #keysHaveOneTurn({ turns }: Stored): void {
    const turnOf = new Map<string, number>()
    for (const { key, session, turn } of this.#clients.keyed) {
      const row = turns.find(({ idx, session: of }) => of === session && idx === turn)
      if (row === undefined || failureOf(row) === "pool_full") continue
      const name = `${session} ${key}`
      const other = turnOf.get(name)
      if (other !== undefined && other !== turn) {
        fail("a key has one turn", `${key} of ${this.#world.name(session)} has turns ${other} and ${turn}`)
      }
      turnOf.set(name, turn)
    }
  }

  #resultsAreStored({ turns }: Stored): void {
    for (const { result, session, turn: index } of this.#clients.results) {
      const turn = turns.find((row) => row.session === session && row.idx === index)
      if (turn !== undefined && turn.stop_reason !== result.turn.stopReason) {
        const detail = `turn ${index}: ${result.turn.stopReason}, stored ${turn.stop_reason}`
        fail("what an app was answered is what is stored", detail)
      }
    }
  }

  #stepsAreAChain({ sessions, steps }: Stored): void {
    const last = new Map<SessionId, { readonly seq: number; readonly to: string }>()
    for (const { from_state: from, seq, session, to_state: to } of steps) {
      const before = last.get(session)
      if (seq !== (before?.seq ?? 0) + 1) fail("steps have no gap", `step ${seq} follows ${before?.seq ?? 0}`)
      if (before !== undefined && before.to !== from) fail("each step begins where the last ended", `step ${seq}`)
      last.set(session, { seq, to })
    }
    for (const { id, substate } of sessions) {
      const to = last.get(id)?.to ?? substate
      if (to !== substate) fail("a session is where its last step led", `${substate}, and its last step led to ${to}`)
    }
  }

  #eventsAreGapless({ events }: Stored): void {
    for (const { count, last, session } of events) {
      if (count !== last) fail("events have no gap", `${this.#world.name(session)} has ${count}, the last is ${last}`)
      for (const reader of this.#clients.readers) {
        if (reader.session === session && reader.last > last) {
          fail("a reader gets only what is stored", `it got ${reader.last}, and ${last} is the last`)
        }
      }
    }
  }

  #turnsHaveTheirEvents({ unbound: [lost] }: Stored): void {
    if (lost !== undefined) fail("a turn's bounds have all of its events", `event ${lost.seq} is none of ${lost.turn}`)
  }

  #processesAreLeased({ leases }: Stored): void {
    const leased = new Set(leases.map(({ id }) => id))
    const leaders = new Map<SessionId, number>()
    for (const { isDetached, lease, pid, session } of this.#world.alive()) {
      if (!leased.has(lease))
        fail("every process has a lease", `process ${pid} of ${this.#world.name(session)} has none`)
      if (isDetached || session === nobody) continue
      if (leaders.has(session)) fail("a session has one agent at most", this.#world.name(session))
      leaders.set(session, pid)
    }
  }

  #runningIsStored({ sessions, timers }: Stored, { actorsMayRest, armed, node, slots, spares, views }: Running): void {
    if (slots.held.length > slots.size) fail("slots are never more than the pool", `${slots.held.length}`)
    if (slots.held.length + slots.spares > slots.size + slots.unsettled) {
      fail("a spare has no session's place", `${slots.held.length} sessions and ${slots.spares} spares`)
    }
    if (slots.spares > spares) fail("a place is a spare's that is there", `${slots.spares} places of ${spares} spares`)
    if (actorsMayRest) return
    const rows = new Map(sessions.map((row) => [row.id, row]))
    // It does not know yet that another node has taken over: its next commit tells.
    if (views.some(({ id }) => (rows.get(id)?.owner ?? node) !== node)) return
    for (const { id, snapshot, substate } of views) {
      const row = rows.get(id)
      if (row === undefined) continue
      if (row.substate !== substate || row.snapshot !== JSON.stringify(snapshot)) {
        fail("what is in memory is what is stored", `${this.#world.name(id)}: ${substate}, stored ${row.substate}`)
      }
    }
    const loaded = new Set(views.map(({ id }) => id))
    // One that is due was delivered, and its row is there until its session has taken a step for it.
    const due = timers.filter(({ due_at, session }) => loaded.has(session) && due_at > this.#world.now).length
    // A watchdog and the grace after an abort marker are in memory only.
    if (armed < due || armed > due + 2 * views.length) {
      fail("armed timers are the stored ones", `${armed} are armed, ${due} are stored for ${views.length} sessions`)
    }
    for (const session of slots.held) {
      if (loaded.has(session) || slots.letGo.includes(session)) continue
      fail("a slot belongs to a session at work", this.#world.name(session))
    }
  }

  /** All faults have stopped, and time enough has passed. */
  checkRest(stored: Stored): void {
    for (const turn of stored.turns) {
      if (!isOver(turn))
        fail("every accepted turn ends", `turn ${turn.idx} of ${this.#world.name(turn.session)} has not`)
    }
    const [unanswered] = this.#clients.pending.keys()
    if (unanswered !== undefined) fail("every request is answered", unanswered)
    for (const { session, status } of stored.approvals) {
      if (status === "pending") fail("every approval is settled", `one of ${this.#world.name(session)} is not`)
    }
  }

  /** And every session was closed. */
  checkClosed(stored: Stored, running: ReadonlyArray<Running>): void {
    const open = stored.sessions.find(({ substate }) => substate !== "closed")
    if (open !== undefined) fail("every session closes", `${this.#world.name(open.id)} is ${open.substate}`)
    const left = this.#world.alive()
    if (left.length > 0) fail("no process is left", left.map(({ pid }) => pid).join(", "))
    if (stored.leases.length > 0) fail("no lease is left", `${stored.leases.length} are`)
    if (stored.owed.length > 0) fail("no command is left", stored.owed.map(({ type }) => type).join(", "))
    if (stored.timers.length > 0) fail("no timer is left", stored.timers.map(({ timer }) => timer).join(", "))
    for (const { armed, slots, views } of running) {
      if (slots.held.length + slots.waiting.length > 0) fail("no slot is held", String(slots.held.length))
      if (slots.spares > 0) fail("no spare is left", String(slots.spares))
      if (views.length > 0) fail("no session is loaded", views.map(({ substate }) => substate).join(", "))
      if (armed > 0) fail("no timer is armed", String(armed))
    }
    for (const reader of this.#clients.readers) {
      const last = stored.events.find(({ session }) => session === reader.session)?.last ?? reader.last
      if (reader.last !== last || !reader.isDone) {
        fail("a reader gets every event", `${this.#world.name(reader.session)}: it got ${reader.last} of ${last}`)
      }
    }
  }
}

const fail = (invariant: string, detail: string): never => {
  throw new Violation(invariant, detail)
}
