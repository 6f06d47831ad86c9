/** Asks whoever may decide, and takes the question back when the turn that asked is over. */
import { Deferred, Effect } from "effect"
import type { OpenRequest } from "../Agent.ts"
import type { Dialogue } from "./Dialogue.ts"
import * as Permission from "./Permission.ts"

export interface Approvals {
  /** The answer to a `session/request_permission`. An agent waits for it for ever, so there always is one. */
  readonly answer: (params: unknown) => Effect.Effect<Permission.Outcome>
  /** Answers all that is open with `cancelled`, as ACP demands of a client that cancels. */
  readonly withdraw: Effect.Effect<void>
}

export const make = (dialogue: Dialogue, approve: OpenRequest["approve"]): Approvals => {
  let withdrawn = Deferred.makeUnsafe<Permission.Outcome>()
  let asked = 0

  const answer: Approvals["answer"] = (params) =>
    Effect.suspend(() => {
      const question = Permission.read(params)
      // A session that we did not open (a sub-agent's) has nobody here to speak for it.
      if (question.sessionId !== dialogue.thread) return Effect.succeed(Permission.cancelled)
      const { kind, title, turn } = dialogue.asking(question)
      const { toolCallId } = question
      return approve({ id: String((asked += 1)), turn, kind, title, toolCallId, raw: params }).pipe(
        Effect.map((decision) => {
          if (decision === "deny") dialogue.noteDenial()
          return Permission.outcome(question, kind, decision)
        }),
        Effect.raceFirst(Deferred.await(withdrawn))
      )
    })

  const withdraw = Effect.suspend(() => {
    const open = withdrawn
    withdrawn = Deferred.makeUnsafe()
    return Effect.asVoid(Deferred.succeed(open, Permission.cancelled))
  })

  return { answer, withdraw }
}
