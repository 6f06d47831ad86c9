/**
 * What a person may do to a session from the dashboard. Every one goes through the door that its app uses too, in the
 * name of who is logged in, and so into the audit trail.
 */
import { Effect, Schema } from "effect"
import { Sessions } from "../../services/Sessions.ts"
import { ApprovalDecision } from "../../domain/Approval.ts"
import type { ProblemDetails } from "../../http/contract/Problem.ts"
import type { Done } from "../contract.ts"
import { bodyOf, post, routes } from "./route.ts"
import { idOf } from "./sessionReads.ts"

const Answer = Schema.Struct({ decision: ApprovalDecision })

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
        Effect.fnUntraced(function* (asked) {
          const interrupted = yield* sessions.interrupt(asked.caller, idOf(asked))
          return done(interrupted ? "The turn was interrupted." : "Nothing was running.")
        })
      ),
      post(
        "/sessions/:id/close",
        Effect.fnUntraced(function* (asked) {
          const { alreadyClosed } = yield* sessions.close(asked.caller, idOf(asked))
          return done(alreadyClosed ? "The session was closed already." : "The session is closed.")
        })
      ),
      post(
        "/sessions/:id/unpark",
        Effect.fnUntraced(function* (asked) {
          // Another app's session is none that it may know of.
          const { id } = yield* sessions.get(asked.caller, idOf(asked))
          if (asked.caller._tag !== "Admin") return yield* Effect.fail(notAdmin)
          const unparked = yield* sessions.unpark(id)
          return done(unparked ? "The session is unparked: its next turn starts a process." : "It was not parked.")
        })
      ),
      post(
        "/sessions/:id/approvals/:approval",
        Effect.fnUntraced(function* (asked) {
          const { decision } = yield* bodyOf(asked.request, Answer)
          yield* sessions.answer(asked.caller, idOf(asked), asked.params["approval"] ?? "", decision)
          return done(says[decision])
        })
      )
    ]
  })
)

const says: Readonly<Record<ApprovalDecision, string>> = {
  once: "Approved, this once.",
  session: "Approved for as long as the agent's process lives.",
  deny: "Denied."
}
