/**
 * The directories of deleted sessions on this node's own disk. The node that deletes a session removes its own copy of the
 * directory; each other one does so when it hears of it, and looks through its disk now and then, in case it did not hear.
 *
 * A directory goes only where the ledger says that its session was deleted. That it does not know the session is not enough:
 * the data dir may have been used with another ledger.
 */
import { Array as Arr, Effect, FileSystem, Path, Queue } from "effect"
import { SessionId } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { News } from "../runtime/News.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"

/** Looked up in the ledger with one query. */
const idsAtOnce = 500
/** Deletions that are heard of and not done yet; what is heard beyond that is found on the disk later. */
const mostHeard = 10_000

export const make = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const ledger = yield* Ledger
  const news = yield* News
  const path = yield* Path.Path
  const { dataDir } = yield* RuntimeSettings
  const root = path.join(path.resolve(dataDir), "sessions")
  const remove = (session: SessionId) =>
    Effect.ignore(fs.remove(path.join(root, session), { recursive: true, force: true }))

  return {
    /** Removes those that other nodes delete from now on, until the scope closes. */
    follow: Effect.gen(function* () {
      const heard = yield* Queue.dropping<SessionId>(mostHeard)
      yield* Effect.acquireRelease(
        Effect.sync(() =>
          news.watchLifecycleUnsafe((lifecycle) => {
            if (lifecycle.what === "removed") Queue.offerUnsafe(heard, lifecycle.record.id)
          })
        ),
        (stop) => Effect.sync(stop)
      )
      yield* Queue.take(heard).pipe(Effect.flatMap(remove), Effect.forever, Effect.forkScoped)
    }),
    /** Removes all that are there; how many. */
    removeDeleted: Effect.gen(function* () {
      const names = yield* Effect.orElseSucceed(fs.readDirectory(root), (): Array<string> => [])
      let removed = 0
      for (const some of Arr.chunksOf(names, idsAtOnce)) {
        const deleted = yield* ledger.deletedSessions(some.map((name) => SessionId.make(name)))
        yield* Effect.forEach(deleted, remove, { discard: true })
        removed += deleted.length
      }
      return removed
    })
  }
})
