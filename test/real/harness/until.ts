/** Waits for a condition of another process, which gives no notice, and fails with the name of what did not happen. */
import { Effect } from "effect"

const intervalMillis = 20

/**
 * Long, because a run that succeeds never waits for so long: it costs nothing, and a machine that others use, too, may
 * take a minute for the start of an agent.
 */
const patientSeconds = 120

/** Returns the first answer of `look` that is neither `false` nor `undefined`. */
export const until = <A>(what: string, look: () => A | false | undefined, seconds = patientSeconds): Effect.Effect<A> =>
  Effect.gen(function* () {
    // By the clock: on a busy machine a look at all processes takes longer than the pause behind it.
    for (const end = Date.now() + seconds * 1000; Date.now() < end; yield* Effect.sleep(intervalMillis)) {
      const answer = look()
      if (answer !== false && answer !== undefined) return answer
    }
    return yield* Effect.die(new Error(`${what}: not within ${seconds} s`))
  })

/** Bounds an effect that ends by itself: where it does not, the test has found an endless wait. */
export const within = <A, E, R>(
  what: string,
  effect: Effect.Effect<A, E, R>,
  seconds = patientSeconds
): Effect.Effect<A, E, R> =>
  Effect.timeoutOrElse(effect, {
    duration: seconds * 1000,
    orElse: () => Effect.die(new Error(`${what}: not within ${seconds} s`))
  })
