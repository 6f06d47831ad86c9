/** What the agent asked for: the open questions with their answers, then how the others came out. */
import { ApprovalCard } from "../../approvals/ApprovalCard.tsx"
import type { Approval } from "../../../contract.ts"
import type { Detail } from "../../../sessionContract.ts"
import { now } from "../../clock.ts"
import { clockTime } from "../../../client/format.ts"
import type { Store } from "../store.ts"

export const Approvals = ({ detail, store }: { readonly store: Store; readonly detail: Detail }) => {
  const isOpen = ({ status }: Approval) => status === "pending" && store.api !== null
  const open = detail.approvals.filter(isOpen)
  const settled = detail.approvals.filter((approval) => !isOpen(approval)).toReversed()
  return (
    <div class="approvals" tabIndex={0} role="region" aria-label="Approvals">
      {detail.approvals.length === 0 ? <p class="dim">The agent has asked for nothing.</p> : null}
      {open.map((approval) => (
        <ApprovalCard key={approval.approval_id} approval={approval} withSession={false} />
      ))}
      {settled.length === 0 ? null : <h2>Settled</h2>}
      <ul class="settled">
        {settled.map(
          ({ answers, approval_id, created_at, decided_by, decision, fields, kind, status, title, turn }) => (
            <li key={approval_id}>
              <time>{clockTime(created_at, now.peek())}</time>
              <code>{title}</code>
              <span class="dim">
                {kind}, turn {turn}
              </span>
              {answers === null ? null : <code>{JSON.stringify(answers)}</code>}
              <b class={decision === "deny" || decision === null ? "bad" : "good"}>
                {status === "answered" ? `${wordOf(decision, fields !== null)} by ${decided_by ?? "someone"}` : status}
              </b>
            </li>
          )
        )}
      </ul>
    </div>
  )
}

const wordOf = (decision: Approval["decision"], isQuestion: boolean) =>
  !isQuestion ? decision : decision === "deny" ? "declined" : "answered"
