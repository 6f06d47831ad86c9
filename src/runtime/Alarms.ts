/**
 * Alarms, all of them rung by one fiber that sleeps until the earliest is due.
 *
 * A fiber for each would cost more than what it is for: most are disarmed within milliseconds and never become due. A disarmed
 * one never rings, however close it was (OTP's guarantee): its arming number no longer matches.
 */
import { Clock, Effect, Latch } from "effect"
import { Suspension } from "../domain/Suspension.ts"

interface AlarmEntry {
  readonly key: string
  readonly dueAt: number
  readonly arming: number
}

interface Armed {
  /** Counts armings, so that an entry of the heap can be told from a later arming of the same key. */
  readonly arming: number
  readonly fire: () => boolean
}

export interface Alarms {
  /**
   * Calls `fire` at `dueAt` (milliseconds since 1970), or at once where that has passed; it must not throw. `false`
   * says that it could not be delivered, as to a full mailbox: it is called again in 50 ms.
   */
  readonly arm: (key: string, dueAt: number, fire: () => boolean) => void
  readonly disarm: (key: string) => void
  readonly size: () => number
}

export const make = Effect.gen(function* () {
  const armed = new Map<string, Armed>()
  const changed = yield* Latch.make()
  const suspension = yield* Suspension
  let heap: Array<AlarmEntry> = []
  let armings = 0

  const arm = (key: string, dueAt: number, fire: () => boolean) => {
    const arming = ++armings
    armed.set(key, { arming, fire })
    // A disarmed timer's entry stays in the heap until it is due; many short turns would fill it with those.
    if (heap.length > 64 && heap.length > 4 * armed.size) {
      heap = heap.filter((entry) => armed.get(entry.key)?.arming === entry.arming)
      heap.sort((a, b) => a.dueAt - b.dueAt)
    }
    if (push(heap, { key, dueAt, arming }) === 0) changed.openUnsafe()
  }

  // Time in which nothing ran does not count. All entries move by the same, so their order stays.
  suspension.observe((millis) => {
    heap = heap.map((entry) => ({ ...entry, dueAt: entry.dueAt + millis }))
    changed.openUnsafe()
  })

  yield* Effect.gen(function* () {
    while (true) {
      yield* changed.close
      suspension.look()
      const now = yield* Clock.currentTimeMillis
      let next = heap[0]
      while (next !== undefined && next.dueAt <= now) {
        pop(heap)
        const entry = armed.get(next.key)
        if (entry?.arming === next.arming) {
          armed.delete(next.key)
          if (!entry.fire()) arm(next.key, now + retryMillis, entry.fire)
        }
        next = heap[0]
      }
      yield* next === undefined
        ? changed.await
        : Effect.raceFirst(changed.await, Effect.sleep(Math.min(next.dueAt - now, longestSleepMillis)))
    }
  }).pipe(Effect.forkScoped)

  const alarms: Alarms = { arm, disarm: (key) => void armed.delete(key), size: () => armed.size }
  return alarms
})

const retryMillis = 50

/** `setTimeout` counts in 31 bits. */
const longestSleepMillis = 2 ** 31 - 1

/** Inserts into a binary heap by `dueAt`, and returns the index of the new entry. */
const push = (heap: Array<AlarmEntry>, entry: AlarmEntry): number => {
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

const pop = (heap: Array<AlarmEntry>): void => {
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
