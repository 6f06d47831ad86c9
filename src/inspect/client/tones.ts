/** The tone of a substate: a colour and a sign, which are only ever used together. */
export type Tone = "idle" | "turning" | "asking" | "retiring" | "backing" | "parked" | "closed"

const special: Readonly<Record<string, Tone>> = {
  "turning.asking": "asking",
  "idle.backingOff": "backing",
  "idle.parked": "parked"
}

export const toneOf = (substate: string): Tone => {
  const known = special[substate]
  if (known !== undefined) return known
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
