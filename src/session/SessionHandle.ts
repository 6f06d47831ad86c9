/** The in-memory handle of a loaded session: it outlives one run of the session's actor. */
import { Deferred } from "effect"
import type { Queue } from "effect"
import type { SessionSnapshot } from "../../machines/session/machine.ts"
import type { SessionId } from "../domain/Ids.ts"
import type { SessionRecord } from "../domain/Session.ts"
import type { ActorFailed, Envelope } from "./Envelope.ts"

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
