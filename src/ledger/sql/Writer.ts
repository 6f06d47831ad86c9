/**
 * Group commit: one fiber takes all writes that are queued and commits them in one transaction.
 *
 * No write waits for others to join it: a lone write is committed at once, and the writes that arrive meanwhile share
 * the next transaction. Where a shared transaction fails, each caller's entries get a transaction of their own, so that
 * every caller learns of its own failure only. Deferred entries wait in their place in the queue until the next write,
 * or until their time is up.
 *
 * While the ledger is away, what is queued waits in its order. When patience is over the callers learn that nothing of
 * theirs is stored; deferred entries stay owed until the ledger is back.
 */
import { Clock, Deferred, Effect, Exit, Fiber, Latch, Option, Queue } from "effect"
import type { Cause, Scope } from "effect"
import type { Database, Write } from "./Database.ts"
import type { Dialect } from "./Dialect.ts"
import * as Availability from "../Availability.ts"
import type { LedgerWrite } from "../LedgerWrite.ts"
import { LedgerError } from "../LedgerError.ts"
import { statementsOf } from "./statements.ts"
import { commitMeter } from "./commitMetrics.ts"
import * as Commits from "./commits.ts"

/** Callers that may be queued; further ones wait until there is room. */
const queueCapacity = 1_024
/** Callers that share a transaction, so that it never blocks the process for long. */
const batchCallers = 64
/** Deferred entries that are held back at most; with more they are written at once. */
const mostDeferredEntries = 512
const deferredMillis = 50
/** Between two attempts while the ledger is away: at first, and at most. */
const retryMillis = { least: 50, most: 1_000 }

export interface Writer extends Pick<Availability.Availability, "away" | "available"> {
  readonly write: (entries: ReadonlyArray<LedgerWrite>) => Effect.Effect<void, LedgerError>
  readonly writeLater: (entries: ReadonlyArray<LedgerWrite>) => Effect.Effect<void>
}

interface Job {
  readonly statements: ReadonlyArray<Write>
  /** How many entries the statements are of. */
  readonly entries: number
  /** Absent for deferred entries: no caller waits for them. */
  readonly done?: Deferred.Deferred<void, LedgerError>
}

/** Queued behind deferred entries when their time is up. */
const deferredAreDue = Symbol("deferredAreDue")

type Jobs = Queue.Queue<Job | typeof deferredAreDue, Cause.Done>

/** `patienceMillis`: how long commits are held while the ledger is away. What is queued at the end is still written. */
export const make = Effect.fnUntraced(function* (
  db: Database,
  patienceMillis: number
): Effect.fn.Return<Writer, never, Scope.Scope> {
  const queue: Jobs = yield* Queue.bounded<Job | typeof deferredAreDue, Cause.Done>(queueCapacity)
  const availability = Availability.make(patienceMillis)
  const closing = yield* Latch.make()
  const commit = committer(db, availability, closing, yield* Clock.Clock, yield* commitMeter)
  const fiber = yield* Effect.forkScoped(commitQueued(queue, commit, availability))
  yield* Effect.addFinalizer(() =>
    Effect.all([availability.close, closing.open, Queue.end(queue), Fiber.await(fiber)], { discard: true })
  )

  return {
    away: availability.away,
    available: availability.available,
    // Uninterruptible: a caller always learns whether its entries are written. It takes milliseconds.
    write: (entries) =>
      Effect.suspend(() => {
        const done = Deferred.makeUnsafe<void, LedgerError>()
        const job = { ...jobOf(db.dialect, entries), done }
        if (Queue.offerUnsafe(queue, job)) return Deferred.await(done)
        // It is full, or closed.
        return Effect.flatMap(Queue.offer(queue, job), (isTaken) =>
          isTaken ? Deferred.await(done) : Effect.fail(closed)
        )
      }).pipe(Effect.uninterruptible),
    writeLater: (entries) => Effect.suspend(() => Effect.asVoid(Queue.offer(queue, jobOf(db.dialect, entries))))
  }
})

const closed = new LedgerError({ operation: "write", cause: "the ledger is closed", kind: "refused" })

const jobOf = (dialect: Dialect, entries: ReadonlyArray<LedgerWrite>): Job => ({
  statements: statementsOf(dialect, entries),
  entries: entries.length
})

/** Commits jobs, and returns those that are still owed: no caller waits for them, and the ledger is away. */
type Commit = (jobs: ReadonlyArray<Job>) => Effect.Effect<ReadonlyArray<Job>>

