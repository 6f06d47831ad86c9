/**
 * What a step means for approvals: rows, messages, audit lines and deadlines, all for the step's own commit.
 *
 * Pure. An approval is open exactly while its session is in a state with the tag `approvalsOpen`. Whichever way it
 * leaves such a state, the same commit withdraws what is still open, also at the recovery after a crash.
 */
import type { TroupeMessage } from "../domain/Acp.ts"
import { troupeMessage } from "../domain/events/troupeMessage.ts"
import type { ApprovalDecision, ApprovalRecord, Resolution } from "../domain/Approval.ts"
import type { Answers } from "../domain/Question.ts"
import type { SessionRecord } from "../domain/Session.ts"
import type { LedgerWrite } from "../ledger/Ledger.ts"
import type { Step } from "./Step.ts"

export interface ApprovalEntries {
  readonly entries: ReadonlyArray<LedgerWrite>
  readonly messages: ReadonlyArray<{ readonly turn: number; readonly message: TroupeMessage }>
  /** For the agent's requests that wait (`PendingApprovals`). */
  readonly decided: ReadonlyArray<{ readonly id: string } & Settled>
  /** A new approval, whose deadline is to be armed. */
  readonly asked: ApprovalRecord | null
}

/** What the agent is answered. */
export interface Settled {
  readonly decision: ApprovalDecision
  /** To a question; `null`: none. */
  readonly answers: Answers | null
}

/** The timer of an approval's deadline. */
export const approvalTimer = (id: string): string => `approval ${id}`

const withdrawal: Resolution = { status: "withdrawn", decision: "deny" }

export const approvalEntries = ({ app, id: session }: SessionRecord, step: Step): ApprovalEntries => {
  const { at, before, by, decision, event, resolution } = step
  const { turn } = before.context
  const entries: Array<LedgerWrite> = []
  const messages: Array<ApprovalEntries["messages"][number]> = []
  const decided: Array<ApprovalEntries["decided"][number]> = []

  const settle = (id: string, how: Resolution, who: string, reason: string | null) => {
    const { answers, decision, status } = how
    const detail = {
      approval_id: id,
      status,
      decision,
      ...(answers === undefined ? {} : { answers }),
      decided_by: who,
      ...(reason === null ? {} : { reason })
    }
    entries.push(
      { _tag: "ApprovalSettled", session, id, resolution: how, by: who, at },
      { _tag: "TimerDisarmed", session, timer: approvalTimer(id) },
      {
        _tag: "Audited",
        record: { at, session, app, action: "approval", actor: who, detail: { turn, ...detail } }
      }
    )
    messages.push({ turn, message: troupeMessage("approval_settled", detail) })
    decided.push({ id, decision, answers: id === settledNow ? step.answers : null })
  }

  const settledNow = event.type === "approval.settled" ? event.id : null
  // Only a passed deadline settles an approval without a resolution.
  if (settledNow !== null) settle(settledNow, resolution ?? { status: "expired", decision: "deny" }, by, null)
  const open = new Set(openIn(decision.next))
  for (const id of openIn(before)) {
    if (id !== settledNow && !open.has(id)) settle(id, withdrawal, "troupe", event.type)
  }

  const asked = event.type === "approval.asked" ? step.approval : null
  if (asked !== null) {
    const { createdAt, deadlineAt, fields, id, kind, title, toolCallId } = asked
    const params = {
      approval_id: id,
      kind,
      title,
      tool_call_id: toolCallId,
      fields,
      created_at: createdAt / 1000,
      deadline_at: deadlineAt / 1000
    }
    const fires = { type: "approval.settled", id } as const
    entries.push(
      { _tag: "ApprovalAsked", record: asked },
      { _tag: "TimerArmed", timer: { session, timer: approvalTimer(id), dueAt: deadlineAt, event: fires } }
    )
    messages.push({ turn, message: troupeMessage("approval_asked", params) })
  }
  return { entries, messages, decided, asked }
}

const openIn = (snapshot: Step["before"]): ReadonlyArray<string> =>
  snapshot.hasTag("approvalsOpen") ? snapshot.context.approvals : []
