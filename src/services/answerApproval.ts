/** What an app can do about its sessions' approvals: see those that wait, and answer one. */
import { Effect, Option } from "effect"
import type { ApprovalDecision } from "../domain/Approval.ts"
import { ApprovalNotFound, ApprovalSettled } from "../domain/Refusal.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { Supervisor } from "../supervision/Supervisor.ts"

export const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const supervisor = yield* Supervisor

  const find = Effect.fnUntraced(function* ({ id: session }: SessionRecord, id: string) {
    const approval = yield* ledger.approval(session, id)
    return Option.isNone(approval) ? yield* new ApprovalNotFound({ id }) : approval.value
  })

  const answer = Effect.fnUntraced(function* (
    session: SessionRecord,
    id: string,
    decision: ApprovalDecision,
    by: string
  ) {
    const { status } = yield* find(session, id)
    if (status !== "pending") return yield* new ApprovalSettled({ id, how: status })
    yield* supervisor
      .send(session.id, {
        event: { type: "approval.settled", id },
        by,
        resolution: { status: "answered", decision }
      })
      .pipe(
        // Somebody else, the clock or the end of its turn was faster.
        Effect.catchTag("EventRefused", () =>
          Effect.flatMap(find(session, id), ({ status }) => Effect.fail(new ApprovalSettled({ id, how: status })))
        )
      )
    return yield* find(session, id)
  })

  return { answer, pending: ({ id }: SessionRecord) => ledger.pendingApprovals(id) } as const
})
