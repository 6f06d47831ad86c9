/**
 * Spares: agents' processes that are up and have no session yet, so that the next session need not wait for a start.
 *
 * One waits for each way in which an agent was started within the last minutes (`SpareSpec.key`). A spare is in a place of
 * the pool that no session has, and gives it up at once. It has a lease of its own, by which it is found and ended as any
 * agent is; who takes it over gets it with its lease, and nobody else can (decision 0037).
 */
import { Cause, Clock, Context, Effect, Exit, Fiber, FiberSet, Layer, Schedule, Scope } from "effect"
import { AgentFailed } from "../agent/Agent.ts"
import type { Spare, SpareSpec, SpareWish } from "../agent/Agent.ts"
import { Processes } from "../agent/Processes.ts"
import * as SpareKey from "../agent/spareKey.ts"
import { newLeaseId } from "../domain/Ids.ts"
import type { LeaseId } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { DrainState } from "../runtime/DrainState.ts"
import * as Metrics from "../runtime/Metrics.ts"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { CircuitBreaker } from "./CircuitBreaker.ts"
import { excessOf } from "./SessionLimits.ts"
import * as SpareWants from "./spareWants.ts"

/** A session's first turn is not slowed by the start of the next one's spare. */
const startAfter = "1 second"
const lookEvery = "5 seconds"
/** A process of this age has read settings that may have changed where nobody looks. */
const oldestMillis = 30 * 60_000
const releaseWithin = "10 seconds"
const closeLeaseAgainAfter = "1 second"

export interface SpareView {
  readonly agent: string
  readonly lease: LeaseId
  /** `null`: it is being started. */
  readonly pid: number | null
  readonly since: number
}

interface Entry {
  readonly agent: string
  readonly spec: SpareSpec
  readonly lease: LeaseId
  readonly scope: Scope.Closeable
  /** `SpareKey.stateOf` its files, from before it was started. */
  readonly files: string
  readonly giveUp: () => void
  state: "starting" | "waiting" | "reserved" | "ending"
  since: number
  spare: Spare | null
  /** Starts it, and then looks for its end. */
  fiber: Fiber.Fiber<void> | null
}

export class Spares extends Context.Service<
  Spares,
  {
    /**
     * A spare that can serve a session, for this one alone; `null`: there is none. `taken` is called at once with its being
     * taken: from then on the caller ends it. `spec` is `null` where the session must have a process of its own.
     */
    readonly take: (
      agent: string,
      spec: SpareSpec | null,
      session: Pick<SpareWish, "cwd" | "permissions">,
      taken: (spare: Spare) => void
    ) => Effect.Effect<void>
    /** An agent was started for a session: the next one finds a spare. */
    readonly used: (agent: string, spec: SpareSpec) => Effect.Effect<void>
    readonly views: () => ReadonlyArray<SpareView>
  }
