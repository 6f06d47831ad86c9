/**
 * A session as an XState actor, for those who look: it becomes what it is told is stored, and performs nothing.
 *
 * It is no part of the session: it outlives hibernation, wake and the death of the actor that runs the session, and
 * ends with the session itself. What is sent to it goes to the session's mailbox and changes nothing here; what comes
 * of that is seen like everything else, after its commit.
 */
import { Actor, toObserver } from "xstate"
import type { ActorLogic, ActorRef, EventObject, Observer, Subscription } from "xstate"
import type { SessionEvent, SessionMachine, SessionSnapshot } from "../../machines/session/machine.ts"

/**
 * What may be sent to a session from outside. One that its state draws no arrow for is refused, and changes nothing;
 * the chart says which those are. Turns and answers to approvals have their own ways in.
 */
export type SessionRequest =
  | { readonly type: "interrupt.requested"; readonly reason?: string | undefined }
  | { readonly type: "close.requested"; readonly reason?: string | undefined }
  | { readonly type: "hibernate.requested"; readonly reason?: string | undefined }
  | { readonly type: "unpark.requested" }

/**
 * Works wherever XState takes an actor: `waitFor`, `toPromise` (done when the session is closed), `useSelector`. `stop`
 * ends it for all who have it, and never the session; whoever asks again gets another.
 */
export type SessionActorRef = ActorRef<SessionSnapshot, SessionRequest>

export interface MirrorHooks {
  /** Gets whatever was sent, typed or not. */
  readonly post: (event: EventObject) => void
  /** A subscriber threw. It is nobody else's fault, so nobody else is told. */
  readonly complain: (error: unknown) => void
  /** Somebody subscribes, so it must not be let go; or nobody does any more. */
  readonly held: (held: boolean) => void
  /** Nothing comes after this: the session is closed, or whoever has the reference stopped it. */
  readonly over: () => void
}

type Logic = ActorLogic<SessionSnapshot, SessionRequest>

export class MirrorActor extends Actor<Logic> {
  readonly #ears: MirrorHooks
  readonly #told: WeakMap<object, SessionSnapshot>
  readonly #subscriptions = new Set<object>()

  constructor(machine: SessionMachine, snapshot: SessionSnapshot, id: string, ears: MirrorHooks) {
    const told = new WeakMap<object, SessionSnapshot>()
    super(logicOf(machine, snapshot, told, ears.post), { id, snapshot })
    this.#ears = ears
    this.#told = told
    // An error that nobody listens for would be thrown where only the process can catch it.
    super.subscribe({ error: ears.over, complete: ears.over })
    this.start()
  }

  /** After the commit. Inspectors see the event that it came by. */
  tell(event: SessionEvent, snapshot: SessionSnapshot): void {
    this.#told.set(event, snapshot)
    this.send(event as never)
  }

  /** The runtime ends and the session does not: whoever waits for its end is told so, not that it came. */
  abandon(error: Error): void {
    this.tell({ type: "troupe.closed" } as never, { ...this.getSnapshot(), status: "error", error } as never)
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
    const over = () => {
      if (this.#subscriptions.delete(token) && this.#subscriptions.size === 0) this.#ears.held(false)
    }
    if (this.#subscriptions.add(token).size === 1) this.#ears.held(true)
    const subscription = super.subscribe({
      next: guarded((snapshot) => observer.next?.(snapshot)),
      error: guarded((cause) => (over(), observer.error?.(cause))),
      complete: guarded(() => (over(), observer.complete?.()))
    })
    return {
      unsubscribe: () => {
        over()
        subscription.unsubscribe()
      }
    }
  }

  /** XState throws what a listener throws again in a timer, which would end the process. */
  readonly #guarded =
    <A extends ReadonlyArray<unknown>>(listener: (...args: A) => void) =>
    (...args: A): void => {
      try {
        listener(...args)
      } catch (error) {
        this.#ears.complain(error)
      }
    }
}

const logicOf = (
  machine: SessionMachine,
  first: SessionSnapshot,
  told: WeakMap<object, SessionSnapshot>,
  post: MirrorHooks["post"]
): Logic => ({
  transition: (snapshot, event) => {
    const next = told.get(event)
    told.delete(event)
    if (next === undefined && !event.type.startsWith("xstate.")) post(event)
    return next ?? snapshot
  },
  getInitialSnapshot: () => first,
  restoreSnapshot: () => first,
  getPersistedSnapshot: (snapshot) => machine.getPersistedSnapshot(snapshot)
})
