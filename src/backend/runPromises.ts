/** The edge between promises and effects: runs effects with the services of a runtime, and rejects with a `TroupeError`. */
import { Exit, Stream } from "effect"
import type { Cause, Context, Effect } from "effect"
import type { TroupeError } from "./TroupeError.ts"

export interface Promises<R> {
  readonly run: <A, E>(effect: Effect.Effect<A, E, R>) => Promise<A>
  /** Leaving the iteration closes the stream, also while it waits for the next. */
  readonly iterate: <A, E, E2>(stream: Effect.Effect<Stream.Stream<A, E, R>, E2, R>) => AsyncIterable<A>
}

/** `runExit`: with the services. */
export const promisesOf = <R>(
  runExit: <A, E>(effect: Effect.Effect<A, E, R>) => Promise<Exit.Exit<A, unknown>>,
  services: Context.Context<R>,
  errorOf: (cause: Cause.Cause<unknown>) => TroupeError
): Promises<R> => {
  const run: Promises<R>["run"] = async (effect) => {
    const exit = await runExit(effect)
    if (Exit.isFailure(exit)) throw errorOf(exit.cause)
    return exit.value
  }
  return {
    run,
    iterate: (stream) => ({
      [Symbol.asyncIterator]: () => {
        let opened: Promise<AsyncIterator<Success<typeof stream>>> | undefined
        let isLeft = false
        const open = async () => {
          const failing = Stream.catchCause(await run(stream), (cause) => Stream.fail(errorOf(cause)))
          return Stream.toAsyncIterableWith(failing, services)[Symbol.asyncIterator]()
        }
        const over = { done: true, value: undefined } as const
        return {
          next: async () => {
            if (isLeft) return over
            const events = await (opened ??= open())
            return isLeft ? over : events.next()
          },
          return: async () => {
            isLeft = true
            // What can't be opened has been told to whoever asked for the next.
            const events = await opened?.catch(() => undefined)
            await events?.return?.()
            return over
          }
        }
      }
    })
  }
}

type Success<S> = S extends Effect.Effect<Stream.Stream<infer A, infer _E, infer _R>, infer _E2, infer _R2> ? A : never
