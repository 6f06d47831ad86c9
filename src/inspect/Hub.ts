/** The news of all sessions, for whoever looks. */
import { Context, Effect, Layer } from "effect"
import { randomUUID } from "node:crypto"

export class Hub extends Context.Service<
  Hub,
  {
    /** Tells this life of the server apart from any other. */
    readonly boot: string
  }
>()("troupe/inspect/Hub") {
  static readonly layer = Layer.effect(
    Hub,
    Effect.sync(() => Hub.of({ boot: randomUUID() }))
  )
}
