/** What an app can do about its sessions' approvals: see those that wait, and answer one, also one that is a question. */
import { Effect, Option } from "effect"
import type { ApprovalDecision } from "../domain/Approval.ts"
import { checkAnswer, isProblem } from "../domain/checkAnswer.ts"
import type { Answers } from "../domain/Question.ts"
import { ApprovalNotFound, ApprovalSettled, InvalidRequest } from "../domain/Refusal.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { nameOfCaller } from "../runtime/Caller.ts"
import type { Caller } from "../runtime/Caller.ts"
import * as CheckAppBounds from "../runtime/checkAppBounds.ts"
import { SessionHost } from "../supervision/SessionHost.ts"
import { checkStorable } from "./checkStorable.ts"

export const make = Effect.gen(function* () {
  const checkAppBounds = yield* CheckAppBounds.make
  const ledger = yield* Ledger
  const host = yield* SessionHost

  const find = Effect.fnUntraced(function* ({ id: session }: SessionRecord, id: string) {
    const approval = yield* ledger.approval(session, id)
    return Option.isNone(approval) ? yield* new ApprovalNotFound({ id }) : approval.value
  })

  const answer = Effect.fnUntraced(function* (
    session: SessionRecord,
    id: string,
    decision: ApprovalDecision,
    answers: Answers | undefined,
    caller: Caller
  ) {
    const approval = yield* find(session, id)
    if (approval.status !== "pending") return yield* new ApprovalSettled({ id, how: approval.status })
    if (caller._tag === "App" && approval.fields === null && decision !== "deny") {
      yield* checkAppBounds(caller.app, { approvedKind: approval.kind })
    }
    yield* checkStorable({ answers })
    // What does not fit is refused before the session learns of it, so that the approval stays open.
    const checked = checkAnswer(approval, decision, answers)
    if (isProblem(checked)) return yield* new InvalidRequest(checked)
    const { isTaken } = yield* host.answer({
      session: session.id,
      by: nameOfCaller(caller),
      approval: id,
      resolution: {
        status: "answered",
        decision,
        ...(checked.stored === undefined ? {} : { answers: checked.stored })
      },
      answers: checked.answers ?? null
    })
    const settled = yield* find(session, id)
    // Somebody else, the clock or the end of its turn was faster.
    return isTaken ? settled : yield* new ApprovalSettled({ id, how: settled.status })
  })

  return { answer, pending: ({ id }: SessionRecord) => ledger.pendingApprovals(id) } as const
})
