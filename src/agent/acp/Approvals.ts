/** Asks whoever may decide, and takes the question back when the turn that asked is over. */
import { Deferred, Effect } from "effect"
import type { OpenRequest } from "../Agent.ts"
import type { TurnTracker } from "./TurnTracker.ts"
import { objectIn } from "../../domain/json.ts"
import * as Permission from "./permission.ts"

export interface Approvals {
  /** The answer to a `session/request_permission`. An agent waits for it for ever, so there always is one. */
  readonly answer: (params: unknown, id: unknown, wire: string) => Effect.Effect<Permission.Outcome>
  /** The agent takes one question back (`$/cancel_request`), by the id of its request; others stay open. */
  readonly cancel: (params: unknown) => Effect.Effect<void>
  /** Answers all that is open with `cancelled`, as ACP demands of a client that cancels. */
  readonly withdrawAll: Effect.Effect<void>
}

export const make = (tracker: TurnTracker, approve: OpenRequest["approve"]): Approvals => {
  const open = new Map<unknown, Deferred.Deferred<Permission.Outcome>>()
  let asked = 0

  const cancel = (question: Deferred.Deferred<Permission.Outcome>) => Deferred.succeed(question, Permission.cancelled)

  const answer: Approvals["answer"] = (params, id, wire) =>
    Effect.suspend(() => {
      const question = Permission.read(params)
      // A session that we did not open (a sub-agent's) has nobody here to speak for it.
      if (question.sessionId !== tracker.thread) return Effect.succeed(Permission.cancelled)
      const { kind, title, turn } = tracker.describe(question)
      const { toolCallId } = question
      const takenBack = Deferred.makeUnsafe<Permission.Outcome>()
      open.set(id, takenBack)
      return approve({ id: String((asked += 1)), turn, kind, title, toolCallId, raw: params, wire }).pipe(
        Effect.map((decision) => {
          if (decision === "deny") tracker.noteDenial()
          return Permission.outcome(question, kind, decision)
        }),
        Effect.raceFirst(Deferred.await(takenBack)),
        Effect.ensuring(Effect.sync(() => open.get(id) === takenBack && open.delete(id)))
      )
    })

  const takeBack: Approvals["cancel"] = (params) =>
    Effect.suspend(() => {
      const question = open.get(objectIn(params)["requestId"])
      return question === undefined ? Effect.void : Effect.asVoid(cancel(question))
    })

  const withdrawAll = Effect.suspend(() => Effect.forEach([...open.values()], cancel, { discard: true }))

  return { answer, cancel: takeBack, withdrawAll: withdrawAll }
}
