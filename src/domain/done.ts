/** Effects that are done already: where most are, their fiber does not have to run them. */
import { Exit } from "effect"
import type { Effect } from "effect"

/** Nothing of it is left to run. */
export const isDone = (effect: Effect.Effect<unknown, unknown, unknown>): boolean =>
  Exit.isExit(effect) && Exit.isSuccess(effect)
