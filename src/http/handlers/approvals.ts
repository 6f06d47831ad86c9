/** Approvals over HTTP: what waits, and the answer to one. */
import { Effect } from "effect"
import type { Schema } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Sessions } from "../../services/Sessions.ts"
import type { ApprovalRecord } from "../../domain/Approval.ts"
import { Api } from "../Api.ts"
import { CurrentCaller } from "../contract/Auth.ts"
import { orProblem } from "../problems.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "approvals",
  Effect.fnUntraced(function* (handlers) {
    const sessions = yield* Sessions

    return handlers.handleAll({
      list: Effect.fnUntraced(function* ({ params }) {
        const list = yield* orProblem(sessions.approvals(yield* CurrentCaller, params.id))
        return { ok: true, count: list.length, approvals: list.map(approvalView) } as const
      }),
      answer: Effect.fnUntraced(function* ({ params, payload }) {
        const caller = yield* CurrentCaller
        const settled = yield* orProblem(sessions.answer(caller, params.id, params.approval_id, payload.decision))
        return { ok: true, ...approvalView(settled) } as const
      })
    })
  })
)

const approvalView = ({ id, raw, session: _, turn, ...rest }: ApprovalRecord) => ({
  approvalId: id,
  turnIndex: turn,
  raw: raw as Schema.Json,
  ...rest
})
