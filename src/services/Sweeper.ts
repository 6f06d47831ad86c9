/**
 * Closes sessions past their TTL, and deletes closed ones, uploaded files, receipts and audit rows after their retention.
 *
 * A running turn may finish: its session closes after it. Audit rows are kept a quarter of a year longer than the session
 * they describe.
 *
 * Of several nodes the oldest that lives does this for all of them. Each removes from its own disk what is on it.
 */
import { Clock, Context, Effect, FileSystem, Layer, Semaphore } from "effect"
import type { Unavailable } from "../domain/Refusal.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import { retentionMillis } from "./Idempotency.ts"
import { News } from "../runtime/News.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import { Files } from "./Files.ts"
import * as CloseSession from "./closeSession.ts"
import * as OldestNode from "./oldestNode.ts"
import * as WorkDirectories from "./workDirectories.ts"

export interface Swept {
  /** Sessions that were closed, or will close after the turn that they run. */
  readonly softClosed: number
  readonly hardDeleted: number
}

/** Of each kind at a time. A sweep goes on while there are more, and some of them could be closed or deleted. */
const batch = 200
/** The rest waits for the next sweep. */
const mostBatches = 100
/** A retirement, all of its deadlines included, takes no longer. */
const closeWithin = "40 seconds"
/** Audit rows are kept this long after their session was deleted. */
const auditRetentionMillis = 90 * 24 * 3_600_000
/** How often expired audit rows are looked for: often enough for rows that are kept that long. */
const auditEveryMillis = 3_600_000
/** How often a node looks through its own disk for what others have deleted. */
const diskEveryMillis = 3_600_000
/** The records of files whose node has not removed them for so long: it is gone. */
const goneAfterMillis = 86_400_000
/** Sessions whose audit rows are deleted in one transaction: one session may have thousands. */
const auditSessionsAtOnce = 50

export class Sweeper extends Context.Service<
  Sweeper,
  { readonly sweep: Effect.Effect<Swept, LedgerError | Unavailable> }
>()("troupe/services/Sweeper") {
  static readonly layer = Layer.effect(
    Sweeper,
    Effect.gen(function* () {
      const { limits } = yield* RuntimeSettings
      const closeSession = yield* CloseSession.make
      const ledger = yield* Ledger
      const news = yield* News
      const files = yield* FileSystem.FileSystem
      const uploads = yield* Files
      const oneSweep = yield* Semaphore.make(1)
      const thisNode = yield* ThisNode
      const workDirectories = yield* WorkDirectories.make
      let auditSweptAt = 0
      let diskSweptAt = 0

      const close = Effect.fnUntraced(
        function* ({ createdAt, id }: SessionRecord, now: number) {
          const isOld = limits.sessionTtlMillis !== null && now - createdAt > limits.sessionTtlMillis
          const reason = isOld ? "older than TROUPE_SESSION_TTL" : "idle for longer than TROUPE_SESSION_IDLE_TTL"
          const { closed, isTaken } = yield* closeSession({ session: id, by: "troupe", reason, afterTurn: true })
          // It closes already.
          if (!isTaken) return 0
          yield* Effect.timeoutOption(closed, closeWithin)
          return 1
        },
        // Its actor keeps failing: the next sweep tries again.
        Effect.catchTag("SessionFailed", () => Effect.succeed(0))
      )

      const deleteSessions = Effect.fnUntraced(function* (records: ReadonlyArray<SessionRecord>, at: number) {
        for (const { cwd, ownsCwd } of records) {
          if (ownsCwd) yield* Effect.ignore(files.remove(cwd, { recursive: true, force: true }))
        }
        // In one commit: a session whose line is stored without its end would get a second one.
        const isRemoved = yield* ledger
          .remove(
            records.map(({ id }) => id),
            records.map(({ app, closedAt, id: session }) => ({
              at,
              session,
              app,
              action: "sweep_delete",
              actor: "troupe",
              detail: { closed_at: closedAt }
            }))
          )
          .pipe(
            Effect.as(true),
            Effect.catchIf(
              ({ kind }) => kind === "unmet",
              () => Effect.succeed(false)
            )
          )
        if (!isRemoved) return 0
        for (const record of records) news.tellLifecycle({ what: "removed", record })
        return records.length
      })

      const sweepBatch = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const before = (millis: number | null) => (millis === null ? null : now - millis)
        const due = yield* ledger.dueForSweep({
          createdBefore: before(limits.sessionTtlMillis),
          activeBefore: before(limits.sessionIdleTtlMillis),
          closedBefore: now - limits.sessionHardTtlMillis,
          limit: batch
        })
        const closed = yield* Effect.forEach(due.close, (record) => close(record, now), { concurrency: 8 })
        const softClosed = closed.reduce<number>((sum, count) => sum + count, 0)
        const hardDeleted = due.remove.length === 0 ? 0 : yield* deleteSessions(due.remove, now)
        const isMore =
          (due.close.length === batch && softClosed > 0) || (due.remove.length === batch && hardDeleted > 0)
        return { softClosed, hardDeleted, isMore }
      })

      const sweepSessions = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        let swept = yield* sweepBatch
        for (let nth = 1; swept.isMore && nth < mostBatches; nth++) {
          const { hardDeleted, isMore, softClosed } = yield* sweepBatch
          swept = { softClosed: swept.softClosed + softClosed, hardDeleted: swept.hardDeleted + hardDeleted, isMore }
        }
        yield* ledger.removeReceipts(now - retentionMillis)
        if (now - auditSweptAt >= auditEveryMillis) {
          auditSweptAt = now
          const removed = ledger.removeAudit(now - auditRetentionMillis, auditSessionsAtOnce)
          yield* Effect.repeat(removed, { until: (lines) => lines === 0 })
        }
        if (!thisNode.isAlone) yield* uploads.forgetBefore(now - limits.sessionHardTtlMillis - goneAfterMillis, batch)
        return swept
      })

      const sweepDisk = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const removed = yield* uploads.removeBefore(now - limits.sessionHardTtlMillis, batch)
        if (thisNode.isAlone || now - diskSweptAt < diskEveryMillis) return removed
        diskSweptAt = now
        const unknown = yield* uploads.removeUnknownBefore(now - limits.sessionHardTtlMillis)
        const directories = yield* workDirectories.removeDeleted
        if (unknown + directories > 0) {
          yield* Effect.logInfo(`sweep: ${directories} directories, ${unknown} files removed that others had deleted`)
        }
        return removed
      })

      const isSweeper = yield* OldestNode.make

      const sweepIf = Effect.fnUntraced(function* (ofAll: boolean) {
        const { hardDeleted, softClosed } = ofAll ? yield* sweepSessions : { softClosed: 0, hardDeleted: 0 }
        const removedFiles = yield* sweepDisk
        yield* ledger.giveBackSpace
        if (softClosed + hardDeleted + removedFiles > 0) {
          yield* Effect.logInfo(`sweep: ${softClosed} closed, ${hardDeleted} deleted, ${removedFiles} files removed`)
        }
        return { softClosed, hardDeleted }
      }, oneSweep.withPermit)

      // Whoever asks for one gets one, whichever node was asked.
      const sweep = sweepIf(true)

      if (!thisNode.isAlone) yield* workDirectories.follow
      yield* isSweeper.pipe(
        Effect.flatMap(sweepIf),
        Effect.catchCause((cause) => Effect.logError("the sweep failed; the next one tries again", cause)),
        Effect.delay(limits.sweepIntervalMillis),
        Effect.forever,
        Effect.forkScoped
      )
      return Sweeper.of({ sweep })
    })
  )
}
