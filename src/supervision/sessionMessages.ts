/**
 * What is asked of the machine that owns a session, and what it answers: JSON on both sides, so that it can be sent to
 * another machine. Nothing in it lives.
 *
 * An answer says what was decided, as far as only the owner could know it: which turn an interrupt was for, whether it is
 * still open. What is stored, the asker reads by itself.
 */
import { Schema } from "effect"
import { Resolution } from "../domain/Approval.ts"
import { SessionId } from "../domain/Ids.ts"
import { Answers } from "../domain/Question.ts"
import { Passing } from "../domain/Refusal.ts"
import { SessionSettings } from "../domain/Session.ts"
import { EventRefused, Submission } from "../session/Envelope.ts"
import { Look, Looked } from "./Looked.ts"

const asked = {
  session: SessionId,
  /** Who asks, for the audit trail: an app's name, `admin`, or `troupe`. */
  by: Schema.String
}

/** The session's state draws no arrow for what was asked: nothing has changed. */
const Taken = Schema.Struct({ isTaken: Schema.Boolean })

export const Submit = Schema.Struct({ ...asked, turn: Submission })
/** The turn is stored. */
export const Submitted = Schema.Struct({
  turn: Schema.Int,
  /** Each of its events has a higher number; 0 of one that is known, whose events the ledger has. */
  after: Schema.Int,
  /** It is that of the same submission, which has come before. */
  isKnown: Schema.Boolean,
  /** It has no outcome yet. */
  isOpen: Schema.Boolean
})
/** Another turn of the session was submitted under the same name. */
export class SubmissionConflict extends Schema.TaggedError<SubmissionConflict>()("SubmissionConflict", {
  id: SessionId,
  submission: Schema.String
}) {}

export const Interrupt = Schema.Struct({
  ...asked,
  reason: Schema.String,
  /** `null`: the one that runs. */
  turn: Schema.NullOr(Schema.Int)
})
export const Interrupted = Schema.Struct({
  ...Taken.fields,
  /** The one that is interrupted. */
  turn: Schema.Int,
  /** It has no outcome yet. */
  isOpen: Schema.Boolean
})

export const Steer = Schema.Struct({ ...asked, text: Schema.String })
export const Steered = Schema.Union([
  Schema.TaggedStruct("Steered", {}),
  Schema.TaggedStruct("NoTurn", {}),
  Schema.TaggedStruct("NotSupported", { problem: Schema.String }),
  Schema.TaggedStruct("Failed", { problem: Schema.String })
])

export const Answer = Schema.Struct({
  ...asked,
  approval: Schema.String,
  resolution: Resolution,
  /** For the agent, the secret ones included: they are in no log, and are stored nowhere. */
  answers: Schema.NullOr(Answers)
})

export const Close = Schema.Struct({
  ...asked,
  reason: Schema.String,
  /** A turn that runs may end first. */
  afterTurn: Schema.Boolean
})
export const Closing = Schema.Struct({
  ...Taken.fields,
  /** It closes after the turn that runs. */
  awaitsTurn: Schema.Boolean,
  /** No process of it is left. */
  isClosed: Schema.Boolean
})

export const Change = Schema.Struct({ ...asked, settings: SessionSettings })
/** Another agent, before the first turn: a message of its own, since an earlier node would leave out a member that it doesn't know. */
export const ChooseAgent = Schema.Struct({ ...asked, agent: Schema.String, settings: SessionSettings })
export const Unpark = Schema.Struct(asked)
/** To let go of the session, for another node. */
export const Release = Schema.Struct(asked)
export const Released = Schema.Union([
  Schema.TaggedStruct("Released", {}),
  /** A turn is with its agent: nothing was done. */
  Schema.TaggedStruct("AtWork", { turn: Schema.Int }),
  Schema.TaggedStruct("Closed", {})
])
/** To have the session, where nobody has it. */
export const Adopt = Schema.Struct(asked)

export const Hibernate = Schema.Struct({ ...asked, reason: Schema.String })

/**
 * The session's actor could not be kept alive, or its machine is about to stop: what was asked may have been done or not.
 * What is stored is intact. `passing` is what its cause says of itself, which is a text for another machine.
 */
export class SessionFailed extends Schema.TaggedError<SessionFailed>()("SessionFailed", {
  id: SessionId,
  passing: Schema.NullOr(Passing),
  cause: Schema.Defect()
}) {}

const message = <Q extends Schema.Top, A extends Schema.Top, E extends Schema.Top>(
  request: Q,
  answer: A,
  error: E
) => ({
  request,
  answer,
  error
})

/** Every message, by the name of what it asks for. */
export const sessionMessages = {
  submit: message(Submit, Submitted, Schema.Union([SessionFailed, EventRefused, SubmissionConflict])),
  interrupt: message(Interrupt, Interrupted, SessionFailed),
  steer: message(Steer, Steered, SessionFailed),
  answer: message(Answer, Taken, SessionFailed),
  close: message(Close, Closing, SessionFailed),
  change: message(Change, Taken, SessionFailed),
  chooseAgent: message(ChooseAgent, Taken, SessionFailed),
  unpark: message(Unpark, Taken, SessionFailed),
  hibernate: message(Hibernate, Taken, SessionFailed),
  release: message(Release, Released, SessionFailed),
  adopt: message(Adopt, Taken, SessionFailed),
  look: message(Look, Schema.Array(Looked), Schema.Never)
}
export type SessionMessages = typeof sessionMessages
