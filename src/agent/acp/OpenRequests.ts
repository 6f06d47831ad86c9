/** The agent's open requests to its client: each is answered, or withdrawn by the agent or with its turn. */
import { Deferred, Effect } from "effect"
import { objectIn } from "../../domain/json.ts"

export interface OpenRequests {
  /** Gives the answer, or `withdrawn`. An agent waits for ever, so there always is one. `id`: the agent's of its request. */
  readonly answer: <A>(id: unknown, withdrawn: A, decide: Effect.Effect<A>) => Effect.Effect<A>
  /** Withdraws one request for the agent (`$/cancel_request`); the others stay open. */
  readonly cancel: (params: unknown) => Effect.Effect<void>
  /** Withdraws all, as ACP demands of a client that cancels. */
  readonly withdrawAll: Effect.Effect<void>
  readonly areOpen: () => boolean
}

export const make = (): OpenRequests => {
  const open = new Map<unknown, Deferred.Deferred<void>>()

  const withdraw = (withdrawal: Deferred.Deferred<void>) => Deferred.succeed(withdrawal, undefined)

  return {
    answer: (id, withdrawn, decide) =>
      Effect.suspend(() => {
        const withdrawal = Deferred.makeUnsafe<void>()
        open.set(id, withdrawal)
        return decide.pipe(
          Effect.raceFirst(Effect.as(Deferred.await(withdrawal), withdrawn)),
          Effect.ensuring(Effect.sync(() => open.get(id) === withdrawal && open.delete(id)))
        )
      }),
    cancel: (params) =>
      Effect.suspend(() => {
        const withdrawal = open.get(objectIn(params)["requestId"])
        return withdrawal === undefined ? Effect.void : Effect.asVoid(withdraw(withdrawal))
      }),
    withdrawAll: Effect.suspend(() => Effect.forEach([...open.values()], withdraw, { discard: true })),
    areOpen: () => open.size > 0
  }
}
