/** The edge between promises and effects: runs effects in the embedded runtime, and rejects with a `TroupeError`. */
import { Context, Effect, Exit, Layer, ManagedRuntime, Option, Stream } from "effect"
import type { Redacted } from "effect"
import { Operator } from "../services/Operator.ts"
import type { Settings } from "../domain/Settings.ts"
import * as Runtime from "../wiring.ts"
import type { ReviewOptions } from "../wiring.ts"
import { troupeError } from "./TroupeError.ts"

export interface Embedded {
  readonly run: <A, E>(effect: Effect.Effect<A, E, Runtime.PublicServices>) => Promise<A>
  /** Leaving the iteration closes the stream. */
  readonly iterate: <A, E, E2>(
    stream: Effect.Effect<Stream.Stream<A, E>, E2, Runtime.PublicServices>
  ) => AsyncIterable<A>
  /** Drains, then ends everything. Further calls return the same promise. */
  readonly close: () => Promise<void>
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

  const run: Embedded["run"] = async (effect) => {
    const exit = await runtime.runPromiseExit(effect)
    if (Exit.isFailure(exit)) throw troupeError(exit.cause)
    return exit.value
  }

  const iterate: Embedded["iterate"] = (stream) => ({
    [Symbol.asyncIterator]: async function* () {
      const events = await run(stream)
      const failing = Stream.catchCause(events, (cause) => Stream.fail(troupeError(cause)))
      yield* Stream.toAsyncIterableWith(failing, services)
    }
  })

  const end = async () => {
    await run(Context.get(services, Operator).drain(options.drainMillis)).finally(() => runtime.dispose())
  }
  let closed: Promise<void> | undefined
  return { run, iterate, close: () => (closed ??= end()) }
}
