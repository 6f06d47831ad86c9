/** The ways to a moment of a session: to a step, to an event with its item of the transcript, to a turn, to a failure. */
import { say } from "../store.ts"
import { failureFrom } from "./model/outline.ts"
import { lastAtOrBefore } from "./time/axis.ts"
import type { Store } from "./store.ts"

/** So many steps lead to the step of this number; absent: it is not among those that are here. */
export const stepsTo = (steps: Store["steps"]["value"], seq: number): number | undefined => {
  if (seq === 0) return 0
  const index = steps.findIndex(({ step }) => step.seq === seq)
  return index === -1 ? undefined : index + 1
}

/** Stays there, also where it is the last one: who follows a link wants that moment, and not what comes after. */
export const goToStep = (store: Store, seq: number): boolean => {
  const count = stepsTo(store.steps.peek(), seq)
  if (count === undefined) return false
  store.pointed.value = null
  store.spot.value = null
  store.cursor.value = count
  return true
}

/** As it was when the item came that the event is in, with that item in sight. */
export const goToEvent = (store: Store, seq: number): boolean => {
  const key = store.itemOf(seq)
  return key !== undefined && goToItem(store, key)
}

export const goToItem = (store: Store, key: string): boolean => {
  const item = store.transcript.peek().find((each) => each.key === key)
  if (item === undefined) return false
  const times = store.steps.peek().map(({ step }) => step.at)
  store.pointed.value = null
  store.cursor.value = lastAtOrBefore(times, item.until) + 1
  store.spot.value = key
  store.tab.value = "transcript"
  return true
}

/** To its prompt, or where that is not here, to the moment at which it was submitted. */
export const goToTurn = (store: Store, index: number): void => {
  if (goToItem(store, `turn ${index}`)) return
  const turn = store.turns.peek().find((each) => each.index === index)
  if (turn === undefined) return
  const times = store.steps.peek().map(({ step }) => step.at)
  store.travel(lastAtOrBefore(times, turn.submitted_at) + 1)
}

export const goToFailure = (store: Store, way: "next" | "previous"): void => {
  const found = failureFrom(store.failures.peek(), store.moment.peek(), way)
  if (found === undefined) return say(way === "next" ? "Nothing failed after this moment" : "Nothing failed before it")
  store.pointed.value = null
  store.spot.value = null
  store.cursor.value = found.count
}
