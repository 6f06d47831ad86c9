/** The words and signs of the table: a state has a colour and a sign, so that it is recognizable without colours too. */
import { SessionState } from "../../domain/Session.ts"
import type { SessionRow, State } from "../../inspect/contract.ts"
import { age, countdown, duration } from "../../inspect/client/format.ts"
import { circuitOf, failedWords, failureOf, nextWords, owedBy } from "../../inspect/client/words.ts"
import { stateOf, substateWords, toneOf } from "../../inspect/client/tones.ts"
import type { Tone } from "../../inspect/client/tones.ts"

const looks = {
  idle: ["○", "blue"],
  turning: ["●", "green"],
  queued: ["◌", "yellow"],
  asking: ["?", "magenta"],
  retiring: ["◐", "cyan"],
  backing: ["↻", "yellow"],
  parked: ["‖", "red"],
  closed: ["·", "gray"]
} as const satisfies Readonly<Record<Tone, readonly [sign: string, style: string]>>

export const styleOf = (tone: Tone) => looks[tone][1]
export const signOf = (tone: Tone): string => looks[tone][0]

export const states: ReadonlyArray<State> = SessionState.literals

/** `● turning running`; in a narrow table only the part that identifies the state. */
export const badge = (substate: string, isNarrow: boolean): string => {
  const state = stateOf(substate)
  const words = substateWords(substate)
  const text = !isNarrow ? `${state} ${words}`.trim() : state === "retiring" || words === "" ? state : words
  return `${signOf(toneOf(substate))} ${text}`
}

/** What it is called by; in a narrow column the beginning of an id is enough. */
export const calledBy = ({ name, session_id }: Pick<SessionRow, "name" | "session_id">, isNarrow: boolean): string =>
  name === session_id && isNarrow ? shortId(session_id) : name

export const shortId = (id: string): string => id.replace(/^ses_/, "").slice(0, 8)

/** `0:07 → retiring`, or `0:07` in a narrow table; empty where no timer leads to another state. */
export const nextOf = ({ substate, wait }: SessionRow, now: number, isNarrow: boolean): string => {
  const next = wait?.next ?? null
  if (next === null) return ""
  const left = next.at <= now ? "due" : countdown(next.at - now)
  return isNarrow ? left : `${left} ${nextWords(substate, next)}`
}

export const waitOf = (row: SessionRow, now: number, isNarrow = false): string => {
  const { wait } = row
  const circuit = circuitOf(row, now)
  const failed = failureOf(row)
  const parts = [
    ...(circuit === null
      ? []
      : [`${row.agent} is not started for ${countdown(circuit.until - now)}: its starts kept failing`]),
    ...(failed === null ? [] : [`turn ${failed.turn} ${failedWords(failed)} ${age(now - failed.at)} ago`]),
    ...(wait === null
      ? []
      : wait.tool !== null
        ? [`${wait.tool.title} runs for ${duration(now - wait.tool.since)}`]
        : [isNarrow || wait.who === "nobody" ? wait.what : `${wait.what} (${owedBy(wait)})`])
  ]
  return parts.join("; ")
}
