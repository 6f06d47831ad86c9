/**
 * Sessions as XState actors for programs in this process: one for each session that was requested.
 *
 * An actor is kept while a program holds it or subscribes to it, and no longer: a program that looked at ten thousand
 * sessions keeps none of them in memory by that. A collected actor and its successor show the same.
 */
import { Context, Effect, FiberSet, Layer } from "effect"
import type { EventObject } from "xstate"
import { restore } from "../../machines/session/machine.ts"
import type { SessionEvent, SessionSnapshot } from "../../machines/session/machine.ts"
import type { SessionId } from "../domain/Ids.ts"
import { SessionNotFound, Unavailable } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { findSession, nameOfCaller } from "../runtime/Caller.ts"
import type { Caller } from "../runtime/Caller.ts"
import { cannot } from "../runtime/errors.ts"
import { News } from "../runtime/News.ts"
import * as Rereads from "../runtime/Rereads.ts"
import { SessionShared } from "../runtime/SessionShared.ts"
import { MirrorActor } from "./MirrorActor.ts"
import type { SessionActorRef } from "./MirrorActor.ts"
import * as StoredPicture from "./storedPicture.ts"
import { Supervisor } from "../supervision/Supervisor.ts"
import { cut } from "../domain/cut.ts"

/** Requests of one actor that may wait in its session's mailbox; further ones are dropped until it has taken some. */
const mostWaiting = 64
const longestReason = 500

interface Registration {
  readonly actor: WeakRef<MirrorActor>
  /** The last step that it took; 0: not known. */
  step: number
  /** The same actor while it has subscribers, so that it is not collected. */
  subscribed: MirrorActor | null
  release: () => void
}

export class SessionActorRefs extends Context.Service<
  SessionActorRefs,
  {
    /** Returns the same actor to the same caller as long as it is in use. */
    readonly of: (caller: Caller, id: string) => Effect.Effect<SessionActorRef, SessionNotFound | Unavailable>
    /** The number of actors that follow their sessions now. */
    readonly size: () => number
  }
>()("troupe/services/SessionActorRefs") {
  static readonly layer = Layer.effect(
    SessionActorRefs,
    Effect.gen(function* () {
      const { machine } = yield* SessionShared
      const news = yield* News
      const ledger = yield* Ledger
      const supervisor = yield* Supervisor
      const run = yield* FiberSet.makeRuntime<never>()
      const readPicture = yield* StoredPicture.make
      const registrations = new Map<string, Registration>()
      const collected = new FinalizationRegistry<Registration>((registration) => registration.release())

      const advance = (registered: Registration, step: number, event: SessionEvent, snapshot: SessionSnapshot) => {
        if (step <= registered.step) return
        registered.step = step
        registered.actor.deref()?.advance(event, snapshot)
      }

      /** Of sessions that another Troupe works on, an actor takes the last step after each news: it may pass over some. */
      const rereads = yield* Rereads.make((id) =>
        Effect.map(readPicture(id), (picture) => () => {
          if (picture === null || picture.step === null) return
          const { snapshot, step } = picture
          for (const [key, registered] of registrations) {
            if (key.startsWith(`${id} `)) advance(registered, step.seq, step.event as SessionEvent, snapshot)
          }
        })
      )

      const post = (id: SessionId, by: string) => {
        let waiting = 0
        let isDropping = false
        return (sent: EventObject) => {
          const event = requestOf(sent, by)
          if (event === null) return void run(Effect.logWarning(`${sent.type} can't be sent to session ${id}`))
          if (waiting >= mostWaiting) {
            // Logged once for all that follow.
            if (!isDropping) run(Effect.logWarning(`Too much is sent to session ${id} at once: some of it is dropped`))
            isDropping = true
            return
          }
          isDropping = false
          waiting++
          run(
            // Not on the sender's stack: it may be a subscriber that is just being called.
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
        // The hooks hold the registration and not the actor, which could never be collected otherwise.
        let registration: Registration | null = null
        const mirror = new MirrorActor(machine, snapshot, id, {
          post: post(id, by),
          onSubscriberError: (error) => void run(Effect.logError(`A subscriber of session ${id} threw`, error)),
          onSubscribed: (hasSubscribers) => {
            if (registration !== null)
              registration.subscribed = hasSubscribers ? (registration.actor.deref() ?? null) : null
          },
          onEnd: () => registration?.release()
        })
        // Closed: there will be no further commit.
        if (snapshot.status !== "active") return mirror
        const actor = new WeakRef(mirror)
        const stopObserving = news.watchUnsafe(id, ({ stepped, stored }) => {
          if (stored === null && stepped) rereads.due(id)
          if (stored === null || stored.step === null) return
          rereads.drop(id)
          advance(registered, stored.step.seq, stored.step.event, stored.step.snapshot)
        })
        const registered: Registration = {
          actor,
          step: 0,
          subscribed: null,
          release: () => {
            stopObserving()
            collected.unregister(registered)
            registered.subscribed = null
            if (registrations.get(key) === registered) registrations.delete(key)
          }
        }
        registration = registered
        registrations.set(key, registered)
        collected.register(mirror, registered, registered)
        return mirror
      }

      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          for (const { actor, release } of registrations.values()) {
            actor.deref()?.abandon(new Error("This Troupe was closed. The session lives on in its ledger."))
            release()
          }
        })
      )

      const of = Effect.fn("SessionActorRefs.of")(function* (caller: Caller, text: string) {
        const { id } = yield* findSession(ledger, caller, text)
        const by = nameOfCaller(caller)
        const existing = () => registrations.get(`${id} ${by}`)?.actor.deref()
        const loaded = supervisor.view(id)?.snapshot ?? null
        const actor = existing() ?? (loaded === null ? undefined : make(id, by, loaded))
        if (actor !== undefined) return actor

        // The session is not loaded. A step that is committed while its row is read is newer than the row.
        let latest: SessionSnapshot | null = null
        let isOld = false
        const stopObserving = news.watchUnsafe(id, ({ stored }) => {
          latest = stored?.step?.snapshot ?? latest
          isOld ||= stored === null
        })
        return yield* Effect.flatMap(
          ledger.snapshot(id),
          (stored): Effect.Effect<MirrorActor, SessionNotFound | Unavailable> => {
            // Deleted meanwhile.
            if (stored === null) return Effect.fail(new SessionNotFound({ id: text }))
            return Effect.try({
              try: () => existing() ?? make(id, by, latest ?? restore(machine, stored)),
              catch: (cause) => new Unavailable({ operation: "look at the session", cause })
            })
          }
        ).pipe(
          Effect.tap(() => Effect.sync(() => isOld && rereads.due(id))),
          Effect.ensuring(Effect.sync(stopObserving))
        )
      }, cannot("look at the session"))

      return SessionActorRefs.of({ of, size: () => registrations.size })
    })
  )
}

/** The verb of each request's default reason, "… by <caller>". */
const verbs = {
  "interrupt.requested": "interrupted",
  "close.requested": "closed",
  "hibernate.requested": "put to sleep"
} as const

const hasVerb = (type: string): type is keyof typeof verbs => Object.hasOwn(verbs, type)

/** A sent event as an event of the machine; `null`: it is no request. */
const requestOf = (sent: EventObject, by: string): Extract<SessionEvent, { type: `${string}.requested` }> | null => {
  const { type } = sent
  if (type === "unpark.requested") return { type }
  if (!hasVerb(type)) return null
  const { reason } = sent as { readonly reason?: unknown }
  return { type, reason: typeof reason === "string" ? cut(reason, longestReason) : `${verbs[type]} by ${by}` }
}
