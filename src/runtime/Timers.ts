/**
 * Every timer of every session, kept by one fiber that sleeps until the earliest is due.
 *
 * A fiber per timer would cost more than the session it times: most are armed and disarmed within milliseconds and none
 * is ever due. A disarmed timer is never heard, however close it was (OTP's guarantee): its arming no longer matches.
 */
import { Clock, Context, Effect, Latch, Layer } from "effect"

interface Alarm {
  readonly key: string
  readonly dueAt: number
  readonly arming: number
}

interface Armed {
  readonly arming: number
  readonly ring: () => boolean
}

export class Timekeeper extends Context.Service<
  Timekeeper,
  {
    /**
     * `ring` runs at `dueAt` (milliseconds since 1970), or at once where that has passed; it must not throw. `false`:
     * nobody could hear it (a full mailbox is no reason to forget a deadline), so it rings again in 50 ms.
     */
    readonly arm: (key: string, dueAt: number, ring: () => boolean) => void
    readonly disarm: (key: string) => void
    readonly size: () => number
  }
>()("troupe/actor/Timekeeper") {
  static readonly layer = Layer.effect(
    Timekeeper,
    Effect.gen(function* () {
      const armed = new Map<string, Armed>()
      const changed = yield* Latch.make()
      let heap: Array<Alarm> = []
      let armings = 0

      const arm = (key: string, dueAt: number, ring: () => boolean) => {
        const arming = ++armings
        armed.set(key, { arming, ring })
        // What was disarmed stays in the heap until it is due; many short turns would fill it with the dead.
        if (heap.length > 64 && heap.length > 4 * armed.size) {
          heap = heap.filter((alarm) => armed.get(alarm.key)?.arming === alarm.arming)
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
            const alarm = armed.get(next.key)
            if (alarm?.arming === next.arming) {
              armed.delete(next.key)
              if (!alarm.ring()) arm(next.key, now + 50, alarm.ring)
            }
            next = heap[0]
          }
          yield* next === undefined
            ? changed.await
            : Effect.raceFirst(changed.await, Effect.sleep(Math.min(next.dueAt - now, longestSleepMillis)))
        }
      }).pipe(Effect.forkScoped)

      return Timekeeper.of({ arm, disarm: (key) => void armed.delete(key), size: () => armed.size })
    })
  )
}

/** `setTimeout` counts in 31 bits. */
const longestSleepMillis = 2 ** 31 - 1

/** A binary heap by `dueAt`; the answer is where the new one came to stand. */
const push = (heap: Array<Alarm>, alarm: Alarm): number => {
  let at = heap.push(alarm) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (heap[parent]!.dueAt <= alarm.dueAt) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = alarm
  return at
}

const pop = (heap: Array<Alarm>): void => {
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
