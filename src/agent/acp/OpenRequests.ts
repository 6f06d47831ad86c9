/** The agent's open requests to its client: each is answered, or withdrawn by the agent or with its turn. */
import { Deferred, Effect } from "effect"
import { objectIn } from "../../domain/json.ts"

export class OpenRequests {
  /** Made with the first. */
  #open: Map<unknown, Deferred.Deferred<void>> | null = null

  /** Gives the answer, or `withdrawn`. An agent waits for ever, so there always is one. `id`: the agent's of its request. */
  answer<A>(id: unknown, withdrawn: A, decide: Effect.Effect<A>): Effect.Effect<A> {
    return Effect.suspend(() => {
      const withdrawal = Deferred.makeUnsafe<void>()
      const open = (this.#open ??= new Map())
      open.set(id, withdrawal)
      return decide.pipe(
        Effect.raceFirst(Effect.as(Deferred.await(withdrawal), withdrawn)),
        Effect.ensuring(Effect.sync(() => open.get(id) === withdrawal && open.delete(id)))
      )
    })
  }

  /** Withdraws one request for the agent (`$/cancel_request`); the others stay open. */
  cancel(params: unknown): Effect.Effect<void> {
    return Effect.suspend(() => {
      const withdrawal = this.#open?.get(objectIn(params)["requestId"])
      return withdrawal === undefined ? Effect.void : Effect.asVoid(withdraw(withdrawal))
    })
  }

  /** Withdraws all, as ACP demands of a client that cancels. */
  get withdrawAll(): Effect.Effect<void> {
    return Effect.suspend(() => Effect.forEach([...(this.#open?.values() ?? [])], withdraw, { discard: true }))
  }

  areOpen(): boolean {
    return this.#open !== null && this.#open.size > 0
  }
}

const withdraw = (withdrawal: Deferred.Deferred<void>) => Deferred.succeed(withdrawal, undefined)

export const make = (): OpenRequests => new OpenRequests()
