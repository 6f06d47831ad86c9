/** What comes into a session's mailbox, and what is answered. */
import { Schema } from "effect"
import type { Deferred } from "effect"
import type { SessionEvent } from "../../machines/session/machine.ts"
import type { ApprovalRecord, Resolution } from "../domain/Approval.ts"
import { SessionId } from "../domain/Ids.ts"
import type { TurnRecord, Usage } from "../domain/Turn.ts"

/** The session's state draws no arrow for the event. An answer, not a fault. */
export class EventRefused extends Schema.TaggedError<EventRefused>()("EventRefused", {
  id: SessionId,
  event: Schema.String,
  state: Schema.String,
  closing: Schema.Boolean,
  turn: Schema.Int,
  waiting: Schema.Int,
  /** The agent's account is used up: until when nothing is handed over, and what the agent said. */
  limit: Schema.NullOr(Schema.Struct({ until: Schema.Number, reason: Schema.String }))
}) {}

/** The session's actor could not be kept alive; its ledger rows are intact. */
export class ActorFailed extends Schema.TaggedError<ActorFailed>()("ActorFailed", {
  id: SessionId,
  cause: Schema.Defect()
}) {}

/** A turn that has no number yet: the actor, which is alone in numbering them, gives it one. */
export interface Submission {
  /** Absent: a prompt. */
  readonly kind?: TurnRecord["kind"]
  /** Empty for a compaction. */
  readonly prompt: string
  readonly timeoutMillis: number
  readonly queue: boolean
}

export interface Reply {
  readonly from: string
  readonly to: string
  /** The turn that was submitted, or the one that runs. */
  readonly turn: number
  /** Every event that follows from this has a higher number. */
  readonly after: number
}

export type ReplyTo = Deferred.Deferred<Reply, EventRefused | ActorFailed>

type TurnEnded = Extract<SessionEvent, { readonly type: "turn.ended" }>

/** The end of a turn gets its time from the actor. */
export type Unstamped =
  | Exclude<SessionEvent, { readonly type: "turn.submitted" | "turn.ended" }>
  | Omit<TurnEnded, "at">

export interface Envelope {
  /** `wake` only brings the session to life, which settles what was left to settle. */
  readonly event: Unstamped | Submission | "wake"
  /** Who caused it, for the audit trail: an app's name, `admin`, or `troupe`. */
  readonly by: string
  /** Absent for news from the world, which nobody waits on. */
  readonly replyTo?: ReplyTo
  /** Which arming of which timer this came from; a timer disarmed meanwhile is not heard. */
  readonly timer?: { readonly id: string; readonly arming: number }
  /** What the agent reported with the end of a turn. */
  readonly usage?: Usage | null
  /** What the agent asks leave for, with `approval.asked`. */
  readonly approval?: ApprovalRecord
  /** How it was settled, with `approval.settled`; absent: its deadline has passed. */
  readonly resolution?: Resolution
  /** The line of the agent that it came of (`WireLine`), kept with the step. */
  readonly wire?: string | null
  /** Why the agent has forgotten what was said before, where it has. */
  readonly contextLost?: string | null
}

export type Incoming = Exclude<Envelope["event"], "wake">

export const isSubmission = (event: Incoming): event is Submission => "prompt" in event

/** As the machine hears them: the actor numbers turns, and has a clock. */
export const stamped = (news: Incoming, turn: number, at: number): SessionEvent => {
  if (!isSubmission(news)) return news.type === "turn.ended" ? { ...news, at } : news
  const { queue, timeoutMillis } = news
  return { type: "turn.submitted", turn, timeoutMillis, queue, at }
}
