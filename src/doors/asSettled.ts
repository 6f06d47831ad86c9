import type { ApprovalDecision } from "../domain/Approval.ts"
import type { TroupeParams } from "../domain/events/troupeMessage.ts"
import type { Answers } from "../domain/Question.ts"

/** The answer to an approval or to a question, as a protocol gives it. */
export interface Answered {
  readonly decision: ApprovalDecision
  readonly answers?: Answers
}

/** Whether the answer is the one that was settled: then it is the same answer again, and no other one. */
export const isAsSettled = ({ answers = {}, decision }: Answered, settled: TroupeParams["approval_settled"]): boolean =>
  decision === settled.decision &&
  Object.entries(settled.answers ?? {}).every(
    // A secret answer is not stored.
    ([field, value]) => value === null || JSON.stringify(value) === JSON.stringify(answers[field])
  )
