/** One step of a session: what was decided, on what, when and by whom. */
import type { Decision } from "../../machines/decide.ts"
import type { SessionEvent, SessionMachine, SessionSnapshot } from "../../machines/session/machine.ts"
import { stateName } from "../../machines/session/stateInfo.ts"
import type { StateName } from "../../machines/session/stateInfo.ts"
import type { ApprovalRecord, Resolution } from "../domain/Approval.ts"
import type { Answers } from "../domain/Question.ts"
import type { Usage } from "../domain/Turn.ts"
import { isSubmission } from "./Envelope.ts"
import type { Envelope, Submission } from "./Envelope.ts"

export interface Step {
  readonly seq: number
  readonly at: number
  readonly by: string
  readonly event: SessionEvent
  readonly from: StateName
  readonly to: StateName
  readonly before: SessionSnapshot
  readonly decision: Decision<SessionMachine>
  readonly submission: Submission | null
  /** The open turn, where it is a compaction. */
  readonly compaction: number | null
  readonly usage: Usage | null
  readonly contextLost: string | null
  readonly approval: ApprovalRecord | null
  readonly resolution: Resolution | null
  /** For the agent only: they may be secret. */
  readonly answers: Answers | null
  /** The line of the agent that it came from. */
  readonly wire: string | null
  /** Timers that are over with this step, the one that fired included. */
  readonly disarmed: ReadonlyArray<string>
  /** What brings a turn to an agent stays in the outbox: another node, or the next start of Troupe, goes on with it. */
  readonly heldBack: boolean
}

/** A step that is not dated yet: its time is the commit's. */
export type Draft = Omit<Step, "at">

export const draftOf = (
  { seq, snapshot: before }: { readonly seq: number; readonly snapshot: SessionSnapshot },
  compaction: number | null,
  envelope: Envelope,
  event: SessionEvent,
  decision: Decision<SessionMachine>,
  heldBack: boolean
): Draft => ({
  seq: seq + 1,
  by: envelope.by,
  event,
  from: stateName(before),
  to: stateName(decision.next),
  before,
  decision,
  submission: envelope.event !== "wake" && isSubmission(envelope.event) ? envelope.event : null,
  compaction,
  usage: envelope.usage ?? null,
  contextLost: envelope.contextLost ?? null,
  approval: envelope.approval ?? null,
  resolution: envelope.resolution ?? null,
  answers: envelope.answers ?? null,
  wire: envelope.wire ?? null,
  disarmed: envelope.timer === undefined ? decision.cancel : [envelope.timer.id, ...decision.cancel],
  heldBack
})
