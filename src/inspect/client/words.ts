/** A wait in words that are short enough for the table. */
import type { Circuit, Outcome, SessionRow, Wait } from "../contract.ts"
import { wordsOfDelay } from "./machineWords.ts"
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
  if (to === null) return wordsOfDelay(timer)
  return `→ ${(stateOf(to) === stateOf(substate) && substateWords(to)) || stateOf(to)}`
}

/** The last turn's end where it went wrong and no other one runs: it is not forgotten when its process is gone. */
export const failureOf = ({ last_outcome, state }: Pick<SessionRow, "last_outcome" | "state">): Outcome | null =>
  last_outcome !== null &&
  state !== "turning" &&
  (last_outcome.status === "failed" || last_outcome.status === "timed_out")
    ? last_outcome
    : null

/** `failed: crash`, for a narrow column. */
export const failedWords = ({ failure, status }: Outcome): string =>
  status === "timed_out" ? "ran out of time" : `failed${failure === null ? "" : `: ${failure.class}`}`

/** What holds the session's next start up; `null`: nothing, or it has its process. */
export const circuitOf = (
  { circuit, substate }: Pick<SessionRow, "circuit" | "substate">,
  now: number
): Circuit | null =>
  circuit !== null && circuit.until > now && substate !== "closed" && !hasProcess.has(substate) ? circuit : null

/** Where its agent is up; names, as in `tones.ts`. */
const hasProcess: ReadonlySet<string> = new Set([
  "idle.awake",
  "turning.running",
  "turning.asking",
  "turning.probing",
  "turning.interrupting"
])
