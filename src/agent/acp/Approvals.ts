/** The permission requests of an ACP connection: each is passed on for a decision, and withdrawn with its turn. */
import { Effect } from "effect"
import type { OpenRequest } from "../Agent.ts"
import type { OpenRequests } from "./OpenRequests.ts"
import * as Permission from "./permission.ts"
import type { TurnTracker } from "./TurnTracker.ts"

export interface Approvals {
  /** Answers a `session/request_permission`, also a sub-agent's. One that is withdrawn is answered with `cancelled`. */
  readonly answer: (params: unknown, id: unknown, wire: string) => Effect.Effect<Permission.Outcome>
}

export const make = (tracker: TurnTracker, openRequests: OpenRequests, approve: OpenRequest["approve"]): Approvals => {
  let count = 0

  const answer: Approvals["answer"] = (params, id, wire) =>
    Effect.suspend(() => {
      const request = Permission.read(params)
      const described = tracker.describe(request)
      if (described === null) return Effect.succeed(Permission.cancelled)
      const { action, kind, title, turn } = described
      const { toolCallId } = request
      const decided = approve({
        id: String((count += 1)),
        turn,
        kind,
        title,
        action,
        toolCallId,
        raw: params,
        wire
      }).pipe(
        Effect.map((decision) => {
          if (decision === "deny") tracker.noteDenial()
          return Permission.outcome(request, kind, decision)
        })
      )
      return openRequests.answer(id, Permission.cancelled, decided)
    })

  return { answer }
}
