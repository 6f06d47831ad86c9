/** The words of a wait, as the table has room for them. */
import type { Wait } from "../../contract.ts"
import { stateOf, substateWords } from "../tones.ts"

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

/** Where the next step leads: `→ retiring`. A timer that leads nowhere is named: `interruptAgain`. */
export const nextWords = ({ timer, to }: NonNullable<Wait["next"]>): string =>
  to === null ? timer : `→ ${substateWords(to) || stateOf(to)}`
