/**
 * Sessions as XState actors, for programs in this process: one for each session that somebody asked for.
 *
 * An actor is kept while somebody has it or subscribes to it, and no longer: a program that looked at ten thousand
 * sessions keeps none of them in memory by that. Nobody can tell one that was collected from one that was not.
 */
import { Context, Effect, FiberSet, Layer } from "effect"
import type { EventObject } from "xstate"
import { restore } from "../../machines/session/machine.ts"
import type { SessionEvent, SessionSnapshot } from "../../machines/session/machine.ts"
import type { SessionId } from "../domain/Ids.ts"
import { SessionNotFound } from "../domain/Refusal.ts"
import type { Unavailable } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { findSession, nameOfCaller } from "../runtime/Caller.ts"
import type { Caller } from "../runtime/Caller.ts"
import { cannot } from "../runtime/errors.ts"
import { SessionShared } from "../runtime/SessionShared.ts"
import { MirrorActor } from "./MirrorActor.ts"
import type { SessionActorRef } from "./MirrorActor.ts"
import { Supervisor } from "../supervision/Supervisor.ts"

/** Requests of one actor that wait in its session's mailbox; a program that sends more in one go loses the rest. */
const mostWaiting = 64
const longestReason = 500

interface Kept {
  readonly actor: WeakRef<MirrorActor>
  /** The same, while somebody subscribes. */
  held: MirrorActor | null
  letGo: () => void
}

export class SessionActorRefs extends Context.Service<
  SessionActorRefs,
  {
    /** The same one for the same caller, as long as it is in use. */
    readonly of: (caller: Caller, id: string) => Effect.Effect<SessionActorRef, SessionNotFound | Unavailable>
    /** Actors that are told of their sessions now. */
    readonly size: () => number
  }
>()("troupe/services/SessionActorRefs") {
  static readonly layer = Layer.effect(
    SessionActorRefs,
    Effect.gen(function* () {
      const { machine, observers } = yield* SessionShared
      const ledger = yield* Ledger
      const supervisor = yield* Supervisor
      const run = yield* FiberSet.makeRuntime<never>()
      const all = new Map<string, Kept>()
      const collected = new FinalizationRegistry<Kept>((kept) => kept.letGo())

      const post = (id: SessionId, by: string) => {
        let waiting = 0
        let dropping = false
        return (sent: EventObject) => {
          const event = requestOf(sent, by)
          if (event === null) return void run(Effect.logWarning(`${sent.type} can't be sent to session ${id}`))
          if (waiting >= mostWaiting) {
            // Said once for all that follow.
            if (!dropping) run(Effect.logWarning(`Too much is sent to session ${id} at once: some of it is dropped`))
            dropping = true
            return
          }
          dropping = false
          waiting++
          run(
            // Not on the sender's stack, who may be in the midst of hearing from the session.
            Effect.andThen(Effect.yieldNow, supervisor.send(id, { event, by })).pipe(
              Effect.catchTags({
                EventRefused: ({ state }) => Effect.logDebug(`session ${id} refused ${event.type} in ${state}`),
                ActorFailed: ({ cause }) => Effect.logError(`session ${id} could not take ${event.type}`, cause)
              }),
              Effect.ensuring(Effect.sync(() => waiting--))
            )
          )
        }
      }

      const make = (id: SessionId, by: string, snapshot: SessionSnapshot): MirrorActor => {
        const key = `${id} ${by}`
        let kept: Kept | null = null
        const shown = new MirrorActor(machine, snapshot, id, {
          post: post(id, by),
          complain: (error) => void run(Effect.logError(`A subscriber of session ${id} threw`, error)),
          held: (held) => {
            if (kept !== null) kept.held = held ? (kept.actor.deref() ?? null) : null
          },
          over: () => kept?.letGo()
        })
        // Closed: there is nothing to be told any more.
        if (snapshot.status !== "active") return shown
        kept = { actor: new WeakRef(shown), held: null, letGo: () => {} }
        const { actor } = kept
        const forget = observers.observe(id, ({ event, snapshot }) => actor.deref()?.tell(event, snapshot))
        const mine = kept
        kept.letGo = () => {
          forget()
          collected.unregister(mine)
          mine.held = null
          if (all.get(key) === mine) all.delete(key)
        }
        all.set(key, kept)
        collected.register(shown, kept, kept)
        return shown
      }

      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          for (const { actor, letGo } of all.values()) {
            actor.deref()?.abandon(new Error("This Troupe was closed. The session lives on in its ledger."))
            letGo()
          }
        })
      )

      const of = Effect.fn("ActorRefs.of")(function* (caller: Caller, text: string) {
        const { id } = yield* findSession(ledger, caller, text)
        const by = nameOfCaller(caller)
        const known = () => all.get(`${id} ${by}`)?.actor.deref()
        const here = known() ?? given(supervisor.view(id)?.snapshot, (snapshot) => make(id, by, snapshot))
        if (here !== undefined) return here

        // It sleeps. What it becomes while its row is read is newer than the row.
        let latest: SessionSnapshot | null = null
        const forget = observers.observe(id, ({ snapshot }) => (latest = snapshot))
        return yield* Effect.flatMap(ledger.snapshot(id), (stored) => {
          // Deleted meanwhile.
          if (stored === null) return Effect.fail(new SessionNotFound({ id: text }))
          return Effect.succeed(known() ?? make(id, by, latest ?? restore(machine, stored)))
        }).pipe(Effect.ensuring(Effect.sync(forget)))
      }, cannot("look at the session"))

      return SessionActorRefs.of({ of, size: () => all.size })
    })
  )
}

const given = <A, B>(value: A | null | undefined, make: (value: A) => B): B | undefined =>
  value === null || value === undefined ? undefined : make(value)

const asked = {
  "interrupt.requested": "interrupted",
  "close.requested": "closed",
  "hibernate.requested": "put to sleep"
} as const

const isAsked = (type: string): type is keyof typeof asked => Object.hasOwn(asked, type)

/** What was sent, as the machine hears it; `null` for what is not for others to say. */
const requestOf = (sent: EventObject, by: string): Extract<SessionEvent, { type: `${string}.requested` }> | null => {
  const { type } = sent
  if (type === "unpark.requested") return { type }
  if (!isAsked(type)) return null
  const { reason } = sent as { readonly reason?: unknown }
  return { type, reason: typeof reason === "string" ? reason.slice(0, longestReason) : `${asked[type]} by ${by}` }
}
