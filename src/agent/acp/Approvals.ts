/** The permission requests of an ACP connection: each is passed on for a decision, and withdrawn with its turn. */
import { Deferred, Effect } from "effect"
import { objectIn } from "../../domain/json.ts"
import type { OpenRequest } from "../Agent.ts"
import * as Permission from "./permission.ts"
import type { TurnTracker } from "./TurnTracker.ts"

export interface Approvals {
  /**
   * Answers a `session/request_permission`, also a sub-agent's. An agent waits for its answer for ever, so there always is
   * one.
   */
  readonly answer: (params: unknown, id: unknown, wire: string) => Effect.Effect<Permission.Outcome>
  /** Withdraws one request for the agent (`$/cancel_request`), by the request's id; the others stay open. */
  readonly cancel: (params: unknown) => Effect.Effect<void>
  /** Answers all open requests with `cancelled`, as ACP demands of a client that cancels. */
  readonly withdrawAll: Effect.Effect<void>
}

export const make = (tracker: TurnTracker, approve: OpenRequest["approve"]): Approvals => {
  /** By the agent's request id: how an open request is withdrawn. */
  const withdrawals = new Map<unknown, Deferred.Deferred<Permission.Outcome>>()
  let count = 0

  const withdraw = (withdrawal: Deferred.Deferred<Permission.Outcome>) =>
    Deferred.succeed(withdrawal, Permission.cancelled)

  const answer: Approvals["answer"] = (params, id, wire) =>
    Effect.suspend(() => {
      const request = Permission.read(params)
      const described = tracker.describe(request)
      if (described === null) return Effect.succeed(Permission.cancelled)
      const { action, kind, title, turn } = described
      const { toolCallId } = request
      const withdrawal = Deferred.makeUnsafe<Permission.Outcome>()
      withdrawals.set(id, withdrawal)
      return approve({ id: String((count += 1)), turn, kind, title, action, toolCallId, raw: params, wire }).pipe(
        Effect.map((decision) => {
          if (decision === "deny") tracker.noteDenial()
          return Permission.outcome(request, kind, decision)
        }),
        Effect.raceFirst(Deferred.await(withdrawal)),
        Effect.ensuring(Effect.sync(() => withdrawals.get(id) === withdrawal && withdrawals.delete(id)))
      )
    })

  const cancel: Approvals["cancel"] = (params) =>
    Effect.suspend(() => {
      const withdrawal = withdrawals.get(objectIn(params)["requestId"])
      return withdrawal === undefined ? Effect.void : Effect.asVoid(withdraw(withdrawal))
    })

  const withdrawAll = Effect.suspend(() => Effect.forEach([...withdrawals.values()], withdraw, { discard: true }))

  return { answer, cancel, withdrawAll }
}
