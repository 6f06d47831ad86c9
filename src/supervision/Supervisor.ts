/**
 * Keeps one actor for each session that has something to do: starts it on its first envelope, restarts it from the
 * ledger when it dies, and unloads it when the session sleeps.
 *
 * One session's defect never reaches another. An actor that keeps dying is given up for now: all who wait for it are
 * answered with `ActorFailed`, its process is ended, its rows stay as they are, and the next envelope, or some time, tries
 * again. A ledger that is away is no defect: where patience is over, the actor rests until it is back. Nor is a session that
 * another node has claimed: its actor ends, and its process with it.
 */
import { Cause, Clock, Context, Deferred, Effect, FiberMap, Layer, Metric, Option, Queue } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import { Draining, isDamaged } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import type { Reviews } from "../review/Reviews.ts"
import { isFenced, isNewer, isLedgerAway, ledgerAway } from "../runtime/errors.ts"
import { EventFeed } from "../runtime/EventFeed.ts"
import { actorsGivenUpTotal } from "../runtime/Metrics.ts"
import { DrainState } from "../runtime/DrainState.ts"
import { News } from "../runtime/News.ts"
import type { ProcessSlots } from "../runtime/ProcessSlots.ts"
import type { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import { SessionStops } from "../runtime/SessionStops.ts"
import { SessionShared } from "../runtime/SessionShared.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { Timers } from "../runtime/Timers.ts"
import { CommandHandler } from "../session/CommandHandler.ts"
import { ActorFailed, OwnedElsewhere } from "../session/Envelope.ts"
import type { Envelope, EventRefused, Reply, ReplyTo } from "../session/Envelope.ts"
import type { SessionState } from "../session/Session.ts"
import * as SessionActor from "../session/SessionActor.ts"
import { makeHandle } from "../session/SessionHandle.ts"
import type { HandleTimers, HandleWatch, SessionHandle } from "../session/SessionHandle.ts"

const mailboxCapacity = 256
/** Deaths of an actor, which are defects of ours, within a minute. */
const intensity = 3
const periodMillis = 60_000
/** After an actor was given up it is started again by itself: at first, and at most, after so long. */
const retryMillis = { least: 5_000, most: 5 * 60_000 }

export class Supervisor extends Context.Service<
  Supervisor,
  {
    /** Loads the session where it is not loaded, and succeeds when the event's step is stored. */
    readonly send: (
      id: SessionId,
      message: Pick<Envelope, "event" | "by" | "resolution">
    ) => Effect.Effect<Reply, EventRefused | ActorFailed>
    /** Loads a session and waits until it has settled what was left to settle. */
    readonly wake: (id: SessionId) => Effect.Effect<void, ActorFailed>
    /**
     * Stops a session's actor where it stands, and ends its process, as a death of Troupe does: whoever is next goes on from
     * its rows. That is any node at once, where there are several; those who wait for an outcome go on waiting for it. Else it
     * is the next start, and all who wait are answered with `ActorFailed`, whose cause is `Draining`. Where a process would not
     * end, the session stays this node's; so it does where the ledger is away, and is taken up again when that is back.
     */
    readonly letGo: (id: SessionId) => Effect.Effect<void, LedgerError>
    /** What is stored of a loaded session; `null` where it is not loaded: the ledger has it. */
    readonly view: (id: SessionId) => SessionState | null
    /** The timers of a loaded session, of which the ledger does not have all; `null` where it is not loaded. */
    readonly timers: (id: SessionId) => HandleTimers | null
    /** What its actor sees of the running turn; `null` where it is not loaded. */
    readonly watch: (id: SessionId) => HandleWatch | null
    /** Something was sent to the session, and is still to be taken. */
    readonly hasMail: (id: SessionId) => boolean
    /** Of every loaded session. */
    readonly views: () => ReadonlyArray<SessionState>
  }
>()("troupe/supervision/Supervisor") {
  static readonly layerNoDeps = Layer.effect(
    Supervisor,
    Effect.gen(function* () {
      const commandHandler = yield* CommandHandler
      const drainState = yield* DrainState
      const stops = yield* SessionStops
      const ledger = yield* Ledger
      const { isAlone, token, whenClaimed } = yield* ThisNode
      const fibers = yield* FiberMap.make<SessionId, void, never>()
      const fork = yield* FiberMap.runtime(fibers)<
        | SessionShared
        | ThisNode
        | DrainState
        | CommandHandler
        | Ledger
        | News
        | ProcessSlots
        | Reviews
        | RuntimeSettings
        | Timers
      >()
      const news = yield* News
      if (!isAlone) whenClaimed((id) => news.moved([id]))
      const handles = new Map<SessionId, SessionHandle>()
      const scope = yield* Effect.scope

      /** Nobody waits for a reply of an actor that does not run. */
      const failSenders = (handle: SessionHandle, cause: unknown) => {
        const failed = Effect.fail(new ActorFailed({ id: handle.id, cause }))
        for (let next = Queue.takeUnsafe(handle.mailbox); next?._tag === "Success";) {
          if (next.value.replyTo !== undefined) Deferred.doneUnsafe(next.value.replyTo, failed)
          next = Queue.takeUnsafe(handle.mailbox)
        }
        Deferred.doneUnsafe(handle.recovered, failed)
      }

      /** Nor for a turn's outcome, nor for the end. */
      const failWaiters = (handle: SessionHandle, cause: unknown) => {
        failSenders(handle, cause)
        stops.tell(handle.id, cause)
      }

      /** What this session's agent was doing is settled from its rows, as after a death of Troupe, when the ledger is back. */
      const rest = Effect.fnUntraced(function* (handle: SessionHandle, cause: Cause.Cause<unknown>) {
        failWaiters(handle, Cause.squash(cause))
        yield* ledger.available
        return reload(handle.id, handle.mailbox)
      })

      /**
       * The other node settles what this one was doing, from the rows, and who waits for that hears of it. The session's
       * process was ended here before.
       */
      const lose = Effect.fnUntraced(function* (handle: SessionHandle) {
        const { id } = handle
        const claim = yield* ledger.claimOf(id).pipe(
          Effect.map(Option.getOrNull),
          Effect.orElseSucceed(() => null)
        )
        handles.delete(id)
        failSenders(handle, new OwnedElsewhere({ id, owner: claim?.owner ?? null }))
      })

      const giveUp = Effect.fnUntraced(function* (handle: SessionHandle, cause: Cause.Cause<unknown>, delay: number) {
        const { id } = handle
        handles.delete(id)
        failWaiters(handle, Cause.squash(cause))
        yield* Metric.update(actorsGivenUpTotal, 1)
        const why = isDamaged(Cause.squash(cause))
          ? `session ${id} can't go on: its stored snapshot is damaged; its other rows are intact`
          : `session ${id} was given up after ${intensity + 1} deaths of its actor; what is stored of it is intact`
        yield* Effect.logError(`${why}, and it is tried again in ${delay / 1000} s or on its next request`, cause)
        // The next envelope starts a fiber in place of this one.
        yield* Effect.sleep(delay)
        return reload(id, yield* Queue.bounded<Envelope>(mailboxCapacity))
      })

      const reload = (id: SessionId, mailbox: Queue.Queue<Envelope>) => {
        const handle = makeHandle(id, mailbox)
        handles.set(id, handle)
        return handle
      }

      const supervise = Effect.fnUntraced(function* (first: SessionHandle) {
        const { id } = first
        let handle = first
        let deaths: ReadonlyArray<number> = []
        let retryIn = retryMillis.least
        while (true) {
          const unload = () => void handles.delete(id)
          const exit = yield* Effect.exit(Effect.scoped(SessionActor.run(handle, unload)))
          // Whoever still waits for a reply asked for a session that is not there any more.
          if (exit._tag === "Success") return failSenders(handle, new Error("the session is gone"))
          if (Cause.hasInterruptsOnly(exit.cause)) return yield* Effect.interrupt
          yield* commandHandler.drop(id)
          // Its last commit may be one that it did not live to tell of.
          news.missed(id)
          if (isFenced(exit.cause)) return yield* lose(handle)
          if (isNewer(exit.cause)) {
            unload()
            return failWaiters(handle, Cause.squash(exit.cause))
          }
          if (isLedgerAway(exit.cause)) {
            handle = yield* rest(handle, exit.cause)
            continue
          }
          const now = yield* Clock.currentTimeMillis
          deaths = [...deaths, now].filter((at) => now - at < periodMillis)
          // What can't be read can't be read the next time either.
          if (deaths.length > intensity || isDamaged(Cause.squash(exit.cause))) {
            handle = yield* giveUp(handle, exit.cause, retryIn)
            retryIn = Math.min(retryMillis.most, 2 * retryIn)
            deaths = []
            continue
          }
          yield* Effect.logError(`the actor of session ${id} died; resuming it from the ledger`, exit.cause)
          yield* Effect.sleep(50 * 2 ** deaths.length)
        }
      })

      const deliver = Effect.fnUntraced(function* (id: SessionId, envelope: Envelope) {
        while (true) {
          const fresh = handles.has(id) ? null : yield* Queue.bounded<Envelope>(mailboxCapacity)
          // Synchronous on purpose: the actor must not unload between the lookup and the offer.
          const delivered = yield* Effect.sync(() => {
            const loaded = handles.get(id)
            if (loaded !== undefined) return { handle: loaded, offered: Queue.offerUnsafe(loaded.mailbox, envelope) }
            if (fresh === null) return undefined
            const handle = makeHandle(id, fresh)
            handles.set(id, handle)
            // Offer before forking: the fiber starts immediately and exits if the mailbox is empty.
            const offered = Queue.offerUnsafe(fresh, envelope)
            fork(id, supervise(handle))
            return { handle, offered }
          })
          if (delivered === undefined) continue
          // A full mailbox is being read, so waiting for room ends.
          if (!delivered.offered) yield* Queue.offer(delivered.handle.mailbox, envelope)
          return delivered.handle
        }
      })

      const release = Effect.fnUntraced(function* (id: SessionId) {
        const claim = Option.getOrNull(yield* ledger.claimOf(id))
        if (claim?.owner !== token) return
        yield* ledger.write([{ _tag: "SessionReleased", claim }]).pipe(
          Effect.tap(Effect.sync(() => news.moved([id]))),
          // Another one has it already.
          Effect.catchIf(
            ({ kind }) => kind === "fenced",
            () => Effect.void
          )
        )
      })

      /** It could not be released, so nobody else goes on with it. While this node drains it is let go of again. */
      const takeUpAgain = Effect.fnUntraced(function* (id: SessionId) {
        yield* ledger.available
        if (!drainState.draining()) yield* deliver(id, { event: "wake", by: "troupe" })
      })

      const sessionStates = () => [...handles.values()].flatMap(({ session }) => (session === null ? [] : [session]))

      return Supervisor.of({
        send: Effect.fnUntraced(function* (id, message) {
          const away = ledger.away()
          if (away?.holding === false) return yield* new ActorFailed({ id, cause: ledgerAway(away, "store anything") })
          const replyTo: ReplyTo = Deferred.makeUnsafe()
          yield* deliver(id, { ...message, replyTo })
          return yield* Deferred.await(replyTo)
        }),
        wake: Effect.fnUntraced(function* (id) {
          const handle = yield* deliver(id, { event: "wake", by: "troupe" })
          yield* Deferred.await(handle.recovered)
        }),
        letGo: Effect.fnUntraced(function* (id) {
          const handle = handles.get(id)
          if (handle !== undefined) {
            yield* FiberMap.remove(fibers, id)
            handles.delete(id)
            if (isAlone) failWaiters(handle, new Draining({}))
            else failSenders(handle, new OwnedElsewhere({ id, owner: null }))
          }
          drainState.letGo(id)
          yield* commandHandler.drop(id)
          // An agent must not run on two nodes.
          if (isAlone || commandHandler.sessionsWithProcess().includes(id)) return
          yield* Effect.tapError(release(id), () => Effect.forkIn(takeUpAgain(id), scope))
        }),
        view: (id) => handles.get(id)?.session ?? null,
        timers: (id) => handles.get(id)?.timers ?? null,
        watch: (id) => handles.get(id)?.watch ?? null,
        hasMail: (id) => {
          const handle = handles.get(id)
          return handle !== undefined && Queue.sizeUnsafe(handle.mailbox) > 0
        },
        views: sessionStates
      })
    })
  )

  static readonly layer = this.layerNoDeps.pipe(
    Layer.provideMerge(Layer.mergeAll(SessionShared.layer, EventFeed.layer, SessionStops.layer, Timers.layer)),
    Layer.provideMerge(News.layer)
  )
}