const commitQueued = Effect.fnUntraced(function* (queue: Jobs, commit: Commit, { away }: Availability.Availability) {
  let pending: ReadonlyArray<Job> = []
  let timerRuns = false
  let open = true
  while (open) {
    const taken = yield* Queue.takeBetween(queue, 1, batchCallers).pipe(Effect.orElseSucceed(() => []))
    open = taken.length > 0
    let commitNow = !open
    const jobs = [...pending]
    for (const job of taken) {
      if (job === deferredAreDue) timerRuns = false
      else jobs.push(job)
      commitNow ||= job === deferredAreDue || job.done !== undefined
    }
    commitNow ||= entriesIn(jobs) >= mostDeferredEntries
    pending = commitNow ? yield* commit(jobs) : jobs
    // While the ledger is away, attempts go on also where nothing is owed: that is how its return is noticed.
    if (timerRuns || (away() === null && pending.length === 0)) continue
    timerRuns = true
    const delay = away() === null ? deferredMillis : retryMillis.most
    yield* Effect.sleep(delay).pipe(Effect.andThen(Queue.offer(queue, deferredAreDue)), Effect.forkChild)
  }
  const lost = entriesIn(pending)
  if (lost > 0) yield* Effect.logWarning(`The ledger is still away: ${lost} entries that it was to write are lost`)
})

const entriesIn = (jobs: ReadonlyArray<Job>) => jobs.reduce((sum, { entries }) => sum + entries, 0)

/** What a commit as a whole is for. The failure of one of its entries names that entry instead. */
const wholeCommit = "commit"

const committer = (
  db: Database,
  availability: Availability.Availability,
  closing: Latch.Latch,
  clock: Clock.Clock,
  meter: (millis: number) => void
): Commit => {
  const { isStored, numbered, stored } = Commits.forWriter(db)
  let commits = 0

  const transaction = (jobs: ReadonlyArray<Job>, nth: number) =>
    Effect.suspend(() => {
      const statements = jobs.flatMap(({ statements }) => statements)
      const begun = performance.now()
      return Effect.map(
        db.commit(wholeCommit, [...statements, ...numbered(nth, clock.currentTimeMillisUnsafe())]),
        () => meter(performance.now() - begun)
      )
    })

  /** Tries until it is known to be stored, or refused, or patience is over. */
  const held = Effect.fnUntraced(function* (attempt: Effect.Effect<void, LedgerError>, nth: number) {
    // The answer to the attempt before may be what was lost, so what is stored is looked up first.
    const again = db.settled.pipe(
      Effect.andThen(isStored(nth)),
      Effect.flatMap((stored) => (stored ? Effect.void : attempt))
    )
    let delay = retryMillis.least
    let exit = yield* Effect.exit(attempt)
    while (isAway(exit) && (yield* availability.failed(errorOf(exit)))) {
      yield* Effect.raceFirst(Effect.sleep(delay), closing.await)
      delay = Math.min(retryMillis.most, 2 * delay)
      exit = yield* Effect.exit(again)
    }
    if (Exit.isSuccess(exit)) stored()
    if (!isAway(exit) && availability.away() !== null) yield* availability.succeeded
    return exit
  })

  const commit: Commit = Effect.fnUntraced(function* (jobs) {
    if (jobs.length === 0 && availability.away() === null) return []
    const nth = ++commits
    const exit = yield* held(transaction(jobs, nth), nth)
    if (isAway(exit)) {
      answer(jobs, exit)
      return jobs.filter(({ done }) => done === undefined)
    }
    if (Exit.isSuccess(exit) || jobs.length <= 1 || !isOfOneEntry(exit)) {
      answer(jobs, exit)
      if (Exit.isFailure(exit)) yield* warnOf(jobs, exit)
      return []
    }
    return (yield* Effect.forEach(jobs, (job) => commit([job]))).flat()
  })
  return commit
}

const errorOf = (exit: Exit.Failure<void, LedgerError>): LedgerError => Option.getOrThrow(Exit.findErrorOption(exit))

const isAway = (exit: Exit.Exit<void, LedgerError>): exit is Exit.Failure<void, LedgerError> =>
  Option.exists(Exit.findErrorOption(exit), ({ away }) => away)

const isOfOneEntry = (exit: Exit.Exit<void, LedgerError>) =>
  Option.exists(Exit.findErrorOption(exit), ({ operation }) => operation !== wholeCommit)

/** To the callers. */
const answer = (jobs: ReadonlyArray<Job>, exit: Exit.Exit<void, LedgerError>) => {
  for (const { done } of jobs) if (done !== undefined) Deferred.doneUnsafe(done, exit)
}

/** For those for which no caller waits. */
const warnOf = (jobs: ReadonlyArray<Job>, { cause }: Exit.Failure<void, LedgerError>) => {
  const lost = entriesIn(jobs.filter(({ done }) => done === undefined))
  return lost === 0
    ? Effect.void
    : Effect.logWarning(`The ledger could not write ${lost} entries that it was to write later`, cause)
}
