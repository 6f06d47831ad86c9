/**
 * What a person may do to a session from the dashboard. Each action goes through `Sessions`, as the app's own requests
 * do, in the name of the logged-in caller, and so into the audit trail.
 */
import { Effect, Schema } from "effect"
import { Sessions } from "../../services/Sessions.ts"
import { ApprovalDecision } from "../../domain/Approval.ts"
import { Answers } from "../../domain/Question.ts"
import type { ProblemDetails } from "../../http/contract/Problem.ts"
import type { Done } from "../contract.ts"
import { bodyOf, post, routes } from "./route.ts"
import { idOf } from "./sessionReads.ts"

const Answer = Schema.Struct({ decision: ApprovalDecision, answers: Schema.optionalKey(Answers) })

const notAdmin = {
  code: "forbidden",
  status: 403,
  detail: "Only the admin may unpark a session: its agent keeps dying, and every app pays for its next starts."
} as const satisfies ProblemDetails

const done = (note: string): Done => ({ ok: true, note })

export const layer = routes(
  Effect.gen(function* () {
    const sessions = yield* Sessions
    return [
      post(
        "/sessions/:id/interrupt",
        Effect.fnUntraced(function* (context) {
          const interrupted = yield* sessions.interrupt(context.caller, idOf(context))
          return done(interrupted ? "The turn was interrupted." : "Nothing was running.")
        })
      ),
      post(
        "/sessions/:id/close",
        Effect.fnUntraced(function* (context) {
          const { alreadyClosed } = yield* sessions.close(context.caller, idOf(context))
          return done(alreadyClosed ? "The session was closed already." : "The session is closed.")
        })
      ),
      post(
        "/sessions/:id/unpark",
        Effect.fnUntraced(function* (context) {
          // First: for an app that does not own it, the session does not exist.
          const { id } = yield* sessions.get(context.caller, idOf(context))
          if (context.caller._tag !== "Admin") return yield* Effect.fail(notAdmin)
          const unparked = yield* sessions.unpark(id)
          return done(unparked ? "The session is unparked: its next turn starts a process." : "It was not parked.")
        })
      ),
      post(
        "/sessions/:id/approvals/:approval",
        Effect.fnUntraced(function* (context) {
          const { answers, decision } = yield* bodyOf(context.request, Answer)
          const approval = context.params["approval"] ?? ""
          const { fields } = yield* sessions.answer(context.caller, idOf(context), approval, decision, answers)
          return done(fields === null ? notes[decision] : decision === "deny" ? "Declined." : "Answered.")
        }),
        { takesBody: true }
      )
    ]
  })
)

const notes: Readonly<Record<ApprovalDecision, string>> = {
  once: "Approved, this once.",
  session: "Approved for as long as the agent's process lives.",
  deny: "Denied."
}
