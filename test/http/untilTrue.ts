import { Effect } from "effect"

/** Waits, turn by turn of the event loop, until what a script records has come. */
export const untilTrue = (done: () => boolean) =>
  Effect.promise(async () => {
    while (!done()) await new Promise((resolve) => setImmediate(resolve))
  })
