/**
 * Keeps one actor per session that has something to do: starts it on its first letter, restarts it from the ledger
 * when it dies, and lets it go when it sleeps.
 *
 * One session's defect never reaches another. An actor that keeps dying is given up for now: its letters are answered
 * with `ActorFailed`, its process is ended, its rows stay as they are, and the next letter tries again.
 */
import { Cause, Clock, Context, Deferred, Effect, FiberMap, Layer, Queue } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import { EventFeed } from "../runtime/EventFeed.ts"
import { CommandHandler } from "../session/CommandHandler.ts"
import { ActorFailed } from "../session/Envelope.ts"
import type { ReplyTo, EventRefused, Envelope, Reply } from "../session/Envelope.ts"
import type { Ledger } from "../ledger/Ledger.ts"
import type { ProcessSlots } from "../runtime/ProcessSlots.ts"
import type { Reviews } from "../review/Reviews.ts"
import type { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import { SessionShared } from "../runtime/SessionShared.ts"
import { makeHandle } from "../session/SessionHandle.ts"
import type { SessionHandle } from "../session/SessionHandle.ts"
import * as SessionActor from "../session/SessionActor.ts"
import { Timers } from "../runtime/Timers.ts"

const mailboxCapacity = 256
/** Deaths of an actor, which are defects of ours, within a minute. */
const intensity = 3
const periodMillis = 60_000

/** An accepted letter: the reply, and the residence in which what follows can be awaited. */
export interface Sent extends Reply {
  readonly handle: SessionHandle
}

export class Supervisor extends Context.Service<
  Supervisor,
  {
    readonly send: (
      id: SessionId,
      letter: Pick<Envelope, "event" | "by" | "resolution">
    ) => Effect.Effect<Sent, EventRefused | ActorFailed>
    /** Brings a session to life and waits until it has settled what was left to settle. */
    readonly wake: (id: SessionId) => Effect.Effect<void, ActorFailed>
    /** What is in memory of it; `null` where it sleeps. */
    readonly handle: (id: SessionId) => SessionHandle | null
    readonly loaded: () => ReadonlyArray<SessionHandle>
  }
>()("troupe/supervision/Supervisor") {
  static readonly layerNoDeps = Layer.effect(
    Supervisor,
    Effect.gen(function* () {
      const commandHandler = yield* CommandHandler
      const fibers = yield* FiberMap.make<SessionId, void, never>()
      const run = yield* FiberMap.runtime(fibers)<
        SessionShared | EventFeed | CommandHandler | Ledger | ProcessSlots | Reviews | RuntimeSettings | Timers
      >()
      const loaded = new Map<SessionId, SessionHandle>()

      const giveUp = (handle: SessionHandle, cause: unknown) => {
        const failed = Effect.fail(new ActorFailed({ id: handle.id, cause }))
        loaded.delete(handle.id)
        Deferred.doneUnsafe(handle.settled, failed)
        for (let envelope = Queue.takeUnsafe(handle.mailbox); envelope?._tag === "Success";) {
          if (envelope.value.replyTo !== undefined) Deferred.doneUnsafe(envelope.value.replyTo, failed)
          envelope = Queue.takeUnsafe(handle.mailbox)
        }
        for (const outcome of handle.outcomes.values()) Deferred.doneUnsafe(outcome, Effect.void)
        Deferred.doneUnsafe(handle.closed, Effect.void)
      }

      const supervise = Effect.fnUntraced(function* (handle: SessionHandle) {
        const { id } = handle
        let deaths: ReadonlyArray<number> = []
        while (true) {
          const unload = () => void loaded.delete(id)
          const exit = yield* Effect.exit(Effect.scoped(SessionActor.run(handle, unload)))
          if (exit._tag === "Success") return
          if (Cause.hasInterruptsOnly(exit.cause)) return yield* Effect.interrupt
          yield* Effect.logError(`the actor of session ${id} died; resuming it from the ledger`, exit.cause)
          yield* commandHandler.drop(id)
          const now = yield* Clock.currentTimeMillis
          deaths = [...deaths, now].filter((at) => now - at < periodMillis)
          if (deaths.length > intensity) return giveUp(handle, Cause.squash(exit.cause))
          yield* Effect.sleep(50 * 2 ** deaths.length)
        }
      })

      /** Everything in one breath: between finding the residence and the letter in its box nobody may move out. */
      const deliver = (id: SessionId, envelope: Envelope) =>
        Effect.gen(function* () {
          while (true) {
            const fresh = loaded.has(id) ? null : yield* Queue.bounded<Envelope>(mailboxCapacity)
            const delivered = yield* Effect.sync(() => {
              const known = loaded.get(id)
              if (known !== undefined) return { handle: known, offered: Queue.offerUnsafe(known.mailbox, envelope) }
              if (fresh === null) return undefined
              const handle = makeHandle(id, fresh)
              loaded.set(id, handle)
              // The letter goes first: a fiber starts at once, and one that finds an empty box goes straight home.
              const offered = Queue.offerUnsafe(fresh, envelope)
              run(id, supervise(handle))
              return { handle, offered }
            })
            if (delivered === undefined) continue
            // A full mailbox is read by somebody, so it can be waited for.
            if (!delivered.offered) yield* Queue.offer(delivered.handle.mailbox, envelope)
            return delivered.handle
          }
        })

      const send = Effect.fnUntraced(function* (id: SessionId, envelope: Pick<Envelope, "event" | "by">) {
        const answer: ReplyTo = Deferred.makeUnsafe()
        const handle = yield* deliver(id, { ...envelope, replyTo: answer })
        return { ...(yield* Deferred.await(answer)), handle }
      })

      return Supervisor.of({
        send,
        wake: (id) =>
          Effect.gen(function* () {
            const handle = yield* deliver(id, { event: "wake", by: "troupe" })
            yield* Deferred.await(handle.settled)
          }),
        handle: (id) => loaded.get(id) ?? null,
        loaded: () => [...loaded.values()]
      })
    })
  )

  static readonly layer = this.layerNoDeps.pipe(
    Layer.provideMerge(Layer.mergeAll(SessionShared.layer, EventFeed.layer, Timers.layer))
  )
}
