/** Bounds what an agent is waited for. */
import { Effect, Option } from "effect"
import { Suspension } from "../domain/Suspension.ts"

/** Completes after so much time in which this process ran. */
const passed = Effect.fnUntraced(function* (millis: number) {
  const suspension = yield* Suspension
  let left = millis
  while (left > 0) {
    const before = suspension.stoppedMillis()
    yield* Effect.sleep(left)
    suspension.look()
    left = suspension.stoppedMillis() - before
  }
})

/**
 * `Effect.timeoutOption`, but time in which Troupe was stopped does not count: the answer that came meanwhile is in the
 * agent's pipe, and Troupe has not read it yet.
 */
export const timeoutOption = <A, E, R>(effect: Effect.Effect<A, E, R>, millis: number) =>
  Effect.raceFirst(Effect.asSome(effect), Effect.as(passed(millis), Option.none<A>()))

/** `Effect.timeoutOrElse` in the same way. */
export const timeoutOrElse =
  <B, E2, R2>(options: { readonly millis: number; readonly orElse: () => Effect.Effect<B, E2, R2> }) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A | B, E | E2, R | R2> =>
    Effect.flatMap(
      timeoutOption(effect, options.millis),
      Option.match({ onNone: options.orElse, onSome: (a): Effect.Effect<A | B, E | E2, R | R2> => Effect.succeed(a) })
    )
