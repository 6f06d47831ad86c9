/** The inbox: every question that waits for a person, the most urgent first. */
import { useEffect, useRef } from "preact/hooks"
import { focusView } from "../app/focus.ts"
import { plural } from "../../client/format.ts"
import { ProblemBox } from "../ui/Problem.tsx"
import { ApprovalCard } from "./ApprovalCard.tsx"
import { pending, problem, refresh } from "./inbox.ts"

/** The server sends no more at once. */
const mostTold = 500

export const ApprovalsView = () => {
  useEffect(() => void refresh(), [])
  const approvals = pending.value
  // The answered one takes the focus with it.
  const shownCount = useRef(0)
  const count = approvals?.length ?? 0
  useEffect(() => {
    if (count < shownCount.current && document.activeElement === document.body) focusView()
    shownCount.current = count
  }, [count])
  return (
    <main id="view" class="view" tabIndex={-1} aria-busy={approvals === undefined}>
      <div class="inbox">
        <h1>Approvals</h1>
        <p class="dim" role="status">
          {approvals === undefined || approvals.length === 0
            ? ""
            : `${plural(approvals.length, "question")} of agents${approvals.length < mostTold ? "" : ", and perhaps more"}. Unanswered in time, each is declined.`}
        </p>
        {problem.value === undefined ? null : <ProblemBox problem={problem.value} onRetry={() => void refresh()} />}
        {approvals?.length === 0 && problem.value === undefined ? (
          <div class="empty">
            <h2>Nobody waits for an answer</h2>
            <p>When an agent asks for leave, or what you want, its question appears here at once.</p>
          </div>
        ) : null}
        {approvals
          ?.toSorted((a, b) => a.deadline_at - b.deadline_at)
          .map((approval) => (
            <ApprovalCard key={approval.approval_id} approval={approval} />
          ))}
      </div>
    </main>
  )
}
