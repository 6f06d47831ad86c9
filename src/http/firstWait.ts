/**
 * Waits for fibers of which most end soon, for the same time at most: one fiber of the server sleeps for all of them.
 * `Effect.timeoutOption` would begin two fibers for each of them.
 */
import { Clock, Effect } from "effect"
import type { Exit, Fiber } from "effect"

interface Wait {
  readonly untilMillis: number
  readonly giveUp: () => void
}

/** A fiber's exit, or `undefined` where it goes on after this time. It goes on too where the wait is interrupted. */
export const make = Effect.fnUntraced(function* (millis: number) {
  const clock = yield* Clock.Clock
  const now = () => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)
  /** In the order of their ends, as all are equally long. */
  const waits = new Set<Wait>()
  let wake = () => {}

  const untilOneIsThere = Effect.callback<void>((resume) => {
    wake = () => resume(Effect.void)
    if (waits.size > 0) wake()
  })
  yield* Effect.gen(function* () {
    yield* untilOneIsThere
    // Those that are added meanwhile are visited too.
    for (const wait of waits) {
      const leftMillis = wait.untilMillis - now()
      if (leftMillis > 0) yield* Effect.sleep(leftMillis)
      // It may have ended during the sleep.
      if (waits.delete(wait)) wait.giveUp()
    }
  }).pipe(Effect.forever, Effect.forkScoped)

  return <A, E>(fiber: Fiber.Fiber<A, E>): Effect.Effect<Exit.Exit<A, E> | undefined> =>
    Effect.callback((resume) => {
      const wait = { untilMillis: now() + millis, giveUp: () => resume(Effect.undefined) }
      waits.add(wait)
      wake()
      const forget = fiber.addObserver((exit) => {
        waits.delete(wait)
        resume(Effect.succeed(exit))
      })
      return Effect.sync(() => {
        waits.delete(wait)
        forget()
      })
    })
})
