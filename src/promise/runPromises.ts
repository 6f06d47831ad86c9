/** The edge between promises and effects: runs effects with the services of a runtime, and rejects with a `TroupeError`. */
import { Exit, Stream } from "effect"
import type { Cause, Context, Effect, ManagedRuntime } from "effect"
import type { TroupeError } from "./TroupeError.ts"

export interface Promises<R> {
  readonly run: <A, E>(effect: Effect.Effect<A, E, R>) => Promise<A>
  /** Leaving the iteration closes the stream. */
  readonly iterate: <A, E, E2>(stream: Effect.Effect<Stream.Stream<A, E, R>, E2, R>) => AsyncIterable<A>
}

export const promisesOf = <R, E>(
  runtime: ManagedRuntime.ManagedRuntime<R, E>,
  services: Context.Context<R>,
  errorOf: (cause: Cause.Cause<unknown>) => TroupeError
): Promises<R> => {
  const run: Promises<R>["run"] = async (effect) => {
    const exit = await runtime.runPromiseExit(effect)
    if (Exit.isFailure(exit)) throw errorOf(exit.cause)
    return exit.value
  }
  return {
    run,
    iterate: (stream) => ({
      [Symbol.asyncIterator]: async function* () {
        const events = await run(stream)
        const failing = Stream.catchCause(events, (cause) => Stream.fail(errorOf(cause)))
        yield* Stream.toAsyncIterableWith(failing, services)
      }
    })
  }
}
