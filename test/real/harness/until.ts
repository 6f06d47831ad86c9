/** Waits for what becomes true by itself in another process, and says what did not when it does not. */
import { Effect } from "effect"

const lookEveryMillis = 20

/** The first answer of `look` that is neither `false` nor `undefined`. */
export const until = <A>(what: string, look: () => A | false | undefined, seconds = 30): Effect.Effect<A> =>
  Effect.gen(function* () {
    for (let looked = 0; looked < (seconds * 1000) / lookEveryMillis; looked++) {
      const found = look()
      if (found !== false && found !== undefined) return found
      yield* Effect.sleep(lookEveryMillis)
    }
    return yield* Effect.die(new Error(`${what}: not within ${seconds} s`))
  })

/** For what ends by itself, or else the test has found a wait without an end. */
export const within = <A, E, R>(what: string, effect: Effect.Effect<A, E, R>, seconds = 60): Effect.Effect<A, E, R> =>
  Effect.timeoutOrElse(effect, {
    duration: seconds * 1000,
    orElse: () => Effect.die(new Error(`${what}: not within ${seconds} s`))
  })