>()("troupe/supervision/Spares") {
  static readonly layer = Layer.effect(
    Spares,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const breaker = yield* CircuitBreaker
  const drainState = yield* DrainState
  const ledger = yield* Ledger
  const processes = yield* Processes
  const slots = yield* ProcessSlots
  const { limits } = yield* RuntimeSettings
  const { name: node } = yield* ThisNode
  const entries = new Set<Entry>()
  const wants = SpareWants.make(limits.warmSpares)
  const fork = yield* FiberSet.makeRuntime()
  let isClosing = false

  const mayStart = (agent: string, now: number) =>
    !isClosing &&
    !drainState.draining() &&
    ledger.away() === null &&
    breaker.open(now).every((circuit) => circuit.agent !== agent)

  const countOf = ({ key }: SpareSpec) =>
    [...entries].filter(({ spec, state }) => spec.key === key && state !== "ending").length

  const fill = Effect.fnUntraced(function* () {
    const now = yield* Clock.currentTimeMillis
    for (const want of wants.due(now)) {
      while (mayStart(want.agent, now) && countOf(want.spec) < limits.warmSpares) {
        const entry = yield* makeEntry(want)
        if (!slots.addSpare(entry)) return
        entries.add(entry)
        entry.fiber = fork(run(entry))
      }
    }
  })

  const makeEntry = Effect.fnUntraced(function* ({ agent, spec }: SpareWants.Want) {
    const entry: Entry = {
      agent,
      spec,
      lease: newLeaseId(),
      scope: yield* Scope.make(),
      files: SpareKey.stateOf(spec.files),
      giveUp: () => void fork(end(entry)),
      state: "starting",
      since: yield* Clock.currentTimeMillis,
      spare: null,
      fiber: null
    }
    return entry
  })

  /** The lease is in the ledger before the process is spawned, as for every process. */
  const run = (entry: Entry) =>
    Effect.gen(function* () {
      const { agent, lease, scope, spec } = entry
      const { bootId, self: supervisor } = processes
      const process = { bootId, supervisor, node, openedAt: entry.since, pid: null, startTime: null }
      yield* ledger.write([{ _tag: "LeaseOpened", lease: { id: lease, session: null, generation: 1, ...process } }])
      const spawned = Effect.fnUntraced(function* (pid: number) {
        const startTime = yield* processes.startTime(pid)
        yield* Effect.orDie(ledger.write([{ _tag: "LeaseSpawned", lease, pid, startTime }]))
      })
      const spare = yield* spec.start({ lease, spawned, scope })
      entry.spare = spare
      entry.since = yield* Clock.currentTimeMillis
      if (entry.state === "starting") entry.state = "waiting"
      yield* spare.ended
      wants.died(spec, (yield* Clock.currentTimeMillis) - entry.since, yield* Clock.currentTimeMillis)
      yield* Effect.logInfo(`A spare of the agent ${JSON.stringify(agent)} has ended while it waited`)
      entry.giveUp()
    }).pipe(Effect.catchCause((cause) => (Cause.hasInterruptsOnly(cause) ? Effect.interrupt : failed(entry, cause))))

  /** Counted against the agent once; then it is tried again after longer and longer pauses. */
  const failed = Effect.fnUntraced(function* (entry: Entry, cause: Cause.Cause<unknown>) {
    const now = yield* Clock.currentTimeMillis
    const error = Cause.squash(cause)
    if (wants.failed(entry.spec, now) === 1) {
      const why = error instanceof Error ? error.message : String(error)
      yield* Effect.logWarning(`No spare of the agent ${JSON.stringify(entry.agent)} could be started: ${why}`)
      if (error instanceof AgentFailed) breaker.failed(entry.agent, error, now)
    }
    entry.giveUp()
  })

  const end = (entry: Entry) =>
    Effect.suspend(() => {
      if (!entries.has(entry) || entry.state === "ending") return Effect.void
      entry.state = "ending"
      slots.removeSpare(entry)
      return finish(entry)
    })

  /** What would not die is tried again later. */
  const finish = Effect.fnUntraced(function* (entry: Entry) {
    const { fiber, lease, scope } = entry
    if (fiber !== null) yield* Effect.timeoutOption(Fiber.interrupt(fiber), releaseWithin)
    yield* processes.signal(lease, "SIGKILL")
    yield* Effect.timeoutOption(Scope.close(scope, Exit.void), releaseWithin)
    const left = yield* processes.sweep(lease)
    if (left > 0) return yield* Effect.logError(`${left} processes of a spare would not die`)
    entries.delete(entry)
    const closed = [{ _tag: "LeaseClosed", lease }] as const
    if (isClosing) return yield* ledger.writeLater(closed)
    fork(Effect.retry(ledger.write(closed), Schedule.spaced(closeLeaseAgainAfter)))
  })

  const isFresh = (entry: Entry, now: number) =>
    now - entry.since < oldestMillis && wants.has(entry.spec, now) && SpareKey.stateOf(entry.spec.files) === entry.files

  const take: Spares["Service"]["take"] = Effect.fnUntraced(function* (agent, spec, session, taken) {
    const now = yield* Clock.currentTimeMillis
    if (limits.warmSpares === 0) return
    if (spec === null) return yield* Metrics.spareMissed(agent, "own")
    const entry = [...entries].find(({ spec: { key }, state }) => state === "waiting" && key === spec.key)
    if (entry?.spare == null) return yield* Metrics.spareMissed(agent, "none")
    const { spare } = entry
    // From here on it is nobody else's.
    entry.state = "reserved"
    const serves = yield* isFresh(entry, now)
      ? entry.spec.serves(spare, session).pipe(
          Effect.scoped,
          Effect.orElseSucceed(() => false),
          Effect.onInterrupt(() => Effect.sync(entry.giveUp))
        )
      : Effect.as(Effect.sync(entry.giveUp), false)
    // It may have been given up meanwhile, or have ended.
    if (!entries.has(entry) || entry.state !== "reserved") return yield* Metrics.spareMissed(agent, "none")
    if (!serves) {
      entry.state = "waiting"
      return yield* Metrics.spareMissed(agent, "repository")
    }
    entries.delete(entry)
    slots.removeSpare(entry)
    taken(spare)
    wants.taken(spec)
    if (entry.fiber !== null) fork(Fiber.interrupt(entry.fiber))
    yield* Metrics.spareTaken(agent, now - entry.since)
  })

  const overLimit = Effect.gen(function* () {
    if (entries.size === 0 || (limits.maxSessionDescendants === null && limits.maxSessionRssBytes === null)) return []
    const uses = yield* processes.use([...entries].map(({ lease }) => lease))
    return [...entries].filter(({ lease }) => {
      const use = uses.get(lease)
      return use !== undefined && excessOf(limits, use) !== null
    })
  })

  const look = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    for (const entry of entries) {
      if (entry.state === "waiting" && !isFresh(entry, now)) yield* end(entry)
      // It would not die.
      else if (entry.state === "ending") yield* finish(entry)
    }
    for (const entry of yield* overLimit) {
      if (entry.state !== "waiting") continue
      wants.failed(entry.spec, now)
      yield* end(entry)
    }
    yield* fill()
  })

  let isLooking = false
  /** Until nothing is there and nothing is wanted. */
  const keepLooking = look.pipe(
    Effect.catchCause((cause) => Effect.logWarning("The spares could not be looked at", cause)),
    Effect.delay(lookEvery),
    Effect.repeat({
      until: () => {
        isLooking = entries.size > 0 || wants.isAny()
        return !isLooking
      }
    })
  )

  const used: Spares["Service"]["used"] = Effect.fnUntraced(function* (agent, spec) {
    if (limits.warmSpares === 0) return
    wants.used(agent, spec, yield* Clock.currentTimeMillis)
    fork(Effect.delay(fill(), startAfter))
    if (!isLooking) fork(keepLooking)
    isLooking = true
  })

  drainState.watch(() => {
    if (drainState.draining()) for (const { giveUp } of entries) giveUp()
  })

  yield* Effect.addFinalizer(() => {
    isClosing = true
    return Effect.forEach([...entries], finish, { concurrency: "unbounded", discard: true })
  })

  return Spares.of({
    take,
    used,
    views: () =>
      [...entries].map(({ agent, lease, since, spare }) => ({ agent, lease, pid: spare?.pid ?? null, since }))
  })
})
