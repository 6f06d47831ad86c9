/** The in-memory handle of a loaded session: its mailbox, and those who wait for it. It outlives a restart of the actor. */
import { Deferred } from "effect"
import type { Queue } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import type { ActorFailed, Envelope } from "./Envelope.ts"
import type { Session } from "./Session.ts"

export interface SessionHandle {
  readonly id: SessionId
  readonly mailbox: Queue.Queue<Envelope>
  /** Of each turn that was accepted and has no stored outcome yet, once the actor has read the ledger. */
  readonly outcomes: Map<number, Deferred.Deferred<void, ActorFailed>>
  /** Done when the session is closed. */
  readonly closed: Deferred.Deferred<void, ActorFailed>
  /** Done when the actor has settled what its predecessor, or a dead supervisor, left. */
  readonly recovered: Deferred.Deferred<void, ActorFailed>
  /** Set by the actor when it has read the ledger. */
  session: Session | null
}

export const makeHandle = (id: SessionId, mailbox: Queue.Queue<Envelope>): SessionHandle => ({
  id,
  mailbox,
  outcomes: new Map(),
  closed: Deferred.makeUnsafe(),
  recovered: Deferred.makeUnsafe(),
  session: null
})
