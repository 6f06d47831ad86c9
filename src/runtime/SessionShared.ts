/** What all sessions of one runtime share. */
import { Context, Effect, FiberSet, Layer } from "effect"
import { sessionMachineWith } from "../../machines/session/machine.ts"
import type { SessionMachine } from "../../machines/session/machine.ts"
import * as Observers from "./CommitObservers.ts"
import * as Refusals from "./RefusedEvents.ts"
import { RuntimeSettings } from "./RuntimeSettings.ts"

/** Ten thousand machines and hubs would cost more than ten thousand sessions. */
export class SessionShared extends Context.Service<
  SessionShared,
  {
    readonly machine: SessionMachine
    readonly observers: Observers.CommitObservers
    readonly refusedEvents: Refusals.RefusedEvents
  }
>()("troupe/runtime/SessionShared") {
  static readonly layer = Layer.effect(
    SessionShared,
    Effect.gen(function* () {
      const { limits } = yield* RuntimeSettings
      const run = yield* FiberSet.makeRuntime<never>()
      const observers = Observers.make((session, error) => {
        run(Effect.logError(`An observer of session ${session} threw`, error))
      })
      return SessionShared.of({ machine: sessionMachineWith(limits), observers, refusedEvents: Refusals.make() })
    })
  )
}
