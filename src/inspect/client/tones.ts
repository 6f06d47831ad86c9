/** The tone of a substate: a colour and a sign, which are only ever used together. */
import type { StateName } from "../../../machines/session/stateInfo.ts"
import type { State } from "../contract.ts"

export type Tone = State | "queued" | "asking" | "backing" | "parked"

/**
 * Substates that a reader should notice. Names, and not `stateInfo`, whose machine would add 17 kB to the 38 kB that the
 * page loads first; a test compares them with it.
 */
const special: Partial<Readonly<Record<StateName, Tone>>> = {
  "turning.queued": "queued",
  "turning.asking": "asking",
  "idle.backingOff": "backing",
  "idle.parked": "parked"
}

/** That of its state, where it is none of the special ones; of a state that this version does not know, that of `idle`. */
export const toneOf = (substate: string): Tone => {
  const tone = special[substate as StateName]
  if (tone !== undefined) return tone
  const state = stateOf(substate)
  return state === "turning" || state === "retiring" || state === "closed" ? state : "idle"
}

/** `turning` of `turning.asking`. */
export const stateOf = (substate: string): string => substate.split(".", 1)[0] ?? ""

/** `asking` of `turning.asking`, as words: `backing off` of `idle.backingOff`. Empty where there is none. */
export const substateWords = (substate: string): string =>
  substate
    .slice(stateOf(substate).length + 1)
    .replaceAll(".", " ")
    .replaceAll(/([a-z])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`)
