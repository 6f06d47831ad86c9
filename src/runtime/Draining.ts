/** Whether the house is open: told by `Runtime.drain`, asked by every door. */
import { Context, Layer } from "effect"

export class Lifecycle extends Context.Service<
  Lifecycle,
  { readonly draining: () => boolean; readonly drain: () => void }
>()("troupe/actor/Lifecycle") {
  static readonly layer = Layer.sync(Lifecycle, () => {
    let draining = false
    return Lifecycle.of({ draining: () => draining, drain: () => void (draining = true) })
  })
}
