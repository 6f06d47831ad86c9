/**
 * Where turns, deaths and starts are counted for the overview of the fleet: in memory, so a turn pays some additions. Who stores it is
 * `services/fleetRecorder.ts`; without one nothing is counted.
 */
import { Context } from "effect"
import type { Tally } from "../domain/Tally.ts"

export const FleetCounts = Context.Reference<{
  readonly add: (app: string, agent: string, counted: Partial<Tally>) => void
}>("troupe/runtime/FleetCounts", { defaultValue: () => ({ add: () => undefined }) })
