/**
 * Reads of sessions after news that have nothing with them: one at a time, in the order in which the news came, each
 * session once, however much is told of it meanwhile. While the ledger is away they wait.
 */
import { Effect, Latch, Schedule } from "effect"
import type { Cause, Scope } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import { LedgerError } from "../ledger/Ledger.ts"

export interface Rereads {
  /** There may be something to read. Where a read of the session is under way, there is one more. */
  readonly due: (session: SessionId) => void
  /** Newer news came with what was stored: what is being read is too old to be used. */
  readonly drop: (session: SessionId) => void
}

/** `read` gives what to do with what it read; that is called synchronously. Until the scope closes. */
export const make = Effect.fnUntraced(function* <E>(
  read: (session: SessionId) => Effect.Effect<() => void, E>
): Effect.fn.Return<Rereads, never, Scope.Scope> {
  const wanted = new Set<SessionId>()
  const someAreWanted = yield* Latch.make()
  let reading: SessionId | null = null

  const readOne = Effect.fnUntraced(
    function* (session: SessionId) {
      wanted.delete(session)
      reading = session
      const use = yield* Effect.retry(read(session), { while: isAway, schedule: Schedule.spaced("1 second") })
      if (reading === session) use()
    },
    Effect.catchCause((cause: Cause.Cause<unknown>) =>
      Effect.logWarning("A session that changed could not be read", cause)
    )
  )
  const readAll = Effect.gen(function* () {
    for (const session of wanted) yield* readOne(session)
    reading = null
    yield* someAreWanted.close
    if (wanted.size > 0) yield* someAreWanted.open
    yield* someAreWanted.await
  })
  yield* Effect.forkScoped(Effect.forever(readAll))

  return {
    due: (session) => {
      wanted.add(session)
      someAreWanted.openUnsafe()
    },
    drop: (session) => {
      wanted.delete(session)
      if (reading === session) reading = null
    }
  }
})

const isAway = (error: unknown): boolean => error instanceof LedgerError && error.away
