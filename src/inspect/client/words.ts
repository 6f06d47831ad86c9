/** A wait in words that are short enough for the table. */
import type { Wait } from "../contract.ts"
import { stateOf, substateWords } from "./tones.ts"

const parties: Readonly<Record<Wait["who"], string>> = {
  app: "the app",
  agent: "the agent",
  person: "a person",
  operator: "an operator",
  troupe: "Troupe",
  kernel: "the kernel",
  nobody: "nobody"
}

export const owedBy = ({ who }: Wait): string => parties[who]

/** Where the next timer leads: `→ retiring`, or `→ asleep` within a state; its name where it leads to no other state. */
export const nextWords = (substate: string, { timer, to }: NonNullable<Wait["next"]>): string => {
  if (to === null) return timer
  return `→ ${(stateOf(to) === stateOf(substate) && substateWords(to)) || stateOf(to)}`
}
