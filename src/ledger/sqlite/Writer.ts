/**
 * Group commit: one fiber takes whatever waits and writes it in one transaction.
 *
 * Nobody waits for company: a lone writer's entries are committed at once, those that came in the meantime go together
 * next. Where a shared transaction fails, each caller's entries get one of their own, so that everybody learns of their
 * own failure only. What is written for later waits, in its place in the line, for the next write or its time.
 */
import { Deferred, Effect, Exit, Fiber, Queue } from "effect"
import type { Cause, Scope } from "effect"
import type { Database } from "./Database.ts"
import type { LedgerWrite } from "../LedgerWrite.ts"
import { LedgerError } from "../LedgerError.ts"
import { apply } from "./apply.ts"

/** Callers that may wait in line; the next ones wait to get in. */
const lineCapacity = 1_024
/** Callers that share a transaction, so that it never holds the process for long. */
const batchCallers = 64
/** Entries written for later that are held back; with more it is time. */
const laterEntries = 512
const laterMillis = 50

export interface Writer {
  readonly write: (entries: ReadonlyArray<LedgerWrite>) => Effect.Effect<void, LedgerError>
  readonly writeLater: (entries: ReadonlyArray<LedgerWrite>) => Effect.Effect<void>
}

interface Job {
  readonly entries: ReadonlyArray<LedgerWrite>
  /** Absent: written for later, and nobody waits. */
  readonly done?: Deferred.Deferred<void, LedgerError>
}

type Line = Queue.Queue<Job | typeof itIsTime, Cause.Done>

/** In line behind what was held back, it says that this has waited long enough. */
const itIsTime = Symbol("itIsTime")

/** What is in line when the scope closes is still written. */
export const make = Effect.fnUntraced(function* (db: Database): Effect.fn.Return<Writer, never, Scope.Scope> {
  const line: Line = yield* Queue.bounded<Job | typeof itIsTime, Cause.Done>(lineCapacity)
  const fiber = yield* Effect.forkScoped(serve(db, line))
  yield* Effect.addFinalizer(() => Effect.andThen(Queue.end(line), Fiber.await(fiber)))

  return {
    // Uninterruptible: a caller that asked knows afterwards whether it is written. It takes milliseconds.
    write: (entries) =>
      Effect.gen(function* () {
        const done = yield* Deferred.make<void, LedgerError>()
        if (!(yield* Queue.offer(line, { entries, done }))) {
          return yield* new LedgerError({ operation: "write", cause: "the ledger is closed" })
        }
        yield* Deferred.await(done)
      }).pipe(Effect.uninterruptible),
    writeLater: (entries) => Effect.asVoid(Queue.offer(line, { entries }))
  }
})

const serve = Effect.fnUntraced(function* (db: Database, line: Line) {
  let held: Array<Job> = []
  let ticking = false
  let open = true
  while (open) {
    const taken = yield* Queue.takeBetween(line, 1, batchCallers).pipe(Effect.orElseSucceed(() => []))
    open = taken.length > 0
    let now = !open
    for (const job of taken) {
      if (job === itIsTime) ticking = false
      else held.push(job)
      now ||= job === itIsTime || job.done !== undefined
    }
    if (now || held.reduce((sum, job) => sum + job.entries.length, 0) >= laterEntries) {
      yield* commit(db, held)
      held = []
    } else if (!ticking) {
      ticking = true
      yield* Effect.sleep(laterMillis).pipe(Effect.andThen(Queue.offer(line, itIsTime)), Effect.forkChild)
    }
  }
})

const commit = Effect.fnUntraced(function* (db: Database, jobs: ReadonlyArray<Job>): Effect.fn.Return<void> {
  if (jobs.length === 0) return
  let refused = false
  const shared = yield* db
    .transaction("commit", (run) =>
      Effect.forEach(jobs, ({ entries }) => Effect.forEach(entries, (entry) => apply(run, entry), { discard: true }), {
        discard: true
      }).pipe(
        Effect.onError(() =>
          Effect.sync(() => {
            refused = true
          })
        )
      )
    )
    .pipe(Effect.exit)
  if (jobs.length === 1 || !refused) return yield* Effect.forEach(jobs, (job) => tell(job, shared), { discard: true })
  for (const job of jobs) yield* commit(db, [job])
})

const tell = ({ done, entries }: Job, exit: Exit.Exit<void, LedgerError>) => {
  if (done !== undefined) return Effect.asVoid(Deferred.done(done, exit))
  return Exit.isSuccess(exit)
    ? Effect.void
    : Effect.logWarning(`The ledger could not write ${entries.length} entries that it was to write later`, exit.cause)
}
