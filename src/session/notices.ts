/** What a step means to those outside. Pure: it is called for the commit, whose webhooks are owed by the same notices. */
import { stateInfo } from "../../machines/session/stateInfo.ts"
import type { Notice } from "../domain/Notice.ts"
import { noUsage } from "../domain/Turn.ts"
import type { SessionRecord } from "../domain/Session.ts"
import type { CommitPlan } from "./commit.ts"
import type { Step } from "./Step.ts"

/** In the order in which they are to be told: what died comes before the turn that it failed. */
export const noticesOf = (
  previous: SessionRecord,
  step: Step,
  { approvals, record, settled }: Pick<CommitPlan, "approvals" | "record" | "settled">
): ReadonlyArray<Notice> => {
  const { before, decision, event, from, resolution, to } = step
  const { limit, reason, restarts, turn } = decision.next.context
  const notices: Array<Notice> = []
  const died = deathIn(step)
  if (died !== null) notices.push(died)
  if (approvals.asked !== null) notices.push({ _tag: "ApprovalAsked", turn, approval: approvals.asked })
  if (event.type === "approval.settled" && (resolution === null || resolution.status === "expired")) {
    notices.push({ _tag: "ApprovalExpired", turn: before.context.turn, id: event.id })
  }
  const running = before.hasTag("turnOpen") ? before.context.turn : null
  for (const { failure, status, stopReason, turn } of settled) {
    const usage = turn === running ? (step.usage ?? noUsage) : noUsage
    notices.push({ _tag: "TurnEnded", turn, status, stopReason, failure, usage })
  }
  if (record.restarts > previous.restarts) notices.push({ _tag: "ProcessRestarted", attempt: restarts.attempt })
  if (from !== to && stateInfo[to].process === "parked") {
    notices.push({ _tag: "SessionParked", reason, until: limit.pauseMillis > 0 ? limit.until : null })
  }
  if (decision.next.status === "done") notices.push({ _tag: "SessionClosed", reason })
  return notices
}

const lost = "Troupe, or the session's actor, stopped, and the process was ended with it."

/** One that was asked to exit has not died. */
const deathIn = ({ before, event }: Step): Notice | null => {
  if (before.hasTag("retiring")) return null
  switch (event.type) {
    case "process.exited":
    case "process.failed":
      return { _tag: "ProcessDied", class: event.failure.class, reason: event.failure.message }
    case "process.lost":
      return before.context.process ? { _tag: "ProcessDied", class: "crash", reason: lost } : null
    default:
      return null
  }
}
