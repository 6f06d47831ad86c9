/** Whether the runtime still takes new work: set by `Operator.drain`, checked by every service that begins some. */
import { Context, Layer } from "effect"

export class DrainState extends Context.Service<
  DrainState,
  { readonly draining: () => boolean; readonly drain: () => void }
>()("troupe/runtime/DrainState") {
  static readonly layer = Layer.sync(DrainState, () => {
    let draining = false
    return DrainState.of({ draining: () => draining, drain: () => void (draining = true) })
  })
}
