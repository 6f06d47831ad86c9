/**
 * Group commit: one fiber takes all writes that are queued and commits them in one transaction.
 *
 * No write waits for others to join it: a lone write is committed at once, and the writes that arrive meanwhile share
 * the next transaction. Where a shared transaction fails, each caller's entries get a transaction of their own, so that
 * every caller learns of its own failure only. Deferred entries wait in their place in the queue until the next write,
 * or until their time is up.
 */
import { Deferred, Effect, Exit, Fiber, Queue } from "effect"
import type { Cause, Scope } from "effect"
import type { Database } from "./Database.ts"
import type { LedgerWrite } from "../LedgerWrite.ts"
import { LedgerError } from "../LedgerError.ts"
import { apply } from "./apply.ts"

/** Callers that may be queued; further ones wait until there is room. */
const queueCapacity = 1_024
/** Callers that share a transaction, so that it never blocks the process for long. */
const batchCallers = 64
/** Deferred entries that are held back at most; with more they are written at once. */
const mostDeferredEntries = 512
const deferredMillis = 50

export interface Writer {
  readonly write: (entries: ReadonlyArray<LedgerWrite>) => Effect.Effect<void, LedgerError>
  readonly writeLater: (entries: ReadonlyArray<LedgerWrite>) => Effect.Effect<void>
}

interface Job {
  readonly entries: ReadonlyArray<LedgerWrite>
  /** Absent for deferred entries: no caller waits for them. */
  readonly done?: Deferred.Deferred<void, LedgerError>
}

type Jobs = Queue.Queue<Job | typeof deferredAreDue, Cause.Done>

/** Queued behind deferred entries when their time is up. */
const deferredAreDue = Symbol("deferredAreDue")

/** What is queued when the scope closes is still written. */
export const make = Effect.fnUntraced(function* (db: Database): Effect.fn.Return<Writer, never, Scope.Scope> {
  const queue: Jobs = yield* Queue.bounded<Job | typeof deferredAreDue, Cause.Done>(queueCapacity)
  const fiber = yield* Effect.forkScoped(commitQueued(db, queue))
  yield* Effect.addFinalizer(() => Effect.andThen(Queue.end(queue), Fiber.await(fiber)))

  return {
    // Uninterruptible: a caller always learns whether its entries are written. It takes milliseconds.
    write: (entries) =>
      Effect.gen(function* () {
        const done = yield* Deferred.make<void, LedgerError>()
        if (!(yield* Queue.offer(queue, { entries, done }))) {
          return yield* new LedgerError({ operation: "write", cause: "the ledger is closed" })
        }
        yield* Deferred.await(done)
      }).pipe(Effect.uninterruptible),
    writeLater: (entries) => Effect.asVoid(Queue.offer(queue, { entries }))
  }
})

const commitQueued = Effect.fnUntraced(function* (db: Database, queue: Jobs) {
  let pending: Array<Job> = []
  let timerRuns = false
  let open = true
  while (open) {
    const taken = yield* Queue.takeBetween(queue, 1, batchCallers).pipe(Effect.orElseSucceed(() => []))
    open = taken.length > 0
    let commitNow = !open
    for (const job of taken) {
      if (job === deferredAreDue) timerRuns = false
      else pending.push(job)
      commitNow ||= job === deferredAreDue || job.done !== undefined
    }
    if (commitNow || pending.reduce((sum, job) => sum + job.entries.length, 0) >= mostDeferredEntries) {
      yield* commit(db, pending)
      pending = []
    } else if (!timerRuns) {
      timerRuns = true
      yield* Effect.sleep(deferredMillis).pipe(Effect.andThen(Queue.offer(queue, deferredAreDue)), Effect.forkChild)
    }
  }
})

const commit = Effect.fnUntraced(function* (db: Database, jobs: ReadonlyArray<Job>): Effect.fn.Return<void> {
  if (jobs.length === 0) return
  let entryFailed = false
  const shared = yield* db
    .transaction("commit", (run) =>
      Effect.forEach(jobs, ({ entries }) => Effect.forEach(entries, (entry) => apply(run, entry), { discard: true }), {
        discard: true
      }).pipe(
        Effect.onError(() =>
          Effect.sync(() => {
            entryFailed = true
          })
        )
      )
    )
    .pipe(Effect.exit)
  if (jobs.length === 1 || !entryFailed) {
    return yield* Effect.forEach(jobs, (job) => report(job, shared), { discard: true })
  }
  for (const job of jobs) yield* commit(db, [job])
})

/** To the caller, or to the log where no caller waits. */
const report = ({ done, entries }: Job, exit: Exit.Exit<void, LedgerError>) => {
  if (done !== undefined) return Effect.asVoid(Deferred.done(done, exit))
  return Exit.isSuccess(exit)
    ? Effect.void
    : Effect.logWarning(`The ledger could not write ${entries.length} entries that it was to write later`, exit.cause)
}
