/** Loads the pending approvals, and chooses and answers one. */
import type { Api, Problem } from "../../inspect/client/api.ts"
import { answerElsewhere } from "./approvals.ts"
import { moved } from "./Model.ts"
import type { Decision, Model } from "./Model.ts"
import type { Requests } from "./requests.ts"

/** Many steps in a row may concern approvals. */
const loadMillis = 300

interface Parts {
  readonly api: Api
  readonly model: Model
  readonly requests: Requests
  readonly notify: (text: string, tone?: "good" | "bad") => void
  readonly showProblem: (problem: Problem) => void
}

export const makeApprovalActions = ({ api, model, notify, requests: { delayed, request }, showProblem }: Parts) => {
  const load = delayed(loadMillis, () =>
    request(api.approvals(), ({ approvals }) => {
      model.approvals = approvals
      // Where the chosen one was answered elsewhere none is chosen, so that the next key does not answer another one.
      if (!approvals.some(({ approval_id }) => approval_id === model.approval)) model.approval = null
    })
  )

  return {
    load: load.start,
    choose: (by: number) => {
      const ids = model.approvals.map(({ approval_id }) => approval_id)
      model.approval = moved(ids, model.approval, by)
    },
    answer: (decision: Decision) => {
      const approval = model.approvals.find(({ approval_id }) => approval_id === model.approval)
      if (approval === undefined) return notify("Choose one first, with ↑ or ↓.", "bad")
      const { fields } = approval
      const isAnswerable = fields === null || decision === "deny" || (decision === "once" && fields.length === 0)
      if (!isAnswerable) return notify(answerElsewhere, "bad")
      request(
        api.answer(approval.session_id, approval.approval_id, { decision }),
        ({ note }) => {
          notify(note)
          load.start()
        },
        (problem) => {
          showProblem(problem)
          load.start()
        }
      )
    }
  }
}
