/** What all sessions of one runtime share. */
import { Context, Effect, Layer } from "effect"
import { sessionMachineWith } from "../../machines/session/machine.ts"
import type { SessionMachine } from "../../machines/session/machine.ts"
import * as RefusedEvents from "./RefusedEvents.ts"
import { longestDefaultStartMillis, startMillisOf } from "../domain/Settings.ts"
import type { Settings } from "../domain/Settings.ts"
import { RuntimeSettings } from "./RuntimeSettings.ts"
import { Silences } from "./Silences.ts"

/** An agent's own deadline comes first, because it can say what the agent waits for. */
const startMarginMillis = 15_000

const startWithin = (agents: Settings["agents"]): number =>
  Math.max(longestDefaultStartMillis, ...Object.values(agents).map((spec) => startMillisOf(spec) ?? 0)) +
  startMarginMillis

/** One of each for all sessions: ten thousand machines would cost more than ten thousand sessions. */
export class SessionShared extends Context.Service<
  SessionShared,
  {
    readonly machine: SessionMachine
    readonly refusedEvents: RefusedEvents.RefusedEvents
    readonly silences: Silences
  }
>()("troupe/runtime/SessionShared") {
  static readonly layer = Layer.effect(
    SessionShared,
    Effect.gen(function* () {
      const { agents, limits } = yield* RuntimeSettings
      return SessionShared.of({
        machine: sessionMachineWith({ ...limits, startWithinMillis: startWithin(agents) }),
        refusedEvents: RefusedEvents.make(),
        silences: new Silences()
      })
    })
  )
}
