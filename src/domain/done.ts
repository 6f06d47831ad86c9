/** Effects that are done already: where most are, their fiber does not have to run them. */
import { Effect, Exit } from "effect"

/** Nothing of it is left to run. */
export const isDone = (effect: Effect.Effect<unknown, unknown, unknown>): boolean =>
  Exit.isExit(effect) && Exit.isSuccess(effect)

/** The second, made when the first is done: at once where that is so already. */
export const thenMake = <E1, E2>(
  first: Effect.Effect<void, E1>,
  second: () => Effect.Effect<void, E2>
): Effect.Effect<void, E1 | E2> => (isDone(first) ? second() : Effect.flatMap(first, second))
