/** What all sessions of one runtime share. */
import { Context, Effect, FiberSet, Layer } from "effect"
import { sessionMachineWith } from "../../machines/session/machine.ts"
import type { SessionMachine } from "../../machines/session/machine.ts"
import * as CommitObservers from "./CommitObservers.ts"
import * as RefusedEvents from "./RefusedEvents.ts"
import { RuntimeSettings } from "./RuntimeSettings.ts"

/** One of each for all sessions: ten thousand machines and hubs would cost more than ten thousand sessions. */
export class SessionShared extends Context.Service<
  SessionShared,
  {
    readonly machine: SessionMachine
    readonly observers: CommitObservers.CommitObservers
    readonly refusedEvents: RefusedEvents.RefusedEvents
  }
>()("troupe/runtime/SessionShared") {
  static readonly layer = Layer.effect(
    SessionShared,
    Effect.gen(function* () {
      const { limits } = yield* RuntimeSettings
      const run = yield* FiberSet.makeRuntime<never>()
      const observers = CommitObservers.make((session, error) => {
        run(Effect.logError(`An observer of session ${session} threw`, error))
      })
      return SessionShared.of({ machine: sessionMachineWith(limits), observers, refusedEvents: RefusedEvents.make() })
    })
  )
}
