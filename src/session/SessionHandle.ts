/** What outlives one life of a session's actor, and what all actors share. */
import { Context, Deferred, Effect, FiberSet, Layer } from "effect"
import type { Queue } from "effect"
import { sessionMachineWith } from "../../machines/session/machine.ts"
import type { SessionMachine, SessionSnapshot } from "../../machines/session/machine.ts"
import type { SessionId } from "../domain/Ids.ts"
import type { SessionRecord } from "../domain/Session.ts"
import type { ActorFailed, Envelope } from "./Envelope.ts"
import * as Observers from "../runtime/CommitObservers.ts"
import * as Refusals from "../runtime/RefusedEvents.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"

/** The mailbox, and those who wait for something of this session. */
export interface SessionHandle {
  readonly id: SessionId
  readonly mailbox: Queue.Queue<Envelope>
  /** Of each turn that was accepted in this process and has no outcome yet. */
  readonly outcomes: Map<number, Deferred.Deferred<void>>
  /** Done when the session is closed. */
  readonly closed: Deferred.Deferred<void>
  /** Done when a life has settled what the last one, or a dead supervisor, left. */
  readonly settled: Deferred.Deferred<void, ActorFailed>
  snapshot: SessionSnapshot | null
  record: SessionRecord | null
}

export const makeHandle = (id: SessionId, mailbox: Queue.Queue<Envelope>): SessionHandle => ({
  id,
  mailbox,
  outcomes: new Map(),
  closed: Deferred.makeUnsafe(),
  settled: Deferred.makeUnsafe(),
  snapshot: null,
  record: null
})

/** Ten thousand machines and hubs would cost more than ten thousand sessions. */
export class SessionShared extends Context.Service<
  SessionShared,
  {
    readonly machine: SessionMachine
    readonly observers: Observers.CommitObservers
    readonly refusedEvents: Refusals.RefusedEvents
  }
>()("troupe/session/SessionShared") {
  static readonly layer = Layer.effect(
    SessionShared,
    Effect.gen(function* () {
      const { limits } = yield* RuntimeSettings
      const run = yield* FiberSet.makeRuntime<never>()
      const observers = Observers.make((session, error) => {
        run(Effect.logError(`An observer of session ${session} threw`, error))
      })
      return SessionShared.of({ machine: sessionMachineWith(limits), observers, refusedEvents: Refusals.make() })
    })
  )
}
