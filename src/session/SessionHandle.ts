/** The in-memory handle of a loaded session: its mailbox, and who waits for its start. It outlives a restart of the actor. */
import { Deferred } from "effect"
import type { Queue } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import type { ArmedTimer } from "../ledger/Ledger.ts"
import type { NextTimer } from "../runtime/News.ts"
import type { ActorFailed, Envelope } from "./Envelope.ts"
import type { OpenTool } from "./OpenTools.ts"
import type { Session } from "./Session.ts"

/** As of `SessionTimers`. */
export interface HandleTimers {
  readonly next: () => NextTimer | null
  readonly unstored: () => ReadonlyArray<Omit<ArmedTimer, "session">>
}

/** As of `TurnWatch`: what is known of the turn that runs, and stored nowhere. */
export interface HandleWatch {
  readonly tools: () => ReadonlyArray<OpenTool>
  readonly heardAt: () => number | null
}

export interface SessionHandle {
  readonly id: SessionId
  readonly mailbox: Queue.Queue<Envelope>
  /** Done when the actor has settled what its predecessor, or a dead supervisor, left. */
  readonly recovered: Deferred.Deferred<void, ActorFailed>
  /** All three are set by the actor when it has read the ledger. */
  session: Session | null
  timers: HandleTimers | null
  watch: HandleWatch | null
}

export const makeHandle = (id: SessionId, mailbox: Queue.Queue<Envelope>): SessionHandle => ({
  id,
  mailbox,
  recovered: Deferred.makeUnsafe(),
  session: null,
  timers: null,
  watch: null
})
