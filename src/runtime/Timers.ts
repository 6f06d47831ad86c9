/**
 * Every timer of every session, kept by one fiber that sleeps until the earliest is due.
 *
 * A fiber per timer would cost more than the session it times: most are armed and disarmed within milliseconds and none
 * is ever due. A disarmed timer is never heard, however close it was (OTP's guarantee): its arming no longer matches.
 */
import { Clock, Context, Effect, Latch, Layer } from "effect"

interface TimerEntry {
  readonly key: string
  readonly dueAt: number
  readonly arming: number
}

interface Armed {
  readonly arming: number
  readonly fire: () => boolean
}

export class Timers extends Context.Service<
  Timers,
  {
    /**
     * `ring` runs at `dueAt` (milliseconds since 1970), or at once where that has passed; it must not throw. `false`:
     * nobody could hear it (a full mailbox is no reason to forget a deadline), so it rings again in 50 ms.
     */
    readonly arm: (key: string, dueAt: number, fire: () => boolean) => void
    readonly disarm: (key: string) => void
    readonly size: () => number
  }
>()("troupe/runtime/Timers") {
  static readonly layer = Layer.effect(
    Timers,
    Effect.gen(function* () {
      const armed = new Map<string, Armed>()
      const changed = yield* Latch.make()
      let heap: Array<TimerEntry> = []
      let armings = 0

      const arm = (key: string, dueAt: number, fire: () => boolean) => {
        const arming = ++armings
        armed.set(key, { arming, fire })
        // What was disarmed stays in the heap until it is due; many short turns would fill it with the dead.
        if (heap.length > 64 && heap.length > 4 * armed.size) {
          heap = heap.filter((entry) => armed.get(entry.key)?.arming === entry.arming)
          heap.sort((a, b) => a.dueAt - b.dueAt)
        }
        if (push(heap, { key, dueAt, arming }) === 0) changed.openUnsafe()
      }

      yield* Effect.gen(function* () {
        while (true) {
          yield* changed.close
          const now = yield* Clock.currentTimeMillis
          let next = heap[0]
          while (next !== undefined && next.dueAt <= now) {
            pop(heap)
            const entry = armed.get(next.key)
            if (entry?.arming === next.arming) {
              armed.delete(next.key)
              if (!entry.fire()) arm(next.key, now + 50, entry.fire)
            }
            next = heap[0]
          }
          yield* next === undefined
            ? changed.await
            : Effect.raceFirst(changed.await, Effect.sleep(Math.min(next.dueAt - now, longestSleepMillis)))
        }
      }).pipe(Effect.forkScoped)

      return Timers.of({ arm, disarm: (key) => void armed.delete(key), size: () => armed.size })
    })
  )
}

/** `setTimeout` counts in 31 bits. */
const longestSleepMillis = 2 ** 31 - 1

/** A binary heap by `dueAt`; the answer is where the new one came to stand. */
const push = (heap: Array<TimerEntry>, entry: TimerEntry): number => {
  let at = heap.push(entry) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (heap[parent]!.dueAt <= entry.dueAt) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = entry
  return at
}

const pop = (heap: Array<TimerEntry>): void => {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let at = 0
  while (true) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && heap[child + 1]!.dueAt < heap[child]!.dueAt) child++
    if (heap[child]!.dueAt >= last.dueAt) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
}
