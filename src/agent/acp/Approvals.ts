/** The permission requests of an ACP connection: each is passed on for a decision, and withdrawn with its turn. */
import { Effect } from "effect"
import type { OpenRequest } from "../Agent.ts"
import type { OpenRequests } from "./OpenRequests.ts"
import * as Permission from "./permission.ts"
import type { TurnTracker } from "./TurnTracker.ts"

export class Approvals {
  readonly #tracker: TurnTracker
  readonly #openRequests: OpenRequests
  readonly #approve: OpenRequest["approve"]
  #count = 0

  constructor(tracker: TurnTracker, openRequests: OpenRequests, approve: OpenRequest["approve"]) {
    this.#tracker = tracker
    this.#openRequests = openRequests
    this.#approve = approve
  }

  /** Answers a `session/request_permission`, also a sub-agent's. One that is withdrawn is answered with `cancelled`. */
  answer(params: unknown, id: unknown, wire: string): Effect.Effect<Permission.Outcome> {
    return Effect.suspend(() => {
      const request = Permission.read(params)
      const described = this.#tracker.describe(request)
      if (described === null) return Effect.succeed(Permission.cancelled)
      const { action, kind, title, turn } = described
      const { toolCallId } = request
      const asked = { id: String((this.#count += 1)), turn, kind, title, action, toolCallId, raw: params, wire }
      const decided = Effect.map(this.#approve(asked), (decision) => {
        if (decision === "deny") this.#tracker.noteDenial()
        return Permission.outcome(request, kind, decision)
      })
      return this.#openRequests.answer(id, Permission.cancelled, decided)
    })
  }
}
