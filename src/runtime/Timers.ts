/** The timers of all sessions: deadlines, pauses, watchdogs. */
import { Context, Layer } from "effect"
import * as Alarms from "./Alarms.ts"

export class Timers extends Context.Service<Timers, Alarms.Alarms>()("troupe/runtime/Timers") {
  static readonly layer = Layer.effect(Timers, Alarms.make)
}
