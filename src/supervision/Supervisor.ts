/**
 * Keeps one actor per session that has something to do: starts it on its first letter, restarts it from the ledger
 * when it dies, and lets it go when it sleeps.
 *
 * One session's defect never reaches another. An actor that keeps dying is given up for now: its letters are answered
 * with `ActorFailed`, its process is ended, its rows stay as they are, and the next letter tries again.
 */
import { Cause, Clock, Context, Deferred, Effect, FiberMap, Layer, Queue } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import { Feed } from "../runtime/EventFeed.ts"
import { Hands } from "../session/CommandHandler.ts"
import { ActorFailed } from "../session/Envelope.ts"
import type { Answer, EventRefused, Letter, Reply } from "../session/Envelope.ts"
import type { Ledger } from "../ledger/Ledger.ts"
import type { Pool } from "../runtime/ProcessSlots.ts"
import type { Reviews } from "../review/Reviews.ts"
import type { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import { Commons, residence as vacant } from "../session/Mailbox.ts"
import type { Residence } from "../session/Mailbox.ts"
import { live } from "../session/SessionActor.ts"
import { Timekeeper } from "../runtime/Timers.ts"

const mailboxCapacity = 256
/** Deaths of an actor, which are defects of ours, within a minute. */
const intensity = 3
const periodMillis = 60_000

/** An accepted letter: the reply, and the residence in which what follows can be awaited. */
export interface Sent extends Reply {
  readonly residence: Residence
}

export class Supervisor extends Context.Service<
  Supervisor,
  {
    readonly send: (
      id: SessionId,
      letter: Pick<Letter, "event" | "by" | "ruling">
    ) => Effect.Effect<Sent, EventRefused | ActorFailed>
    /** Brings a session to life and waits until it has settled what was left to settle. */
    readonly wake: (id: SessionId) => Effect.Effect<void, ActorFailed>
    /** What is in memory of it; `null` where it sleeps. */
    readonly resident: (id: SessionId) => Residence | null
    readonly residents: () => ReadonlyArray<Residence>
  }
>()("troupe/actor/Supervisor") {
  static readonly layerNoDeps = Layer.effect(
    Supervisor,
    Effect.gen(function* () {
      const hands = yield* Hands
      const fibers = yield* FiberMap.make<SessionId, void, never>()
      const run = yield* FiberMap.runtime(fibers)<
        Commons | Feed | Hands | Ledger | Pool | Reviews | RuntimeSettings | Timekeeper
      >()
      const residents = new Map<SessionId, Residence>()

      const giveUp = (residence: Residence, cause: unknown) => {
        const failed = Effect.fail(new ActorFailed({ id: residence.id, cause }))
        residents.delete(residence.id)
        Deferred.doneUnsafe(residence.settled, failed)
        for (let letter = Queue.takeUnsafe(residence.mailbox); letter?._tag === "Success";) {
          if (letter.value.answer !== undefined) Deferred.doneUnsafe(letter.value.answer, failed)
          letter = Queue.takeUnsafe(residence.mailbox)
        }
        for (const outcome of residence.outcomes.values()) Deferred.doneUnsafe(outcome, Effect.void)
        Deferred.doneUnsafe(residence.closed, Effect.void)
      }

      const supervise = Effect.fnUntraced(function* (residence: Residence) {
        const { id } = residence
        let deaths: ReadonlyArray<number> = []
        while (true) {
          const vacate = () => void residents.delete(id)
          const exit = yield* Effect.exit(Effect.scoped(live(residence, vacate)))
          if (exit._tag === "Success") return
          if (Cause.hasInterruptsOnly(exit.cause)) return yield* Effect.interrupt
          yield* Effect.logError(`the actor of session ${id} died; resuming it from the ledger`, exit.cause)
          yield* hands.drop(id)
          const now = yield* Clock.currentTimeMillis
          deaths = [...deaths, now].filter((at) => now - at < periodMillis)
          if (deaths.length > intensity) return giveUp(residence, Cause.squash(exit.cause))
          yield* Effect.sleep(50 * 2 ** deaths.length)
        }
      })

      /** Everything in one breath: between finding the residence and the letter in its box nobody may move out. */
      const deliver = (id: SessionId, letter: Letter) =>
        Effect.gen(function* () {
          while (true) {
            const fresh = residents.has(id) ? null : yield* Queue.bounded<Letter>(mailboxCapacity)
            const delivered = yield* Effect.sync(() => {
              const known = residents.get(id)
              if (known !== undefined) return { residence: known, offered: Queue.offerUnsafe(known.mailbox, letter) }
              if (fresh === null) return undefined
              const residence = vacant(id, fresh)
              residents.set(id, residence)
              // The letter goes first: a fiber starts at once, and one that finds an empty box goes straight home.
              const offered = Queue.offerUnsafe(fresh, letter)
              run(id, supervise(residence))
              return { residence, offered }
            })
            if (delivered === undefined) continue
            // A full mailbox is read by somebody, so it can be waited for.
            if (!delivered.offered) yield* Queue.offer(delivered.residence.mailbox, letter)
            return delivered.residence
          }
        })

      const send = Effect.fnUntraced(function* (id: SessionId, letter: Pick<Letter, "event" | "by">) {
        const answer: Answer = Deferred.makeUnsafe()
        const residence = yield* deliver(id, { ...letter, answer })
        return { ...(yield* Deferred.await(answer)), residence }
      })

      return Supervisor.of({
        send,
        wake: (id) =>
          Effect.gen(function* () {
            const residence = yield* deliver(id, { event: "wake", by: "troupe" })
            yield* Deferred.await(residence.settled)
          }),
        resident: (id) => residents.get(id) ?? null,
        residents: () => [...residents.values()]
      })
    })
  )

  static readonly layer = this.layerNoDeps.pipe(
    Layer.provideMerge(Layer.mergeAll(Commons.layer, Feed.layer, Timekeeper.layer))
  )
}
