/** Approvals over HTTP: the pending ones of a session, and the answer to one. */
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
        const pending = yield* orProblem(sessions.approvals(yield* CurrentCaller, params.id))
        return { ok: true, count: pending.length, approvals: pending.map(approvalDto) } as const
      }),
      answer: Effect.fnUntraced(function* ({ params, payload }) {
        const caller = yield* CurrentCaller
        const { answers, decision } = payload
        const approval = yield* orProblem(sessions.answer(caller, params.id, params.approval_id, decision, answers))
        return { ok: true, ...approvalDto(approval) } as const
      })
    })
  })
)

const approvalDto = ({ id, raw, session: _, turn, ...rest }: ApprovalRecord) => ({
  approvalId: id,
  turnIndex: turn,
  raw: raw as Schema.Json,
  ...rest
})
