/** The edge between promises and effects: runs an effect in the embedded runtime, and tells failures as `TroupeError`. */
import { Context, Effect, Exit, Layer, ManagedRuntime, Option, Stream } from "effect"
import type { Redacted } from "effect"
import { Operator } from "../services/Operator.ts"
import type { Settings } from "../domain/Settings.ts"
import * as RuntimeLayer from "../wiring.ts"
import type { ReviewOptions } from "../wiring.ts"
import { troupeError } from "./TroupeError.ts"

export interface Embedded {
  readonly run: <A, E>(effect: Effect.Effect<A, E, RuntimeLayer.PublicServices>) => Promise<A>
  /** Leaving the iteration lets the stream go. */
  readonly iterate: <A, E, E2>(
    stream: Effect.Effect<Stream.Stream<A, E>, E2, RuntimeLayer.PublicServices>
  ) => AsyncIterable<A>
  /** Drains, then ends everything. More than once is once. */
  readonly close: () => Promise<void>
}

/** `log` gets nothing of the caller's secrets; without one the runtime is silent. */
export const open = async (
  settings: Settings,
  adminToken: Redacted.Redacted<string>,
  options: { readonly drainMillis: number; readonly logging: Layer.Layer<never>; readonly reviews: ReviewOptions }
): Promise<Embedded> => {
  const layer = RuntimeLayer.layer(settings, { adminToken: Option.some(adminToken), reviews: options.reviews })
  const runtime = ManagedRuntime.make(Layer.provideMerge(layer, options.logging))
  const booted = await runtime.runPromiseExit(Effect.context<RuntimeLayer.PublicServices>())
  if (Exit.isFailure(booted)) {
    await runtime.dispose()
    throw troupeError(booted.cause)
  }
  const doors = booted.value

  const run: Embedded["run"] = async (effect) => {
    const exit = await runtime.runPromiseExit(effect)
    if (Exit.isFailure(exit)) throw troupeError(exit.cause)
    return exit.value
  }

  const iterate: Embedded["iterate"] = (stream) => ({
    [Symbol.asyncIterator]: async function* () {
      const ready = await run(stream)
      const failing = Stream.catchCause(ready, (cause) => Stream.fail(troupeError(cause)))
      yield* Stream.toAsyncIterableWith(failing, doors)
    }
  })

  const end = async () => {
    await run(Context.get(doors, Operator).drain(options.drainMillis)).finally(() => runtime.dispose())
  }
  let closed: Promise<void> | undefined
  return { run, iterate, close: () => (closed ??= end()) }
}
