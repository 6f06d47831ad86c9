/** What arrives in a session's mailbox, and what its sender is answered. */
import { Schema } from "effect"
import type { Deferred } from "effect"
import type { SessionEvent } from "../../machines/session/machine.ts"
import type { StateName } from "../../machines/session/stateInfo.ts"
import type { ApprovalRecord, Resolution } from "../domain/Approval.ts"
import { GivenContext } from "../domain/GivenContext.ts"
import { NodeToken, SessionId } from "../domain/Ids.ts"
import { Origin } from "../domain/Origin.ts"
import { PromptBlock } from "../domain/PromptContent.ts"
import type { Answers } from "../domain/Question.ts"
import { TurnSettings } from "../domain/Turn.ts"
import type { Usage } from "../domain/Turn.ts"
import type { SubmittedTurn } from "../ledger/Ledger.ts"

/** The session's state draws no arrow for the event. An answer, not a fault. */
export class EventRefused extends Schema.TaggedError<EventRefused>()("EventRefused", {
  id: SessionId,
  event: Schema.String,
  state: Schema.String,
  /** The session is closed, or will be. */
  closing: Schema.Boolean,
  parked: Schema.Boolean,
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

/** Another node has claimed the session: it alone may write for it. The cause of an `ActorFailed`. */
export class OwnedElsewhere extends Schema.TaggedError<OwnedElsewhere>()("OwnedElsewhere", {
  id: SessionId,
  /** The owner then; `null`: it is not known which. */
  owner: Schema.NullOr(NodeToken)
}) {
  /** What it is for whoever asked (`passingOf`). */
  readonly passing = "session_moved"
  override get message() {
    return `Another node has session ${this.id} now. Send the request again: it is sent to that node.`
  }
}

/**
 * What a submission is recognised by where it comes again: unique among the turns of its session, and stored with its turn.
 * The fingerprint is that of the whole request, where its sender named it: another one under the same name is no repetition.
 */
export const SubmissionName = Schema.Struct({ id: Schema.String, fingerprint: Schema.NullOr(Schema.String) })
export type SubmissionName = typeof SubmissionName.Type

/** A turn that has no number yet: only the actor numbers turns. */
export const Submission = Schema.Struct({
  /** Absent: a prompt. */
  kind: Schema.optionalKey(Schema.Literals(["prompt", "compact"])),
  /** Empty for a compaction. */
  prompt: Schema.String,
  /** Where the prompt is more than its text. */
  content: Schema.optionalKey(Schema.NullOr(Schema.Array(PromptBlock))),
  settings: Schema.optionalKey(TurnSettings),
  /** The earlier conversation, for an agent that does not know it. */
  context: Schema.optionalKey(Schema.NullOr(GivenContext)),
  timeoutMillis: Schema.Finite,
  queue: Schema.Boolean,
  name: Schema.optionalKey(SubmissionName),
  origin: Schema.optionalKey(Origin),
  /** It may have been sent before: its turn is looked for first. Absent: it is new. */
  mayBeKnown: Schema.optionalKey(Schema.Boolean)
})
export type Submission = typeof Submission.Type

export interface Reply {
  readonly from: StateName
  readonly to: StateName
  /** The turn that was submitted, or the one that was open, or the last one, when the event came. */
  readonly turn: number
  /** Every event that follows from this has a higher number. */
  readonly after: number
  /** The turn is that of the same submission, which has come before: nothing has changed. */
  readonly known?: SubmittedTurn
}

export type ReplyTo = Deferred.Deferred<Reply, EventRefused | ActorFailed>

type TurnEnded = Extract<SessionEvent, { readonly type: "turn.ended" }>

/** An event before the actor has numbered and dated it. */
export type Unstamped =
  | Exclude<SessionEvent, { readonly type: "turn.submitted" | "turn.ended" }>
  | Omit<TurnEnded, "at">

export type Incoming = Unstamped | Submission

export interface Envelope {
  /** `wake` only loads the session, which settles what was left to settle. */
  readonly event: Incoming | "wake"
  /** Who caused it, for the audit trail: an app's name, `admin`, or `troupe`. */
  readonly by: string
  /** Absent where nobody waits for a reply. */
  readonly replyTo?: ReplyTo
  /** Which arming of which timer this came from: the event of a timer disarmed meanwhile is dropped. */
  readonly timer?: { readonly id: string; readonly arming: number }
  /** What the agent reported with the end of a turn. */
  readonly usage?: Usage | null
  /** What the agent asks, with `approval.asked`. */
  readonly approval?: ApprovalRecord
  /** How it was settled, with `approval.settled`; absent: its deadline has passed. */
  readonly resolution?: Resolution
  /** For the agent, with the secret ones, which are in no `resolution`. */
  readonly answers?: Answers
  /** The line of the agent that it came from (`WireLine`), stored with the step. */
  readonly wire?: string | null
  /** Why the agent has forgotten what was said before, where it has. */
  readonly contextLost?: string | null
}

export const isSubmission = (event: Incoming): event is Submission => "prompt" in event

/** The event as the machine receives it, numbered and dated by the actor. */
export const stamped = (incoming: Incoming, turn: number, at: number): SessionEvent => {
  if (!isSubmission(incoming)) return incoming.type === "turn.ended" ? { ...incoming, at } : incoming
  const { queue, timeoutMillis } = incoming
  return { type: "turn.submitted", turn, timeoutMillis, queue, at }
}
