/** The words of a wait, as the table has room for them. */
import type { Wait } from "../contract.ts"
import { stateOf, substateWords } from "./tones.ts"

const owers: Readonly<Record<Wait["who"], string>> = {
  app: "the app",
  agent: "the agent",
  person: "a person",
  operator: "an operator",
  troupe: "Troupe",
  kernel: "the kernel",
  nobody: "nobody"
}

export const owedBy = ({ who }: Wait): string => owers[who]

/** Where the next step leads from here: `→ retiring`, or `→ asleep` within a state. One that leads nowhere is named. */
export const nextWords = (substate: string, { timer, to }: NonNullable<Wait["next"]>): string => {
  if (to === null) return timer
  return `→ ${(stateOf(to) === stateOf(substate) && substateWords(to)) || stateOf(to)}`
}
