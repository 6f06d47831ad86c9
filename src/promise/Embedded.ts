/** The runtime in this process, under promises. */
import { Context, Effect, Exit, Layer, ManagedRuntime, Option, Scope } from "effect"
import type { Redacted } from "effect"
import { Operator } from "../services/Operator.ts"
import type { Settings } from "../domain/Settings.ts"
import * as Runtime from "../wiring.ts"
import type { ReviewOptions } from "../wiring.ts"
import { promisesOf } from "../backend/runPromises.ts"
import type { Promises } from "../backend/runPromises.ts"
import { troupeError } from "../backend/TroupeError.ts"

export interface Embedded extends Promises<Runtime.PublicServices> {
  /** Drains, then ends everything. Further calls return the same promise. */
  readonly close: () => Promise<void>
  /** Closed with the runtime. */
  readonly scope: Scope.Scope
  /** Runs when turns have been waited for, before what answers requests is gone. */
  readonly onClose: (end: Effect.Effect<void>) => void
}

/** Rejects with a `TroupeError` where the runtime can't be opened. */
export const open = async (
  settings: Settings,
  adminToken: Redacted.Redacted<string>,
  options: { readonly drainMillis: number; readonly logging: Layer.Layer<never>; readonly reviews: ReviewOptions }
): Promise<Embedded> => {
  const layer = Runtime.layer(settings, { adminToken: Option.some(adminToken), reviews: options.reviews })
  const runtime = ManagedRuntime.make(Layer.provideMerge(layer, options.logging))
  const opened = await runtime.runPromiseExit(Effect.context<Runtime.PublicServices>())
  if (Exit.isFailure(opened)) {
    await runtime.dispose()
    throw troupeError(opened.cause)
  }
  const services = opened.value

  const promises = promisesOf((effect) => runtime.runPromiseExit(effect), services, troupeError)
  const scope = Scope.makeUnsafe()
  const endings: Array<Effect.Effect<void>> = []
  const end = async () => {
    // A stream ends by itself only with its session.
    const drained = promises.run(Context.get(services, Operator).drain(options.drainMillis))
    await drained
      .finally(() => promises.run(Effect.all(endings, { discard: true })))
      .finally(() => promises.run(Scope.close(scope, Exit.void)))
      .finally(() => runtime.dispose())
  }
  let closed: Promise<void> | undefined
  return { ...promises, scope, onClose: (ending) => void endings.push(ending), close: () => (closed ??= end()) }
}
