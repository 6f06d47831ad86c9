/** A signal that follows another one, and changes no more often than that; together with `pulse`, where that changes first. */
import { effect, signal } from "@preact/signals"
import type { ReadonlySignal } from "@preact/signals"

export const seldom = <A>(
  source: ReadonlySignal<A>,
  everyMillis: number,
  pulse: ReadonlySignal<unknown>
): ReadonlySignal<A> => {
  const followed = signal(source.peek())
  let changedAt = -Infinity
  let waiting: ReturnType<typeof setTimeout> | undefined
  const take = () => {
    waiting = undefined
    changedAt = performance.now()
    followed.value = source.peek()
  }
  effect(() => {
    if (source.value === followed.peek() || waiting !== undefined) return
    const left = changedAt + everyMillis - performance.now()
    if (left <= 0) take()
    else waiting = setTimeout(take, left)
  })
  effect(() => {
    if (pulse.value === undefined || waiting === undefined) return
    clearTimeout(waiting)
    take()
  })
  return followed
}
