/** Ids are made by the platform's generator: a run's own are from its seed, so that it is the same each time. */
import { diceOf } from "./random.ts"

/** Returns what gives the generator back. */
export const seededIds = (seed: number): (() => void) => {
  const dice = diceOf(seed + 4)
  const { getRandomValues, randomUUID } = crypto
  crypto.getRandomValues = <A extends NodeJS.TypedArray>(into: A): A => {
    for (let at = 0; at < into.length; at++) into[at] = dice.below(256) as never
    return into
  }
  let last = 0
  crypto.randomUUID = () => `${String(seed).padStart(8, "0")}-0000-0000-0000-${String(++last).padStart(12, "0")}`
  return () => Object.assign(crypto, { getRandomValues, randomUUID })
}
