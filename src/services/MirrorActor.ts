/**
 * A session as an XState actor for observers: it takes each committed snapshot and performs no command.
 *
 * It is no part of the session: it outlives hibernation, wake and the death of the actor that runs the session, and ends
 * with the session itself. An event sent to it is posted to the session's mailbox and changes nothing here; its effect
 * appears after its commit, like any other.
 */
import { Actor, toObserver } from "xstate"
import type { ActorLogic, ActorRef, EventObject, Observer, Subscription } from "xstate"
import type { SessionEvent, SessionMachine, SessionSnapshot } from "../../machines/session/machine.ts"

/**
 * The events that may be sent to a session from outside. One that the session's state has no transition for is refused and
 * changes nothing; the chart shows which those are. Turns and approvals are sent by `Sessions`.
 */
export type SessionRequest =
  | { readonly type: "interrupt.requested"; readonly reason?: string | undefined }
  | { readonly type: "close.requested"; readonly reason?: string | undefined }
  | { readonly type: "hibernate.requested"; readonly reason?: string | undefined }
  | { readonly type: "unpark.requested" }

/**
 * Works wherever XState takes an actor: `waitFor`, `toPromise` (done when the session is closed), `useSelector`. `stop`
 * ends this actor for all that hold it, and never the session; the next request for it returns another.
 */
export type SessionActorRef = ActorRef<SessionSnapshot, SessionRequest>

export interface MirrorHooks {
  /** Gets every event that was sent to the actor, of whatever type. */
  readonly post: (event: EventObject) => void
  /** A subscriber threw. No other subscriber is affected. */
  readonly onSubscriberError: (error: unknown) => void
  /** The first subscriber came, or the last one left: while there are some, the actor must not be collected. */
  readonly onSubscribed: (hasSubscribers: boolean) => void
  /** The actor has ended: the session is closed, or a holder stopped the actor. */
  readonly onEnd: () => void
}

type Logic = ActorLogic<SessionSnapshot, SessionRequest>

export class MirrorActor extends Actor<Logic> {
  readonly #hooks: MirrorHooks
  /** The snapshot that each committed event led to, until the actor has taken it. */
  readonly #committed: WeakMap<object, SessionSnapshot>
  readonly #subscriptions = new Set<object>()

  constructor(machine: SessionMachine, snapshot: SessionSnapshot, id: string, hooks: MirrorHooks) {
    const committed = new WeakMap<object, SessionSnapshot>()
    super(logicOf(machine, snapshot, committed, hooks.post), { id, snapshot })
    this.#hooks = hooks
    this.#committed = committed
    // XState throws an error that has no listener where only the process could catch it.
    super.subscribe({ error: hooks.onEnd, complete: hooks.onEnd })
    this.start()
  }

  /** To be called after each commit. Inspectors see the committed event. */
  advance(event: SessionEvent, snapshot: SessionSnapshot): void {
    this.#committed.set(event, snapshot)
    this.send(event as never)
  }

  /** The runtime ends and the session does not: what waits for the session's end gets `error` instead. */
  abandon(error: Error): void {
    this.advance({ type: "troupe.closed" } as never, { ...this.getSnapshot(), status: "error", error } as never)
  }

  override subscribe(observer: Observer<SessionSnapshot>): Subscription
  override subscribe(
    next?: (snapshot: SessionSnapshot) => void,
    error?: (error: unknown) => void,
    complete?: () => void
  ): Subscription
  override subscribe(
    next?: Observer<SessionSnapshot> | ((snapshot: SessionSnapshot) => void),
    error?: (error: unknown) => void,
    complete?: () => void
  ): Subscription {
    const observer = toObserver(next as Observer<SessionSnapshot>, error, complete)
    const guarded = this.#guarded
    const token = {}
    const leave = () => {
      if (this.#subscriptions.delete(token) && this.#subscriptions.size === 0) this.#hooks.onSubscribed(false)
    }
    if (this.#subscriptions.add(token).size === 1) this.#hooks.onSubscribed(true)
    const subscription = super.subscribe({
      next: guarded((snapshot) => observer.next?.(snapshot)),
      error: guarded((cause) => (leave(), observer.error?.(cause))),
      complete: guarded(() => (leave(), observer.complete?.()))
    })
    return {
      unsubscribe: () => {
        leave()
        subscription.unsubscribe()
      }
    }
  }

  /** XState rethrows a listener's error in a timer, which would end the process. */
  readonly #guarded =
    <A extends ReadonlyArray<unknown>>(listener: (...args: A) => void) =>
    (...args: A): void => {
      try {
        listener(...args)
      } catch (error) {
        this.#hooks.onSubscriberError(error)
      }
    }
}

const logicOf = (
  machine: SessionMachine,
  first: SessionSnapshot,
  committed: WeakMap<object, SessionSnapshot>,
  post: MirrorHooks["post"]
): Logic => ({
  transition: (snapshot, event) => {
    const next = committed.get(event)
    committed.delete(event)
    if (next === undefined && !event.type.startsWith("xstate.")) post(event)
    return next ?? snapshot
  },
  getInitialSnapshot: () => first,
  restoreSnapshot: () => first,
  getPersistedSnapshot: (snapshot) => machine.getPersistedSnapshot(snapshot)
})
